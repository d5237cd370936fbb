use rexecutor::prelude::*;

#[job]
async extern "C" fn mail(_to: String) {}

fn main() {}
