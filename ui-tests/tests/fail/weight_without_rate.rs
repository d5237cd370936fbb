use rexecutor::prelude::*;

#[job(weight = |to| to.len())]
async fn mail(_to: String) {}

fn main() {}
