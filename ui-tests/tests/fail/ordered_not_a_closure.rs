use rexecutor::prelude::*;

#[job(ordered_by = "customer")]
async fn mail(_to: String) {}

fn main() {}
