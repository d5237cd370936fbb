use rexecutor::prelude::*;
use std::collections::HashSet;

#[job(unique_within = "5m")]
async fn invite(_members: HashSet<u32>) {}

fn main() {}
