use rexecutor::prelude::*;

struct Shop;

impl Shop {
    #[job]
    async fn refund(_order: u64) {}
}

fn main() {
    let _ = Shop;
}
