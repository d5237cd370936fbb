//! What is told as JSON, by the API and by the command `rexecutor`: jobs, executors, nodes, schedules.
//!
//! Numbers of jobs and nodes are texts, because JavaScript cannot count as far. Instants are in UTC, with microseconds.

use chrono::Utc;
use rexecutor::{
    backend::{
        AuditRecord, JobRow, Pause, Paused, Scope,
        flows::ListedFlow,
        observe::{Cluster, Count, Explanation, SeenNode, Standing},
    },
    history::{Histogram, Point, RunEnd},
    job::ExecutorName,
    schedule::{Origin, ScheduleEntry},
};
use serde_json::{Map, Value, json};

use crate::{format::iso, groups::Group, overview::Quantiles};

/// An instant, as it stands in all of these.
pub fn instant(at: chrono::DateTime<Utc>) -> String {
    iso(at)
}

/// How many, and whether there may be more.
pub fn count(count: Count) -> Value {
    json!({ "count": count.jobs, "is_least": count.is_least })
}

/// Since when something is paused, by whom, why, and until when.
pub fn pause(since: chrono::DateTime<Utc>, pause: &Pause) -> Value {
    json!({ "since": iso(since), "by": pause.by, "reason": pause.reason, "until": pause.until.map(iso) })
}

/// Whether something is paused: by whom, why and until when, as the audit log has it.
pub fn pause_state(pause: Option<&Pause>) -> Value {
    pause.map_or_else(
        || json!({ "paused": false }),
        |pause| json!({ "paused": true, "by": pause.by, "reason": pause.reason, "until": pause.until.map(iso) }),
    )
}

/// A tag that is paused.
pub fn tag(paused: &Paused) -> Value {
    let tag = match &paused.scope {
        Scope::Tag(tag) => tag.clone(),
        scope => scope.to_string(),
    };
    json!({ "tag": tag, "paused": pause(paused.since, &paused.pause) })
}

fn seconds(time: chrono::TimeDelta) -> f64 {
    time.as_seconds_f64()
}

/// What half, 95 and 99 of a hundred are below, in seconds.
pub fn quantiles(times: Quantiles) -> Value {
    json!({ "p50": times.p50.map(seconds), "p95": times.p95.map(seconds), "p99": times.p99.map(seconds) })
}

