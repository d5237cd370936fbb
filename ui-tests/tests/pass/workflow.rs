use rexecutor::{
    prelude::*,
    workflows::{After, Tasks, Workflow},
};

#[job]
async fn measure(text: String) -> Result<usize, String> {
    Ok(text.len())
}

#[job]
async fn plain(_text: String) {}

#[job]
async fn both(Upstream((a, b)): Upstream<(usize, ())>, _context: JobContext) -> Result<usize, String> {
    let () = b;
    Ok(a)
}

#[job]
async fn sum(Upstream(all): Upstream<Vec<usize>>) -> Result<usize, String> {
    Ok(all.iter().sum())
}

#[job]
async fn branches(Upstream((a, b)): Upstream<(Option<usize>, Option<usize>)>) {
    let _ = a.or(b);
}

fn main() {
    let mut workflow = Workflow::new("right");
    let text = |text: &str| text.to_owned();
    let a = workflow.task("a", Measure::builder().with_data(text("ada")));
    let b = workflow.task("b", Plain::builder().with_data(text("bob")).after(&a));
    let c = workflow.task("c", Both::builder().after((&a, &b)));
    let list = vec![a.clone(), c.clone()];
    workflow.task("d", Sum::builder().after(&list));
    workflow.task("e", Sum::builder().after([&a, &c]));
    workflow.task("f", Branches::builder().after_branches((&a, &c)));
    let mut part = Tasks::new();
    let inner = part.task("g", Measure::builder().with_data(text("grace")));
    let part = workflow.include("part", part.after(&a));
    workflow.task("h", Plain::builder().with_data(text("hal")).after(part.ends()));
    workflow.task("i", Plain::builder().with_data(text("ida")).after(part.task(&inner)));
    workflow.add("j", Measure::builder().with_data(text("joe")), After::all(["a", "part.g"]));
    assert_eq!(workflow.graph().len(), 10);
}
