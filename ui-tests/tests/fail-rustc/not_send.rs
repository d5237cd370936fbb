use rexecutor::prelude::*;

use std::rc::Rc;

#[job]
async fn mail(to: String) {
    let shared = Rc::new(to);
    tick().await;
    drop(shared);
}

async fn tick() {}

fn main() {}
