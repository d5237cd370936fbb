use rexecutor::prelude::*;

#[derive(Debug)]
struct Letter;

#[job]
async fn mail(_mail: Letter) {}

fn main() {}
