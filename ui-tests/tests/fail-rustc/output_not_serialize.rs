use rexecutor::prelude::*;

struct Thumbnail;

#[job]
async fn resize(_image: String) -> Result<Thumbnail, String> {
    Ok(Thumbnail)
}

fn main() {}
