use rexecutor::{middleware::{Next, Run}, prelude::*};

async fn audit(run: Run, next: Next) -> ExecutionResult {
    next.run(run).await
}

#[job(middleware = [audit, audit])]
async fn mail(_to: String) {}

fn main() {}
