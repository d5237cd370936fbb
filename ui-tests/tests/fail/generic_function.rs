use rexecutor::prelude::*;

#[job]
async fn mail<T>(_to: T) {}

fn main() {}
