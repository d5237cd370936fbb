use rexecutor::prelude::*;

#[job(on_discard = halt)]
async fn mail(_to: String) {}

fn main() {}
