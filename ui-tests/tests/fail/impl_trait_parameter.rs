use rexecutor::prelude::*;

#[job]
async fn mail(_to: impl ToString) {}

fn main() {}
