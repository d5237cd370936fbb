use rexecutor::prelude::*;

#[job(aging = "0s")]
async fn mail(_to: String) {}

fn main() {}
