//! Middleware around runs, and hooks before jobs are enqueued.

mod hooks;
mod runs;

use rexecutor::prelude::*;

#[job(name = "mw_quiet")]
async fn quiet() -> Result<String, String> {
    Ok("quiet".to_owned())
}