/// A job; `shown` gives what is shown of its data, metadata and output.
pub fn job(job: &JobRow, shown: impl Fn(&str) -> String) -> Value {
    let text = |text: &String| shown(text);
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

/// Why a job is not running.
pub fn explanation(why: &Explanation) -> Value {
    let evidence: Map<String, Value> =
        why.evidence.iter().map(|(what, fact)| ((*what).to_owned(), json!(fact))).collect();
    json!({ "reason": why.reason.as_str(), "sentence": why.to_string(), "evidence": evidence, "at": iso(why.now) })
}

/// An executor, and how it stands.
pub fn executor(one: &Standing, cluster: &Cluster) -> Value {
    let controls = &one.controls;
    let rate = controls.bucket.map(|bucket| {
        let next = (bucket.tokens(cluster.now) == 0).then(|| iso(bucket.next_token_at(cluster.now)));
        json!({ "interval_seconds": seconds(chrono::TimeDelta::nanoseconds(bucket.interval)), "burst": bucket.burst,
            "tokens": bucket.tokens(cluster.now), "next_token_at": next })
    });
    let key_rate = controls.key_rate.map(|rate| {
        json!({ "interval_seconds": seconds(chrono::TimeDelta::nanoseconds(rate.interval)), "burst": rate.burst })
    });
    let breaker = controls.breaker.as_ref().map(|held| {
        let state = match (cluster.now < held.open.until, held.is_tried) {
            (true, _) => "open",
            (false, true) => "on_trial",
            (false, false) => "half_open",
        };
        json!({ "state": state, "since": iso(held.open.since), "until": iso(held.open.until), "reason": held.open.reason })
    });
    let until = controls.throttled_until.filter(|until| *until > cluster.now);
    json!({
        "executor": one.executor.as_str(), "running": one.running, "nodes": one.nodes,
        "due": count(one.queue.due), "waiting": count(one.queue.waiting),
        "first_due_at": one.queue.first_due_at.map(iso),
        "oldest_wait_seconds": one.oldest_wait(cluster.now).map(seconds),
        "paused": one.paused.as_ref().map(|paused| pause(paused.since, &paused.pause)),
        "circuit_breaker": breaker,
        "max_running": controls.concurrency.map(|concurrency| concurrency.limit), "max_per_key": controls.per_key,
        "rate": rate, "key_rate": key_rate, "weighs": controls.weighs,
        "aging_seconds": controls.aging.map(|aging| aging.as_secs_f64()), "throttled_until": until.map(iso),
    })
}

/// How jobs went in a step of time: how many runs, by how they ended, and how long they had waited and, if completed, took.
pub fn point(point: &Point) -> Value {
    let ended = |end: &&RunEnd| point.count(**end) > 0;
    let ends: Map<String, Value> =
        RunEnd::ALL.iter().filter(ended).map(|end| (end.to_string(), point.count(*end).into())).collect();
    let times = |times: &Histogram| {
        let share = |share: f64| times.quantile(share).map(|time| time.as_secs_f64());
        json!({ "p50": share(0.5), "p95": share(0.95), "p99": share(0.99) })
    };
    json!({
        "at": iso(point.at()), "runs": point.runs(), "failures": point.failures(), "ends": ends,
        "wait_seconds": times(&point.wait()), "run_seconds": times(&point.run_of(RunEnd::Completed)),
    })
}

/// A schedule entry.
pub fn schedule(entry: &ScheduleEntry) -> Value {
    json!({
        "name": entry.name, "executor": entry.executor.as_str(), "expression": entry.expression,
        "timezone": entry.timezone, "description": entry.description,
        "origin": if entry.origin == Origin::Code { "code" } else { "run_time" }, "declared_by": entry.declared_by,
        "is_orphaned": entry.is_orphaned, "waiting": entry.waiting,
        "paused": entry.paused.as_ref().map(|(since, paused)| pause(*since, paused)),
        "last_tick": entry.last_tick.map(iso), "next_tick": entry.next_tick.map(iso),
    })
}

/// A node; of the executors that it runs those that `sees` lets through.
pub fn node(node: &SeenNode, cluster: &Cluster, sees: impl Fn(&ExecutorName) -> bool) -> Value {
    let executors = node.executors.as_ref();
    let executors =
        executors.map(|names| names.iter().filter(|name| sees(name)).map(ExecutorName::as_str).collect::<Vec<_>>());
    json!({
        "node": node.node.to_string(), "label": node.label, "host": node.about.host, "pid": node.about.pid,
        "version": node.about.version, "slots": node.about.slots, "running": cluster.running_on(node.node),
        "since": iso(node.since), "seen_at": iso(node.seen_at), "is_silent": node.is_silent(cluster.now),
        "paused": node.paused.as_ref().map(|paused| pause(paused.since, &paused.pause)),
        "executors": executors,
    })
}

/// A workflow or batch, as a list has it.
pub fn flow(listed: &ListedFlow) -> Value {
    let flow = &listed.flow;
    json!({
        "id": listed.id.to_string(), "kind": if flow.is_workflow() { "workflow" } else { "batch" }, "name": flow.name(),
        "is_open": flow.end().is_none(), "counts": listed.counts, "is_least": listed.is_least,
        "cancelled": flow.cancelled(), "created_at": iso(listed.created_at), "finished_at": flow.finished_at().map(iso),
    })
}

/// A change that somebody has made, or tried to. What was there before and after is JSON in itself.
pub fn audit(record: &AuditRecord) -> Value {
    let entry = &record.entry;
    let json = |text: &Option<String>| {
        text.as_ref().map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())))
    };
    json!({
        "id": record.id.to_string(), "at": iso(record.at), "by": entry.by, "via": entry.via, "action": entry.action,
        "object": { "kind": entry.object.kind, "id": entry.object.id },
        "executor": entry.executor.as_ref().map(ExecutorName::as_str),
        "before": json(&entry.before), "after": json(&entry.after), "error": entry.error,
        "kept_until": iso(entry.kept_until(record.at)),
    })
}

/// Discarded jobs that failed alike.
pub fn group(group: &Group) -> Value {
    json!({
        "executor": group.executor.as_str(), "type": group.error_type, "headline": group.headline, "jobs": group.jobs,
        "last": { "id": group.last.0.to_string(), "at": iso(group.last.1) }, "first_at": iso(group.first_at),
    })
}
