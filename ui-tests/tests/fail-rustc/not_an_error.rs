use rexecutor::prelude::*;

struct Declined;

#[job]
async fn charge(_card: String) -> Result<(), Declined> {
    Err(Declined)
}

fn main() {}
