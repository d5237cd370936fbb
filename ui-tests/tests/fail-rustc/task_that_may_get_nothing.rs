use rexecutor::{prelude::*, workflows::Workflow};

#[job]
async fn measure(text: String) -> Result<usize, String> {
    Ok(text.len())
}

#[job]
async fn report(Upstream(length): Upstream<usize>) {
    println!("{length}");
}

fn main() {
    let mut workflow = Workflow::new("mistaken");
    let length = workflow.task("length", Measure::builder().with_data("ada".to_owned()));
    workflow.task("report", Report::builder().after_any_end(&length));
}
