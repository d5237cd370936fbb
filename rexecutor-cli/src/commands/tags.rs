//! Tags.

use clap::Subcommand;
use rexecutor::{backend::Scope, cluster};
use rexecutor_web::{shapes, views};
use serde_json::{Value, json};

use super::pause::PauseArgs;
use crate::{failure::Failure, output::table, session::Session};

/// Tags: pausing the jobs that have one
#[derive(Debug, Subcommand)]
pub(crate) enum Tags {
    /// The tags that are paused, since when, by whom and why
    List,
    /// Stops the claiming of jobs that have this tag, of every executor and on every node
    Pause {
        tag: String,
        #[command(flatten)]
        args: PauseArgs,
    },
    /// Ends that
    Resume { tag: String },
}

pub(crate) async fn run(session: &Session, what: Tags) -> Result<(), Failure> {
    match what {
        Tags::List => list(session).await,
        Tags::Pause { tag, args } => {
            let pause = args.pause(session).await?;
            let scope = Scope::Tag(tag.clone());
            pause.check(&scope).map_err(|error| Failure::usage(format!("{error:?}")))?;
            let backend = session.change_pause(&format!("pause the tag `{tag}`"), &scope, Some(&pause)).await?;
            cluster::pause_tag_on_backend(tag.clone(), pause, backend).await?;
            session.output.answer(&json!({ "done": "pause", "tag": tag }), || format!("the tag `{tag}` is paused"))
        }
        Tags::Resume { tag } => {
            let scope = Scope::Tag(tag.clone());
            let backend = session.change_pause(&format!("resume the tag `{tag}`"), &scope, None).await?;
            let was = cluster::resume_tag_on_backend(tag.clone(), backend).await?;
            session.output.answer(&json!({ "done": "resume", "tag": tag, "was_paused": was }), || match was {
                true => format!("the tag `{tag}` is resumed"),
                false => format!("the tag `{tag}` was not paused"),
            })
        }
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let cluster = session.observe()?.cluster().await?;
    let tags: Vec<Value> = cluster.tags.iter().map(shapes::tag).collect();
    session.output.answer(&json!({ "now": shapes::instant(cluster.now), "tags": tags }), || {
        if cluster.tags.is_empty() {
            return "no tag is paused".to_owned();
        }
        let rows = cluster.tags.iter().map(|paused| {
            let tag = match &paused.scope {
                Scope::Tag(tag) => tag.clone(),
                scope => scope.to_string(),
            };
            let until = paused.pause.until.map_or(String::new(), |until| views::relative(until, cluster.now));
            let by = paused.pause.by.clone().unwrap_or_default();
            vec![tag, views::relative(paused.since, cluster.now), until, by, paused.pause.reason.clone()]
        });
        table(&["tag", "paused", "until", "by", "reason"], rows)
    })
}
