use rexecutor::prelude::*;

#[job(every = "500ms", every("1h", timezone = "Asia/Tokyo"), cron("@daily", starts = "tomorrow"), jitter = "2h")]
async fn report() {}

fn main() {}
