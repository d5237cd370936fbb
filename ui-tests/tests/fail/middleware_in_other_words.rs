use rexecutor::{middleware::{Next, Run}, prelude::*};

async fn audit(run: Run, next: Next) -> ExecutionResult {
    next.run(run).await
}

#[job(layer = audit)]
async fn mail(_to: String) {}

fn main() {}
