//! Nodes.

use clap::Subcommand;
use rexecutor::{
    backend::{
        Scope,
        observe::{Cluster, SeenNode},
    },
    cluster,
};
use rexecutor_web::{shapes, views};
use serde_json::json;

use super::pause::PauseArgs;
use crate::{failure::Failure, output::table, session::Session};

/// Nodes: who runs jobs, and pausing them
#[derive(Debug, Subcommand)]
pub(crate) enum Nodes {
    /// The members of the cluster
    List,
    /// Stops the claiming of jobs on the nodes of this label
    Pause {
        label: String,
        #[command(flatten)]
        args: PauseArgs,
    },
    /// Ends that
    Resume { label: String },
}

pub(crate) async fn run(session: &Session, what: Nodes) -> Result<(), Failure> {
    match what {
        Nodes::List => list(session).await,
        Nodes::Pause { label, args } => {
            let pause = args.pause(session).await?;
            let (what, scope) = (format!("pause the nodes `{label}`"), Scope::Node(label.clone()));
            let backend = session.change_pause(&what, &scope, Some(&pause)).await?;
            cluster::pause_node_on_backend(label.clone(), pause, backend).await?;
            session
                .output
                .answer(&json!({ "done": "pause", "label": label }), || format!("the nodes `{label}` are paused"))
        }
        Nodes::Resume { label } => {
            let (what, scope) = (format!("resume the nodes `{label}`"), Scope::Node(label.clone()));
            let backend = session.change_pause(&what, &scope, None).await?;
            let was = cluster::resume_node_on_backend(label.clone(), backend).await?;
            session.output.answer(&json!({ "done": "resume", "label": label, "was_paused": was }), || match was {
                true => format!("the nodes `{label}` are resumed"),
                false => format!("the nodes `{label}` were not paused"),
            })
        }
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let cluster = session.observe()?.cluster().await?;
    let nodes = cluster.nodes.iter().map(|node| shapes::node(node, &cluster, |_| true));
    let json = json!({ "now": shapes::instant(cluster.now), "nodes": nodes.collect::<Vec<_>>() });
    session.output.answer(&json, || {
        if cluster.nodes.is_empty() {
            return "no nodes".to_owned();
        }
        table(&HEADINGS, cluster.nodes.iter().map(|node| row(node, &cluster)))
    })
}

/// What stands over the rows of nodes.
pub(super) const HEADINGS: [&str; 7] = [">node", "label", "state", ">running", "last heard", "joined", "version"];

pub(super) fn row(node: &SeenNode, cluster: &Cluster) -> Vec<String> {
    let about = &node.about;
    let slots = about.slots.map_or("?".to_owned(), |slots| slots.to_string());
    let state = match (node.is_silent(cluster.now), &node.paused) {
        (true, _) => "silent",
        (false, Some(_)) => "paused",
        (false, None) => "alive",
    };
    vec![
        node.node.to_string(),
        node.label.clone(),
        state.to_owned(),
        format!("{}/{slots}", cluster.running_on(node.node)),
        views::relative(node.seen_at, cluster.now),
        views::relative(node.since, cluster.now),
        about.version.clone().unwrap_or_default(),
    ]
}
