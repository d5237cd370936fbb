//! Runs: starting them, and taking in how they ended.

use std::time::Duration;

use tracing::Instrument;

use super::{running::Ended, state::Dispatcher};
use crate::{
    clock::Clock,
    context::{self, JobContext},
    engine::{report::Report, run::attempt},
    model::{JobRow, RunEnd, Settlement},
};

impl Dispatcher {
    pub(super) fn start(&mut self, row: JobRow) {
        let Some(runner) = self.queues.runner(row.executor.as_str()) else { return };
        let (begin, span) = (runner.begin, span(&row));
        let key @ (id, lease) = (row.id, row.lease);
        if lease.0 >= OFTEN && is_power_of_ten(lease.0) {
            tracing::warn!(job.id = %id, job.executor = runner.name, claims = lease.0, "a job is claimed again and again: nothing ends one that snoozes");
        }
        let context = JobContext::new(row, self.environment.clone());
        let slot = self.running.insert(context.clone());
        let (grace, ending) = (self.options.cancel_grace, self.ending.clone());
        let middleware = self.options.middleware.clone();
        let hooks = (!self.options.hooks.is_empty()).then(|| self.options.hooks.clone());
        let is_unseen = span.is_disabled();
        // In a box: on its way into a task it is moved ten times.
        let task = Box::pin(async move {
            let report = Report::begin(&context, hooks);
            let outcome = attempt(begin, &context, grace, &middleware).await;
            context.streamed().await;
            let (end, took) = report.end(&context, &outcome);
            if !is_unseen {
                tracing::Span::current().record("job.outcome", end.as_str());
            }
            drop(context);
            // The loop is gone only when the runtime is.
            let _ = ending.send(Ended { slot, key, outcome, end, took });
        });
        // A span that nobody sees costs as much to enter and leave, again and again, as a small job.
        match is_unseen {
            true => tokio::spawn(task),
            false => tokio::spawn(task.instrument(span)),
        };
    }

    pub(super) fn end(&mut self, ended: Vec<Ended>) {
        let now = self.environment.clock.elapsed();
        self.prefetch.ended(now, ended.len());
        let mut runs = Vec::with_capacity(ended.len());
        for Ended { slot, key, outcome, end, took } in ended {
            // A run that was given back while its thread went on is settled already.
            if let Some(run) = self.running.remove(slot, key) {
                let row = run.row();
                let breaker = self.queues.ended(row).and_then(|runner| runner.circuit_breaker);
                let settlement = Settlement::new(row.id, row.lease, outcome).with_flow_of(row);
                self.settlements.push(settlement.with_circuit_breaker(breaker));
                runs.push((run, end, took));
            }
        }
        self.environment.recorder.record(now, runs.iter().map(|(run, end, took)| counted(run.row(), *end, *took)));
    }
}

/// What is counted of a run.
fn counted(row: &JobRow, end: RunEnd, run: Duration) -> context::Ended<'_> {
    // Both by the backend's clock.
    let began = row.attempted_at.unwrap_or(row.scheduled_at).timestamp_micros();
    let wait = began.saturating_sub(row.scheduled_at.timestamp_micros());
    let wait = u64::try_from(wait).map(Duration::from_micros).unwrap_or_default();
    context::Ended { executor: &row.executor, end, run, wait }
}

/// From so many claims of one job on the log tells of it, and again at each tenfold. Nothing else ends a job that only snoozes.
const OFTEN: i64 = 1_000;

fn is_power_of_ten(mut number: i64) -> bool {
    while number % 10 == 0 && number > 0 {
        number /= 10;
    }
    number == 1
}

fn span(row: &JobRow) -> tracing::Span {
    tracing::info_span!(
        "job.run",
        job.id = row.id.as_i64(),
        job.executor = row.executor.as_str(),
        job.attempt = row.attempt,
        job.outcome = tracing::field::Empty,
    )
}
