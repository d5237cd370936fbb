//! A number of jobs that are not to be there.

use rexecutor::{prelude::*, refute_enqueued};

#[job]
async fn mail(_to: String) {}

async fn test() {
    refute_enqueued!(2 jobs, for_executor: Mail);
}

fn main() {
    let _ = test;
}
