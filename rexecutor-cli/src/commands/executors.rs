//! Executors: how they stand, pausing them, and their limits.

use chrono::{DateTime, TimeDelta, Utc};
use clap::{ArgGroup, Args, Subcommand};
use rexecutor::{
    backend::{AuditEntry, AuditObject, ChangedLimits, LimitChange, Rate, Scope, control, observe::Standing},
    cluster,
    job::ExecutorName,
};
use rexecutor_web::{shapes, views};
use serde_json::{Value, json};

use super::pause::PauseArgs;
use crate::{args::name, failure::Failure, output::table, session::Session, time};

/// Executors: how they stand, pausing them, and their limits
#[derive(Debug, Subcommand)]
pub(crate) enum Executors {
    /// The executors that nodes run, or that have jobs
    List,
    /// Stops the claiming of its jobs, on every node
    Pause {
        #[arg(value_parser = name)]
        executor: String,
        #[command(flatten)]
        args: PauseArgs,
    },
    /// Ends that
    Resume {
        #[arg(value_parser = name)]
        executor: String,
    },
    /// Sets limits for all nodes, in place of those that programs declare; what was set before and is not named here stays
    SetLimits(Limits),
    /// Ends what was set: what programs declare holds again
    ResetLimits {
        #[arg(value_parser = name)]
        executor: String,
    },
    /// The limits that were set, since when, by whom and why
    Limits,
}

#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("limit").required(true).multiple(true).args(["cluster_concurrency", "key_concurrency", "rate", "key_rate"])))]
pub(crate) struct Limits {
    #[arg(value_parser = name)]
    executor: String,
    /// The most jobs that run at once, on all nodes together
    #[arg(long, value_name = "COUNT")]
    cluster_concurrency: Option<usize>,
    /// The most jobs of one key that run at once
    #[arg(long, value_name = "COUNT")]
    key_concurrency: Option<usize>,
    /// How many jobs start in how much time: 100/1m
    #[arg(long, value_parser = rate)]
    rate: Option<Rate>,
    /// With --rate: how many may start at once when none has for a while
    #[arg(long, requires = "rate", value_name = "COUNT")]
    burst: Option<u32>,
    /// How many jobs of one key start in how much time: 5/1s
    #[arg(long, value_parser = rate)]
    key_rate: Option<Rate>,
    /// Why, for whoever wonders
    #[arg(long, default_value = "")]
    reason: String,
}

fn rate(text: &str) -> Result<Rate, String> {
    let problem = || format!("`{text}` is no rate; write 100/1m");
    let (jobs, period) = text.split_once('/').ok_or_else(problem)?;
    let jobs = jobs.parse().map_err(|_| problem())?;
    let span: TimeDelta = time::span(period).or_else(|_| time::span(&format!("1{period}"))).map_err(|_| problem())?;
    let rate = Rate::new(jobs, span.to_std().unwrap_or_default());
    rate.check().map(|()| rate).map_err(str::to_owned)
}

pub(crate) async fn run(session: &Session, what: Executors) -> Result<(), Failure> {
    match what {
        Executors::List => list(session).await,
        Executors::Pause { executor, args } => {
            let pause = args.pause(session).await?;
            let scope = Scope::Executor(ExecutorName::from(executor.clone()));
            let what = format!("pause the executor `{executor}`");
            let backend = session.change_pause(&what, &scope, Some(&pause)).await?;
            control(backend)?.pause(&scope, pause.clone()).await?;
            if pause.cancels_running {
                cancel_running(backend, &scope, &pause.reason).await?;
            }
            session
                .output
                .answer(&json!({ "done": "pause", "executor": executor }), || format!("`{executor}` is paused"))
        }
        Executors::Resume { executor } => {
            let scope = Scope::Executor(ExecutorName::from(executor.clone()));
            let backend = session.change_pause(&format!("resume the executor `{executor}`"), &scope, None).await?;
            let was = control(backend)?.resume(&scope).await?;
            let json = json!({ "done": "resume", "executor": executor, "was_paused": was });
            session.output.answer(&json, || match was {
                true => format!("`{executor}` is resumed"),
                false => format!("`{executor}` was not paused"),
            })
        }
        Executors::SetLimits(limits) => set(session, limits).await,
        Executors::ResetLimits { executor } => {
            let name = ExecutorName::from(executor.clone());
            let before = set_limits(session, &name).await?;
            let entry = entry(session, "reset-limits", &name).with_before(before.to_string());
            let backend = session.change(&format!("reset the limits of `{executor}`"), entry)?;
            let was = cluster::reset_limits_on_backend(executor.clone(), backend).await?;
            let json = json!({ "done": "reset-limits", "executor": executor, "were_set": was });
            session.output.answer(&json, || match was {
                true => format!("the limits of `{executor}` are as programs declare them"),
                false => format!("no limits of `{executor}` were set"),
            })
        }
        Executors::Limits => self::limits(session).await,
    }
}

