use rexecutor::prelude::*;

#[job]
async fn mail(_to: String) {}

async fn enqueue() {
    let _ = Mail::builder().enqueue().await;
}

fn main() {}
