#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused, missing_debug_implementations, unreachable_pub)]
//! A job under lints that forbid nearly everything.

use rexecutor::prelude::*;

/// Sends the mail.
#[job(max_attempts = 3)]
pub async fn welcome_email(_to: String) -> Result<(), std::io::Error> {
    Ok(())
}

#[job]
async fn without_docs() {}

fn main() {
    let names: Vec<_> = Rexecutor::registered().iter().map(|job| job.name()).collect();
    assert_eq!(names, ["welcome_email", "without_docs"]);
}
