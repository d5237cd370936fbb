use rexecutor::prelude::*;

#[job(max_data_bytes = 0)]
async fn mail(_to: String) {}

fn main() {}
