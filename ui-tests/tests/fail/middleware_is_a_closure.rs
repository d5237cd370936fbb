use rexecutor::{middleware, prelude::*};

#[job(middleware = |run: middleware::Run, next: middleware::Next| next.run(run))]
async fn mail(_to: String) {}

fn main() {
    middleware::on_enqueue(|_| Ok(()));
}
