//! Through another path, as a renamed crate or one that re-exports has it.

mod framework {
    pub mod deep {
        pub use ::rexecutor as jobs;
    }
}

use framework::deep::jobs::prelude::*;

#[job(crate = framework::deep::jobs, cron = "@daily", backoff = linear("5s", max = "1m"), unique_within = "5m")]
async fn nightly(State(_): State<u8>) {}

fn main() {
    assert_eq!(Nightly::NAME, "nightly");
}
