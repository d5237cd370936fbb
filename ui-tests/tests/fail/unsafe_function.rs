use rexecutor::prelude::*;

#[job]
async unsafe fn mail(_to: String) {}

fn main() {}
