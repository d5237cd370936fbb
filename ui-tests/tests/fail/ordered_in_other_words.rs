use rexecutor::prelude::*;

#[job(order_by = |to| to)]
async fn mail(_to: String) {}

fn main() {}
