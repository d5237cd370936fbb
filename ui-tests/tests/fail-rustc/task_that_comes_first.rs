use rexecutor::{prelude::*, workflows::Workflow};

#[job]
async fn greet(Upstream(name): Upstream<String>) {
    println!("hello {name}");
}

fn main() {
    let mut workflow = Workflow::new("mistaken");
    workflow.task("greeting", Greet::builder());
}
