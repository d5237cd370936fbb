use rexecutor::prelude::*;

struct Mailer;

impl Mailer {
    #[job]
    async fn mail(&self, _to: String) {}
}

fn main() {}
