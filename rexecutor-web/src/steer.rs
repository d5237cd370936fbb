//! Pausing and resuming executors and schedules, and triggering schedules.

use chrono::TimeDelta;
use rexecutor::{
    backend::{AuditObject, Control, Pause, Scope, control},
    job::ExecutorName,
    schedules::{self, SchedulesError},
};
use serde_json::{Value, json};

use crate::{access::Role, audit::Change, problem::Problem, request::Cx, shapes};

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

fn about(cx: &Cx, action: &'static str, scope: &Scope) -> Change {
    match scope {
        Scope::Executor(executor) => Change::new(cx, action, AuditObject::executor(executor)).of_executor(executor),
        Scope::Tag(tag) => Change::new(cx, action, AuditObject::tag(tag.clone())),
        _ => Change::new(cx, action, AuditObject::cluster()),
    }
}

/// How a scope is paused at present.
async fn standing(control: &dyn Control, scope: &Scope) -> Result<Value, Problem> {
    let paused = control.paused().await?;
    Ok(shapes::pause_state(paused.iter().find(|paused| paused.scope == *scope).map(|paused| &paused.pause)))
}

/// Pauses a scope, and records it with what was there before.
async fn pause_scope(cx: &Cx, scope: &Scope, pause: Pause) -> Result<(), Problem> {
    let control = control(cx.backend())?;
    let (before, after) = (standing(control, scope).await?, shapes::pause_state(Some(&pause)));
    let answer = control.pause(scope, pause).await;
    cx.record(about(cx, "pause", scope).changing(before, after).ended(&answer)).await;
    Ok(answer?)
}

/// Ends that; returns whether it was paused.
async fn resume_scope(cx: &Cx, scope: &Scope) -> Result<bool, Problem> {
    let control = control(cx.backend())?;
    let before = standing(control, scope).await?;
    let answer = control.resume(scope).await;
    cx.record(about(cx, "resume", scope).changing(before, shapes::pause_state(None)).ended(&answer)).await;
    Ok(answer?)
}

/// Pauses an executor, or the whole cluster.
pub(crate) async fn pause(cx: &Cx, executor: Option<ExecutorName>, reason: &str, minutes: &str) -> Result<(), Problem> {
    let scope = scope(cx, executor.as_ref())?;
    let pause = asked(cx, reason, minutes).await?;
    pause_scope(cx, &scope, pause).await
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
    pause_scope(cx, &tag_scope(tag), pause).await
}

/// Ends that; returns whether it was paused.
pub(crate) async fn resume_tag(cx: &Cx, tag: &str) -> Result<bool, Problem> {
    need_all(cx)?;
    resume_scope(cx, &tag_scope(tag)).await
}

/// Ends that; returns whether it was paused.
pub(crate) async fn resume(cx: &Cx, executor: Option<ExecutorName>) -> Result<bool, Problem> {
    resume_scope(cx, &scope(cx, executor.as_ref())?).await
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
    let was = match step {
        // What is gone cannot be looked up any more.
        Step::Remove => shapes::schedule(&entry),
        _ => shapes::pause_state(entry.paused.as_ref().map(|(_, pause)| pause)),
    };
    let (word, after, answer) = match step {
        Step::Pause { reason, minutes } => {
            let pause = asked(cx, reason, minutes).await?;
            let after = shapes::pause_state(Some(&pause));
            ("pause", after, schedules::pause_on_backend(name, pause, backend).await.map(|()| "pause"))
        }
        Step::Resume => {
            ("resume", shapes::pause_state(None), schedules::resume_on_backend(name, backend).await.map(|_| "resume"))
        }
        Step::Trigger => {
            let job = schedules::trigger_on_backend(name, by, backend).await;
            let after = json!({ "job": job.as_ref().ok().copied().flatten().map(|job| job.to_string()) });
            ("trigger", after, job.map(|job| if job.is_some() { "trigger" } else { "overlap" }))
        }
        Step::Remove => ("remove", Value::Null, schedules::remove_on_backend(name, backend).await.map(|()| "remove")),
    };
    let change = Change::new(cx, word, AuditObject::schedule(name)).of_executor(&entry.executor);
    cx.record(change.changing(was, after).ended(&answer)).await;
    Ok(answer?)
}
