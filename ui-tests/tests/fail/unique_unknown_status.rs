use rexecutor::prelude::*;

#[job(unique(statuses = [sheduled]))]
async fn mail(_to: String) {}

fn main() {}
