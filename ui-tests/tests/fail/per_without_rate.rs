use rexecutor::prelude::*;

#[job(per = |to| to)]
async fn mail(_to: String) {}

fn main() {}
