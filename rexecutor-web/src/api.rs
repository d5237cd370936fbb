//! The same as the pages, as JSON. Numbers of jobs are texts: JavaScript cannot count as far.
//!
//! Changes need the header `x-requested-with`, which no form of another site can send.

use axum::{
    Json,
    extract::{FromRequestParts, Path, Query},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use rexecutor::{
    backend::{
        JobRow, Pause,
        observe::{Cluster, Count, Explanation, Standing},
    },
    clock::{Clock, SystemClock},
    job::{ExecutorName, JobStatus},
    schedule::{Origin, ScheduleEntry},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    actions::Action,
    app::Shared,
    format::iso,
    overview::{self, Overview},
    pages,
    problem::Problem,
    request::{Cx, is_of_another_site},
    search::Search,
    steer::{self, Step},
};

/// What goes wrong, as JSON.
pub(crate) struct Wrong(Problem);

impl<P: Into<Problem>> From<P> for Wrong {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        self.0.json()
    }
}

/// A request of a program that was let in.
pub(crate) struct Ask(Cx);

impl FromRequestParts<Shared> for Ask {
    type Rejection = Wrong;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Wrong> {
        let is_change = parts.method != axum::http::Method::GET;
        let is_marked = parts.headers.contains_key("x-requested-with") && !is_of_another_site(&parts.headers);
        if is_change && !is_marked {
            return Err(Problem::Invalid("Send the header `x-requested-with` with changes.".to_owned()).into());
        }
        Ok(Self(Cx::from_request_parts(parts, shared).await?))
    }
}

type Answer = Result<Json<Value>, Wrong>;

fn count(count: Count) -> Value {
    json!({ "count": count.jobs, "is_least": count.is_least })
}

fn pause(since: chrono::DateTime<Utc>, pause: &Pause) -> Value {
    json!({ "since": iso(since), "by": pause.by, "reason": pause.reason, "until": pause.until.map(iso) })
}

fn seconds(time: chrono::TimeDelta) -> f64 {
    time.as_seconds_f64()
}

pub(crate) async fn overview(Ask(cx): Ask) -> Answer {
    let seen = Overview::read(&cx).await?;
    let attention =
        seen.attention.iter().map(|one| json!({ "what": one.what, "why": one.why, "link": cx.link(&one.link) }));
    let total = |status: &JobStatus| match cx.access.executors() {
        None => seen.counts.total(*status),
        Some(names) => names.iter().fold(Count::default(), |sum, name| sum.plus(seen.counts.of(name, *status))),
    };
    let counts: Map<String, Value> =
        JobStatus::ALL.iter().map(|status| (status.to_string(), count(total(status)))).collect();
    let recent = &seen.recent;
    let quantiles = |times: overview::Quantiles| json!({ "p50": times.p50.map(seconds), "p95": times.p95.map(seconds), "p99": times.p99.map(seconds) });
    Ok(Json(json!({
        "now": iso(seen.cluster.now),
        "attention": attention.collect::<Vec<_>>(),
        "counts": counts,
        "finished": {
            "since": iso(recent.since), "is_cut": recent.is_cut, "jobs": recent.jobs.len(), "discarded": recent.discarded(),
            "wait_seconds": quantiles(recent.wait), "run_seconds": quantiles(recent.run),
        },
        "executors": seen.cluster.executors.iter().map(|one| standing(one, &seen.cluster)).collect::<Vec<_>>(),
    })))
}

fn job_of(cx: &Cx, job: &JobRow) -> Value {
    let text = |text: &String| cx.shown(job, text);
    let error = |error: &rexecutor::job::JobError| json!({ "attempt": error.attempt, "type": error.error_type.as_str(), "details": error.details, "at": iso(error.recorded_at) });
    json!({
        "id": job.id.to_string(), "executor": job.executor.as_str(), "status": job.status,
        "data": text(&job.data), "metadata": job.metadata.as_ref().map(text), "output": job.extras.output.as_ref().map(text),
        "attempt": job.attempt, "max_attempts": job.max_attempts, "priority": job.priority, "tags": job.tags,
        "node": job.node.map(|node| node.to_string()), "key": job.extras.group_key,
        "cancel_reason": job.extras.cancel_reason,
        "inserted_at": iso(job.inserted_at), "scheduled_at": iso(job.scheduled_at),
        "attempted_at": job.attempted_at.map(iso), "finished_at": job.finished_at().map(iso),
        "deadline": job.deadline().map(iso), "errors": job.errors.iter().map(error).collect::<Vec<_>>(),
    })
}

