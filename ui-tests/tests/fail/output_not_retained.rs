use rexecutor::prelude::*;

#[job(retain = "none")]
async fn resize(_image: String) -> Result<u64, String> {
    Ok(1)
}

fn main() {}
