use rexecutor::prelude::*;

#[derive(Debug, Clone)]
struct Refund {
    order: u64,
}

#[job]
async fn refund(_order: u64) {}

fn main() {
    let _ = Refund { order: 1 }.order;
}
