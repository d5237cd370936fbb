//! The audit log.

use clap::Args;
use rexecutor::{
    backend::{AuditObject, AuditRequest, audit_log},
    job::{ExecutorName, JobId},
};
use rexecutor_web::{shapes, views};
use serde_json::{Value, json};

use super::bulk::id;
use crate::{args::count, failure::Failure, output::table, session::Session};

/// Who has changed what by hand, the newest first
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Changes that this one has made
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Changes of this kind, as `cancel` or `pause`
    #[arg(long, value_name = "WORD")]
    action: Option<String>,
    /// Changes of this job
    #[arg(long, value_name = "ID", value_parser = id)]
    job: Option<i64>,
    /// Changes about the jobs of this executor
    #[arg(long, value_name = "NAME")]
    executor: Option<String>,
    /// At most so many, 1 to 500
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = count)]
    limit: usize,
    /// Those before the one of this number, as the last page says it
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
}

pub(crate) async fn run(session: &Session, audit: Audit) -> Result<(), Failure> {
    let Audit { who, action, job, executor, limit, before } = audit;
    let request = AuditRequest::new().by(who).of_action(action).before(before).at_most(limit);
    let request = request.of_object(job.map(|job| AuditObject::job(JobId::from(job))));
    let request = request.of_executors(executor.map(|executor| vec![ExecutorName::from(executor)]));
    let page = audit_log(session.read())?.audit_page(&request).await?;
    let json = json!({
        "now": shapes::instant(page.now), "entries": page.records.iter().map(shapes::audit).collect::<Vec<Value>>(),
        "next": page.next.map(|next| next.to_string()), "is_partial": page.is_partial,
    });
    session.output.answer(&json, || {
        let more = match (page.next, page.is_partial) {
            (Some(next), true) => format!("\nonly a part was looked at: --before {next}"),
            (Some(next), false) => format!("\nthere may be more: --before {next}"),
            (None, _) => String::new(),
        };
        if page.records.is_empty() {
            return format!("no change was recorded{more}");
        }
        let rows = page.records.iter().map(|record| {
            let entry = &record.entry;
            let object = format!("{} {}", entry.object.kind, entry.object.id);
            let executor = entry.executor.as_ref().map(ToString::to_string).unwrap_or_default();
            let text = |text: &Option<String>| views::short(text.as_deref().unwrap_or_default(), 60);
            let after = match &entry.error {
                Some(error) => format!("refused: {}", views::short(error, 60)),
                None => text(&entry.after),
            };
            let when = views::relative(record.at, page.now);
            let (who, via, action) = (entry.by.clone(), entry.via.clone(), entry.action.clone());
            vec![when, who, via, action, object.trim_end().to_owned(), executor, text(&entry.before), after]
        });
        format!("{}{more}", table(&["when", "who", "via", "action", "of", "executor", "before", "after"], rows))
    })
}
