use rexecutor::prelude::*;

#[job]
async fn mail(_to: String, _subject: String) {}

fn main() {}
