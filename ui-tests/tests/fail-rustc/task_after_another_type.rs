use rexecutor::{prelude::*, workflows::Workflow};

#[job]
async fn measure(text: String) -> Result<usize, String> {
    Ok(text.len())
}

#[job]
async fn greet(Upstream(name): Upstream<String>) {
    println!("hello {name}");
}

fn main() {
    let mut workflow = Workflow::new("mistaken");
    let length = workflow.task("length", Measure::builder().with_data("ada".to_owned()));
    workflow.task("greeting", Greet::builder().after(&length));
}
