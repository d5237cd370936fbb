use rexecutor::prelude::*;

#[job(middleware = "audit")]
async fn mail(_to: String) {}

#[job(middleware = [])]
async fn letter(_to: String) {}

fn main() {}
