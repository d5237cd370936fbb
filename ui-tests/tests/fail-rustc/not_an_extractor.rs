use rexecutor::prelude::*;

struct Pool;

#[job]
async fn mail(_to: String, _pool: Pool) {}

fn main() {}