pub(crate) async fn jobs(Ask(cx): Ask, Query(parameters): Query<Vec<(String, String)>>) -> Answer {
    let search = Search::read(&parameters)?;
    let page = cx.observe()?.page(&search.request(&cx, SystemClock.now())?).await?;
    Ok(Json(json!({
        "jobs": page.jobs.iter().map(|job| job_of(&cx, job)).collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()), "is_partial": page.is_partial, "now": iso(page.now),
    })))
}

fn explanation(why: &Explanation) -> Value {
    let evidence: Map<String, Value> =
        why.evidence.iter().map(|(what, fact)| ((*what).to_owned(), json!(fact))).collect();
    json!({ "reason": why.reason.as_str(), "sentence": why.to_string(), "evidence": evidence, "at": iso(why.now) })
}

pub(crate) async fn job(Ask(cx): Ask, Path(id): Path<String>) -> Answer {
    let job = cx.job(pages::job::number(&id)?).await?;
    let why = pages::job::why(&cx, &job).await?;
    let mut shown = job_of(&cx, &job);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("why".to_owned(), explanation(&why));
    }
    Ok(Json(shown))
}

/// What a change says beside its address. All of it may be left out that the change does not need.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Asked {
    reason: String,
    priority: Option<u16>,
    minutes: Option<u32>,
    executor: Option<String>,
    name: String,
}

impl Asked {
    fn minutes(&self) -> String {
        self.minutes.map_or(String::new(), |minutes| minutes.to_string())
    }
}

pub(crate) async fn change_job(
    Ask(cx): Ask,
    Path((id, action)): Path<(String, String)>,
    Json(asked): Json<Asked>,
) -> Answer {
    let priority = asked.priority.map_or(String::new(), |priority| priority.to_string());
    let action = Action::read(&action, &asked.reason, &priority)?;
    let id = pages::job::number(&id)?;
    action.perform(&cx, &cx.job(id).await?).await?;
    Ok(Json(json!({ "id": id.to_string(), "done": action.as_str() })))
}

fn standing(one: &Standing, cluster: &Cluster) -> Value {
    let controls = &one.controls;
    let rate = controls.bucket.map(|bucket| {
        let next = (bucket.tokens(cluster.now) == 0).then(|| iso(bucket.next_token_at(cluster.now)));
        json!({ "interval_seconds": seconds(chrono::TimeDelta::nanoseconds(bucket.interval)), "burst": bucket.burst,
            "tokens": bucket.tokens(cluster.now), "next_token_at": next })
    });
    let key_rate = controls.key_rate.map(|rate| {
        json!({ "interval_seconds": seconds(chrono::TimeDelta::nanoseconds(rate.interval)), "burst": rate.burst })
    });
    let until = controls.throttled_until.filter(|until| *until > cluster.now);
    json!({
        "executor": one.executor.as_str(), "running": one.running, "nodes": one.nodes,
        "due": count(one.queue.due), "waiting": count(one.queue.waiting),
        "first_due_at": one.queue.first_due_at.map(iso),
        "oldest_wait_seconds": one.oldest_wait(cluster.now).map(seconds),
        "paused": one.paused.as_ref().map(|paused| pause(paused.since, &paused.pause)),
        "max_running": controls.concurrency.map(|concurrency| concurrency.limit), "max_per_key": controls.per_key,
        "rate": rate, "key_rate": key_rate, "weighs": controls.weighs, "throttled_until": until.map(iso),
    })
}

