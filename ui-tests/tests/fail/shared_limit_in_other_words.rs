use rexecutor::prelude::*;

static STRIPE: Limit = Limit::new("stripe").rate("10/s");

#[job(rate_limiter = STRIPE)]
async fn mail(_to: String) {}

fn main() {}
