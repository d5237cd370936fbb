use rexecutor::prelude::*;

#[job(name = mail)]
async fn mail(_to: String) {}

fn main() {}