pub(crate) async fn executors(Ask(cx): Ask) -> Answer {
    let cluster = cx.observe()?.cluster().await?;
    let seen = cluster.executors.iter().filter(|one| cx.access.sees(&one.executor));
    Ok(Json(json!({
        "now": iso(cluster.now),
        "paused": cluster.paused.as_ref().map(|paused| pause(paused.since, &paused.pause)),
        "executors": seen.map(|one| standing(one, &cluster)).collect::<Vec<_>>(),
    })))
}

/// `pause` or `resume`, of an executor, or of the whole cluster where none is named.
pub(crate) async fn change_executor(Ask(cx): Ask, Path(action): Path<String>, Json(asked): Json<Asked>) -> Answer {
    let executor = asked.executor.clone().map(ExecutorName::from);
    let was = match action.as_str() {
        "pause" => steer::pause(&cx, executor, &asked.reason, &asked.minutes()).await.map(|()| None)?,
        "resume" => Some(steer::resume(&cx, executor).await?),
        _ => return Err(Problem::NotFound("There is no such action.".to_owned()).into()),
    };
    Ok(Json(json!({ "done": action, "was_paused": was })))
}

fn entry(entry: &ScheduleEntry) -> Value {
    json!({
        "name": entry.name, "executor": entry.executor.as_str(), "expression": entry.expression,
        "timezone": entry.timezone, "description": entry.description,
        "origin": if entry.origin == Origin::Code { "code" } else { "run_time" }, "declared_by": entry.declared_by,
        "is_orphaned": entry.is_orphaned, "waiting": entry.waiting,
        "paused": entry.paused.as_ref().map(|(since, paused)| pause(*since, paused)),
        "last_tick": entry.last_tick.map(iso), "next_tick": entry.next_tick.map(iso),
    })
}

pub(crate) async fn schedules(Ask(cx): Ask) -> Answer {
    let entries = overview::schedules(&cx).await?;
    Ok(Json(json!({ "schedules": entries.iter().map(entry).collect::<Vec<_>>() })))
}

/// `pause`, `resume`, `trigger` or `remove`, of the entry that is named.
pub(crate) async fn change_schedule(Ask(cx): Ask, Path(action): Path<String>, Json(asked): Json<Asked>) -> Answer {
    let minutes = asked.minutes();
    let step = match action.as_str() {
        "pause" => Step::Pause { reason: &asked.reason, minutes: &minutes },
        "resume" => Step::Resume,
        "trigger" => Step::Trigger,
        "remove" => Step::Remove,
        _ => return Err(Problem::NotFound("There is no such action.".to_owned()).into()),
    };
    let done = steer::schedule(&cx, &asked.name, step).await?;
    Ok(Json(json!({ "done": done })))
}

pub(crate) async fn nodes(Ask(cx): Ask) -> Answer {
    let cluster = cx.observe()?.cluster().await?;
    let nodes = cluster.nodes.iter().map(|node| {
        let executors = node.executors.as_ref().map(|names| {
            names.iter().filter(|name| cx.access.sees(name)).map(ExecutorName::as_str).collect::<Vec<_>>()
        });
        json!({
            "node": node.node.to_string(), "label": node.label, "host": node.about.host, "pid": node.about.pid,
            "version": node.about.version, "slots": node.about.slots, "running": cluster.running_on(node.node),
            "since": iso(node.since), "seen_at": iso(node.seen_at), "is_silent": node.is_silent(cluster.now),
            "executors": executors,
        })
    });
    Ok(Json(json!({ "now": iso(cluster.now), "nodes": nodes.collect::<Vec<_>>() })))
}

pub(crate) async fn dead(Ask(cx): Ask) -> Answer {
    let (groups, is_cut, now) = pages::dead::groups(&cx).await?;
    let groups = groups.iter().map(|group| {
        json!({
            "executor": group.executor.as_str(), "type": group.error_type, "headline": group.headline, "jobs": group.jobs,
            "last": { "id": group.last.0.to_string(), "at": iso(group.last.1) }, "first_at": iso(group.first_at),
        })
    });
    Ok(Json(json!({ "now": iso(now), "is_cut": is_cut, "groups": groups.collect::<Vec<_>>() })))
}

/// There is no such answer.
pub(crate) async fn missing(Ask(_): Ask) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "There is no such address." }))).into_response()
}
