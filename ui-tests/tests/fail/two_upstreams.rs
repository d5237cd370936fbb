use rexecutor::prelude::*;

#[job]
async fn ship(Upstream(_receipt): Upstream<u32>, Upstream(_parcel): Upstream<String>) {}

fn main() {}
