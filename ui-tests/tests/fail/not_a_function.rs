use rexecutor::prelude::*;

#[job]
struct Mail;

fn main() {}
