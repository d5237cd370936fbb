use rexecutor::prelude::*;

#[job]
async fn mail(_to: String) -> u32 {
    0
}

fn main() {}
