//! Data that are matched, of nobody knows what type.

use rexecutor::prelude::*;

async fn test() {
    assert_enqueued!(data_matches: |data| data.len() > 3);
}

fn main() {
    let _ = test;
}
