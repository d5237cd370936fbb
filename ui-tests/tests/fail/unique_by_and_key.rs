use rexecutor::prelude::*;

#[job(unique(by = data, key = |data| data.len()))]
async fn mail(_to: String) {}

fn main() {}
