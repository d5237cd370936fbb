//! A field of an assertion that is none.

use rexecutor::prelude::*;

#[job]
async fn mail(_to: String) {}

async fn test() {
    assert_enqueued!(1 job, for_executor: Mail, with_dta: "bob");
}

fn main() {
    let _ = test;
}
