use rexecutor::prelude::*;

#[job]
fn mail(_to: String) {}

fn main() {}
