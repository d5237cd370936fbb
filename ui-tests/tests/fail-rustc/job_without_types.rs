use rexecutor::prelude::*;

#[job]
async fn mail(_job: Job) {}

fn main() {}
