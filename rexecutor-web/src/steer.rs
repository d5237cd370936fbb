//! Pausing and resuming executors and schedules, and triggering schedules.

use chrono::TimeDelta;
use rexecutor::{
    backend::{Pause, Scope, control},
    job::ExecutorName,
    schedules::{self, SchedulesError},
};
use serde_json::json;

use crate::{access::Role, audit::Change, problem::Problem, request::Cx};

/// The pause that somebody has asked for.
async fn asked(cx: &Cx, reason: &str, minutes: &str) -> Result<Pause, Problem> {
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    let pause = Pause::new(clean(reason.trim())).by(clean(cx.access.name()));
    if minutes.trim().is_empty() {
        return Ok(pause);
    }
    let minutes: Option<u32> = minutes.trim().parse().ok().filter(|minutes| (1..=100_000).contains(minutes));
    let minutes = minutes.ok_or_else(|| Problem::Invalid("A pause is for 1 to 100,000 minutes.".to_owned()))?;
    // It ends by the backend's clock.
    let now = cx.observe()?.cluster().await?.now;
    Ok(pause.until(now + TimeDelta::minutes(minutes.into())))
}

/// Whose jobs it is about, if they may do that.
fn scope(cx: &Cx, executor: Option<&ExecutorName>) -> Result<Scope, Problem> {
    match executor {
        Some(executor) => {
            cx.need(Role::Operator)?;
            cx.need_executor(executor)?;
            Ok(Scope::Executor(executor.clone()))
        }
        None => {
            cx.need(Role::Admin)?;
            match cx.access.executors() {
                None => Ok(Scope::Cluster),
                Some(_) => Err(Problem::Role("admin of all executors")),
            }
        }
    }
}

fn about(cx: &Cx, action: &'static str, executor: Option<&ExecutorName>) -> Change {
    let change = Change::new(cx.access.name(), action);
    executor.map_or(change.clone(), |executor| change.of_executor(executor))
}

/// Pauses an executor, or the whole cluster.
pub(crate) async fn pause(cx: &Cx, executor: Option<ExecutorName>, reason: &str, minutes: &str) -> Result<(), Problem> {
    let scope = scope(cx, executor.as_ref())?;
    let pause = asked(cx, reason, minutes).await?;
    let after = json!({ "paused": true, "reason": pause.reason, "until": pause.until });
    let answer = control(cx.backend())?.pause(&scope, pause).await;
    cx.record(&about(cx, "pause", executor.as_ref()).changing(json!({}), after).ended(&answer));
    Ok(answer?)
}

/// Whether somebody may pause jobs of all executors.
fn need_all(cx: &Cx) -> Result<(), Problem> {
    scope(cx, None).map(drop)
}

fn tag_scope(tag: &str) -> Scope {
    Scope::Tag(tag.trim().replace('\0', "\u{fffd}"))
}

/// Pauses a tag, of all executors.
pub(crate) async fn pause_tag(cx: &Cx, tag: &str, reason: &str, minutes: &str) -> Result<(), Problem> {
    need_all(cx)?;
    if tag.trim().is_empty() {
        return Err(Problem::Invalid("Which tag? It is empty.".to_owned()));
    }
    let pause = asked(cx, reason, minutes).await?;
    let after = json!({ "paused": true, "tag": tag.trim(), "reason": pause.reason, "until": pause.until });
    let answer = control(cx.backend())?.pause(&tag_scope(tag), pause).await;
    cx.record(&about(cx, "pause", None).changing(json!({}), after).ended(&answer));
    Ok(answer?)
}

/// Ends that; returns whether it was paused.
pub(crate) async fn resume_tag(cx: &Cx, tag: &str) -> Result<bool, Problem> {
    need_all(cx)?;
    let answer = control(cx.backend())?.resume(&tag_scope(tag)).await;
    let was = json!({ "paused": answer.as_ref().is_ok_and(|was| *was), "tag": tag.trim() });
    cx.record(&about(cx, "resume", None).changing(was, json!({ "paused": false })).ended(&answer));
    Ok(answer?)
}

/// Ends that; returns whether it was paused.
pub(crate) async fn resume(cx: &Cx, executor: Option<ExecutorName>) -> Result<bool, Problem> {
    let scope = scope(cx, executor.as_ref())?;
    let answer = control(cx.backend())?.resume(&scope).await;
    let was = json!({ "paused": answer.as_ref().is_ok_and(|was| *was) });
    cx.record(&about(cx, "resume", executor.as_ref()).changing(was, json!({ "paused": false })).ended(&answer));
    Ok(answer?)
}

/// What is to be done with a schedule entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    Pause { reason: &'a str, minutes: &'a str },
    Resume,
    Trigger,
    Remove,
}

/// Does it; returns the word for what came of it.
pub(crate) async fn schedule(cx: &Cx, name: &str, step: Step<'_>) -> Result<&'static str, Problem> {
    cx.need(if matches!(step, Step::Remove) { Role::Admin } else { Role::Operator })?;
    let entry = schedules::get_on_backend(name, cx.backend()).await?;
    let entry = entry.filter(|entry| cx.access.sees(&entry.executor));
    let entry = entry.ok_or_else(|| Problem::from(SchedulesError::NotFound(name.to_owned())))?;
    let (backend, by) = (cx.backend(), cx.access.name().replace('\0', "\u{fffd}"));
    let (word, answer) = match step {
        Step::Pause { reason, minutes } => {
            let pause = asked(cx, reason, minutes).await?;
            ("pause", schedules::pause_on_backend(name, pause, backend).await.map(|()| "pause"))
        }
        Step::Resume => ("resume", schedules::resume_on_backend(name, backend).await.map(|_| "resume")),
        Step::Trigger => {
            let job = schedules::trigger_on_backend(name, by, backend).await;
            ("trigger", job.map(|job| if job.is_some() { "trigger" } else { "overlap" }))
        }
        Step::Remove => ("remove", schedules::remove_on_backend(name, backend).await.map(|()| "remove")),
    };
    let was = json!({ "paused": entry.paused.is_some() });
    let change = Change::new(cx.access.name(), word).of_executor(&entry.executor).of_schedule(name);
    cx.record(&change.changing(was, json!({})).ended(&answer));
    Ok(answer?)
}
