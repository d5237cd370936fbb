//! The whole cluster.

use clap::Subcommand;
use rexecutor::{backend::Scope, cluster};
use serde_json::json;

use super::pause::PauseArgs;
use crate::{failure::Failure, session::Session};

/// The whole cluster: pausing it
#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    /// Stops the claiming of jobs of every executor, on every node
    Pause(PauseArgs),
    /// Ends that; executors and nodes that were paused by themselves stay so
    Resume,
}

pub(crate) async fn run(session: &Session, what: Cluster) -> Result<(), Failure> {
    match what {
        Cluster::Pause(args) => {
            let pause = args.pause(session).await?;
            let backend = session.change_pause("pause the whole cluster", &Scope::Cluster, Some(&pause)).await?;
            cluster::pause_on_backend(pause, backend).await?;
            session.output.answer(&json!({ "done": "pause" }), || "the whole cluster is paused".to_owned())
        }
        Cluster::Resume => {
            let backend = session.change_pause("resume the whole cluster", &Scope::Cluster, None).await?;
            let was = cluster::resume_on_backend(backend).await?;
            session.output.answer(&json!({ "done": "resume", "was_paused": was }), || match was {
                true => "the whole cluster is resumed".to_owned(),
                false => "the whole cluster was not paused".to_owned(),
            })
        }
    }
}