async fn cancel_running(backend: &rexecutor_sqlx::AnyBackend, scope: &Scope, reason: &str) -> Result<(), Failure> {
    use rexecutor::backend::{AmendError, Inspect};
    for (executor, job) in control(backend)?.running(scope).await? {
        match backend.cancel(&executor, job, reason.to_owned()).await {
            // It has ended meanwhile.
            Ok(()) | Err(AmendError::Refused { .. } | AmendError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn set(session: &Session, limits: Limits) -> Result<(), Failure> {
    let Limits { executor, cluster_concurrency, key_concurrency, rate, burst, key_rate, reason } = limits;
    let mut change = LimitChange::new(reason).by(session.by.clone());
    let known = cluster::limits_on_backend(session.read()).await?;
    if let Some(known) = known.into_iter().find(|known| known.executor.as_str() == executor) {
        change.limits = known.change.limits;
    }
    change = cluster_concurrency.map_or(change.clone(), |most| change.cluster_concurrency(most));
    change = key_concurrency.map_or(change.clone(), |most| change.key_concurrency(most));
    if let Some(rate) = rate {
        change = change.rate_limit(burst.map_or(rate, |burst| rate.with_burst(burst)));
    }
    change = key_rate.map_or(change.clone(), |rate| change.key_rate_limit(rate));
    let name = ExecutorName::from(executor.clone());
    change.check(&name).map_err(|error| Failure::usage(format!("{error:?}")))?;
    let before = set_limits(session, &name).await?;
    let entry = entry(session, "set-limits", &name).with_before(before.to_string());
    let backend = session.change(&format!("set limits of `{executor}`"), entry)?;
    cluster::set_limits_on_backend(name.clone(), change, backend).await?;
    session.changes.end(&set_limits(session, &name).await?);
    session.output.answer(&json!({ "done": "set-limits", "executor": executor }), || {
        format!("the limits of `{executor}` are set, until `executors reset-limits`")
    })
}

fn entry(session: &Session, action: &str, executor: &ExecutorName) -> AuditEntry {
    session.entry(action, AuditObject::executor(executor)).with_executor(Some(executor.clone()))
}

/// The limits of an executor that are set.
async fn set_limits(session: &Session, executor: &ExecutorName) -> Result<Value, Failure> {
    let set = cluster::limits_on_backend(session.read()).await?;
    Ok(set.iter().find(|one| one.executor == *executor).map_or(Value::Null, shape))
}

fn shape(one: &ChangedLimits) -> Value {
    let rate =
        |rate: Rate| json!({ "jobs": rate.jobs, "period_seconds": rate.period.as_secs_f64(), "burst": rate.burst });
    let limits = one.change.limits;
    json!({
        "executor": one.executor.as_str(), "since": shapes::instant(one.since), "by": one.change.by,
        "reason": one.change.reason, "max_running": limits.concurrency, "max_per_key": limits.per_key,
        "rate": limits.rate.map(rate), "key_rate": limits.key_rate.map(rate),
    })
}

async fn limits(session: &Session) -> Result<(), Failure> {
    let set = cluster::limits_on_backend(session.read()).await?;
    let json: Vec<Value> = set.iter().map(shape).collect();
    session.output.answer(&json!({ "limits": json }), || {
        if set.is_empty() {
            return "no limits are set".to_owned();
        }
        let number = |limit: Option<usize>| limit.map_or(String::new(), |limit| limit.to_string());
        let rows = set.iter().map(|one| {
            let (change, limits) = (&one.change, one.change.limits);
            let rate =
                |rate: Option<Rate>| rate.map_or(String::new(), |rate| format!("{}/{:?}", rate.jobs, rate.period));
            let by = change.by.clone().unwrap_or_default();
            vec![
                one.executor.to_string(),
                number(limits.concurrency),
                number(limits.per_key),
                rate(limits.rate),
                rate(limits.key_rate),
                by,
                change.reason.clone(),
            ]
        });
        table(&["executor", ">running", ">per key", "rate", "rate per key", "by", "reason"], rows)
    })
}

async fn list(session: &Session) -> Result<(), Failure> {
    let cluster = session.observe()?.cluster().await?;
    let executors = cluster.executors.iter().map(|one| shapes::executor(one, &cluster)).collect::<Vec<_>>();
    let json = json!({
        "now": shapes::instant(cluster.now), "executors": executors,
        "paused": cluster.paused.as_ref().map(|paused| shapes::pause(paused.since, &paused.pause)),
    });
    session.output.answer(&json, || {
        let whole = cluster
            .paused
            .as_ref()
            .map_or(String::new(), |paused| format!("the whole cluster is paused: {}\n", paused.pause.reason));
        match cluster.executors.is_empty() {
            true => format!("{whole}no executors"),
            false => {
                let rows = cluster.executors.iter().map(|one| row(one, cluster.now));
                format!("{whole}{}", table(&HEADINGS, rows))
            }
        }
    })
}

/// What stands over the rows of executors.
pub(super) const HEADINGS: [&str; 7] = ["executor", "", ">running", ">due", ">waiting", ">oldest", ">nodes"];

pub(super) fn row(one: &Standing, now: DateTime<Utc>) -> Vec<String> {
    let oldest = one.oldest_wait(now).map_or(String::new(), views::span);
    let most = one.controls.concurrency.map_or(String::new(), |limit| format!("/{}", limit.limit));
    vec![
        one.executor.to_string(),
        state(one).to_owned(),
        format!("{}{most}", one.running),
        one.queue.due.to_string(),
        one.queue.waiting.to_string(),
        oldest,
        one.nodes.to_string(),
    ]
}

/// Whether it is paused, by somebody or by its circuit breaker.
fn state(one: &Standing) -> &'static str {
    match (&one.paused, &one.controls.breaker) {
        (Some(_), _) => "paused",
        (None, Some(_)) => "circuit breaker",
        (None, None) => "",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_is_jobs_and_a_time() {
        assert_eq!(rate("100/1m"), Ok(Rate::new(100, Duration::from_secs(60))));
        assert_eq!(rate("5/s"), Ok(Rate::new(5, Duration::from_secs(1))));
        for wrong in ["", "100", "0/1m", "x/1m", "1/0s", "-1/s", "1/1w"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
