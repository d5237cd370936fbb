//! Workflows and batches.

use clap::Subcommand;
use rexecutor::{
    backend::{
        AuditObject,
        flows::{FlowState, Flows, FlowsRequest, TaskRow, flows},
    },
    job::FlowId,
    workflows::{Graph, TaskState},
};
use rexecutor_web::{shapes, views};
use serde_json::{Value, json};

use crate::{
    failure::{Code, Failure},
    output::{facts, jobs, table},
    session::Session,
    time,
};

/// How many tasks are read in one call.
const PAGE: usize = 1_000;

/// Workflows and batches: how they stand, cancelling them, retrying what failed
#[derive(Debug, Subcommand)]
pub(crate) enum Flow {
    /// Workflows and batches, the newest first, and how many of their jobs stand where
    List {
        /// Those alone that have not ended
        #[arg(long, conflicts_with = "ended")]
        open: bool,
        /// Those alone that have ended
        #[arg(long)]
        ended: bool,
        /// At most so many, 1 to 100
        #[arg(long, default_value_t = 50, value_name = "COUNT")]
        limit: usize,
        /// Those before the one of this number, as the last page says it
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
    },
    /// How its jobs stand, and its tasks in their order
    Show {
        /// Its number
        id: i64,
        /// The graph in Mermaid's language instead
        #[arg(long)]
        mermaid: bool,
    },
    /// Cancels its jobs that have not ended; those that run are asked to stop
    Cancel {
        /// Its number
        id: i64,
        /// Why, for whoever looks at the jobs
        #[arg(long, default_value = "", value_name = "TEXT", hide_default_value = true)]
        reason: String,
    },
    /// Goes on with a workflow from what has failed
    Retry {
        /// Its number
        id: i64,
    },
}

pub(crate) async fn run(session: &Session, what: Flow) -> Result<(), Failure> {
    match what {
        Flow::List { open, ended, limit, before } => {
            let is_open = if open || ended { Some(open) } else { None };
            let request = FlowsRequest::new().that_are_open(is_open).before(before.map(FlowId)).at_most(limit);
            list(session, &request).await
        }
        Flow::Show { id, mermaid } => show(session, FlowId(id), mermaid).await,
        Flow::Cancel { id, reason } => {
            let reason = if reason.is_empty() { format!("cancelled by {}", session.by) } else { reason };
            let entry = session.entry("cancel", AuditObject::flow(FlowId(id)));
            let backend = session.change(&format!("cancel all jobs of workflow {id}"), entry)?;
            let count = flows(backend)?.cancel_flow(FlowId(id), reason.replace('\0', "\u{fffd}")).await?;
            session.changes.end(&json!({ "jobs": count }));
            session.output.answer(&json!({ "done": "cancel", "jobs": count }), || format!("cancelled {}", jobs(count)))
        }
        Flow::Retry { id } => {
            let entry = session.entry("retry", AuditObject::flow(FlowId(id)));
            let backend = session.change(&format!("retry what has failed of workflow {id}"), entry)?;
            let count = flows(backend)?.retry_tasks(FlowId(id)).await?;
            session.changes.end(&json!({ "jobs": count }));
            session.output.answer(&json!({ "done": "retry", "jobs": count }), || match count {
                0 => "no task of it has failed".to_owned(),
                count => format!("{} run again", jobs(count)),
            })
        }
    }
}

async fn list(session: &Session, request: &FlowsRequest) -> Result<(), Failure> {
    let page = flows(session.read())?.list_flows(request).await?;
    let json = json!({
        "now": shapes::instant(page.now), "flows": page.flows.iter().map(shapes::flow).collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()),
    });
    session.output.answer(&json, || {
        let more = page.next.map_or(String::new(), |next| format!("\nthere may be more: --before {next}"));
        if page.flows.is_empty() {
            return "no workflow or batch".to_owned();
        }
        let rows = page.flows.iter().map(|listed| {
            let (flow, counts) = (&listed.flow, listed.counts);
            let plus = if listed.is_least { "+" } else { "" };
            let ended = format!("{}{plus}/{}{plus}", counts.finished(), counts.total());
            let kind = if flow.is_workflow() { "workflow" } else { "batch" };
            let state = if flow.end().is_some() { "ended" } else { "open" };
            let since = views::relative(listed.created_at, page.now);
            let failed = counts.discarded.to_string();
            vec![listed.id.to_string(), kind.to_owned(), state.to_owned(), ended, failed, since, flow.name().to_owned()]
        });
        format!("{}{more}", table(&[">id", "kind", "state", ">ended", ">discarded", "since", "name"], rows))
    })
}

async fn show(session: &Session, id: FlowId, mermaid: bool) -> Result<(), Failure> {
    let flows = flows(session.read())?;
    let none = || Failure::new(Code::Refused, format!("there is no workflow or batch {id}"));
    let state = flows.find(id).await?.ok_or_else(none)?;
    let tasks = tasks(flows, id).await?;
    let graph = Graph::of_tasks(state.flow.name(), &tasks);
    if mermaid {
        let graph = graph.to_mermaid();
        return session.output.answer(&json!({ "mermaid": graph }), || graph.clone());
    }
    let now = session.observe()?.cluster().await?.now;
    session.output.answer(&shape(&state, &tasks), || {
        let counts = state.flow.end().map_or(state.counts, |end| end.counts);
        let kind = if state.flow.is_workflow() { "workflow" } else { "batch" };
        let ended = format!("{} of {} ({} %)", counts.finished(), counts.total(), counts.percent());
        let number = |count: u64| if count == 0 { String::new() } else { count.to_string() };
        let mut text = facts([
            (kind.to_owned(), id.to_string()),
            ("ended".to_owned(), ended),
            ("complete".to_owned(), number(counts.complete)),
            ("discarded".to_owned(), number(counts.discarded)),
            ("cancelled".to_owned(), number(counts.cancelled)),
            ("executing".to_owned(), number(counts.executing)),
            ("why".to_owned(), state.flow.cancelled().unwrap_or_default().to_owned()),
            ("enqueued".to_owned(), time::instant(state.created_at, now)),
            ("finished".to_owned(), state.flow.finished_at().map(|at| time::instant(at, now)).unwrap_or_default()),
        ]);
        if graph.is_empty() {
            text.push_str(&format!("{}\n", state.flow.name()));
        } else {
            text.push_str(&graph.to_text());
        }
        text
    })
}

async fn tasks(flows: &dyn Flows, id: FlowId) -> Result<Vec<TaskRow>, Failure> {
    let mut tasks: Vec<TaskRow> = Vec::new();
    loop {
        let page = flows.tasks(id, tasks.last().map(|task| task.job), PAGE).await?;
        let is_last = page.len() < PAGE;
        tasks.extend(page);
        if is_last {
            return Ok(tasks);
        }
    }
}

fn shape(state: &FlowState, tasks: &[TaskRow]) -> Value {
    let tasks = tasks.iter().map(|task| {
        json!({
            "name": task.name,
            "job": task.job,
            "executor": task.executor.as_str(),
            "state": TaskState::of(task).as_str(),
            "run_when": task.run_when,
            "after": task.after,
        })
    });
    json!({
        "id": state.id.0,
        "kind": if state.flow.is_workflow() { "workflow" } else { "batch" },
        "name": state.flow.name(),
        "counts": state.flow.end().map_or(state.counts, |end| end.counts),
        "cancelled": state.flow.cancelled(),
        "created_at": state.created_at,
        "finished_at": state.flow.finished_at(),
        "tasks": tasks.collect::<Vec<_>>(),
    })
}
