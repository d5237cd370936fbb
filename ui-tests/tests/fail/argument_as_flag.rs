use rexecutor::prelude::*;

#[job(priority)]
async fn mail(_to: String) {}

fn main() {}
