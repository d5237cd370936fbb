use rexecutor::prelude::*;

struct Audit;

#[job(middleware = Audit)]
async fn mail(_to: String) {}

fn main() {}
