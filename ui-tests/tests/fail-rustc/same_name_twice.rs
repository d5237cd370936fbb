use rexecutor::prelude::*;

#[job]
async fn mail() {}

#[job(executor = Mail)]
async fn letter() {}

fn main() {}
