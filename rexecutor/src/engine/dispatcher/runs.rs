//! Runs: starting them, and taking in how they ended.

use tracing::Instrument;

use super::{running::Slot, state::Dispatcher};
use crate::{
    context::JobContext,
    engine::{report::Report, run::attempt},
    model::{JobRow, Settlement},
};

impl Dispatcher {
    pub(super) fn start(&mut self, row: JobRow) {
        let Some(runner) = self.queues.runner(row.executor.as_str()) else { return };
        let (begin, breaker, span) = (runner.begin, runner.circuit_breaker, span(&row));
        let (id, lease, flow) = (row.id, row.lease, row.extras.flow);
        if lease.0 >= OFTEN && is_power_of_ten(lease.0) {
            tracing::warn!(job.id = %id, job.executor = runner.name, claims = lease.0, "a job is claimed again and again: nothing ends one that snoozes");
        }
        let context = JobContext::new(row, self.environment.clone());
        let slot = self.running.insert(context.clone());
        let (grace, ending) = (self.options.cancel_grace, self.ending.clone());
        let hooks = (!self.options.hooks.is_empty()).then(|| self.options.hooks.clone());
        let is_unseen = span.is_disabled();
        let task = async move {
            let report = Report::begin(&context, hooks);
            let outcome = attempt(begin, &context, grace).await;
            context.streamed().await;
            let stored = report.end(&context, &outcome);
            if !is_unseen {
                tracing::Span::current().record("job.outcome", stored);
            }
            drop(context);
            // The loop is gone only when the runtime is.
            let settlement = Settlement::new(id, lease, outcome).with_flow(flow).with_circuit_breaker(breaker);
            let _ = ending.send((slot, settlement));
        };
        // A span that nobody sees costs as much to enter and leave, again and again, as a small job.
        match is_unseen {
            true => tokio::spawn(task),
            false => tokio::spawn(task.instrument(span)),
        };
    }

    pub(super) fn end(&mut self, ended: Vec<(Slot, Settlement)>) {
        self.prefetch.ended(self.environment.clock.elapsed(), ended.len());
        for (slot, settlement) in ended {
            // A run that was given back while its thread went on is settled already.
            if let Some(run) = self.running.remove(slot, (settlement.id, settlement.lease)) {
                self.queues.ended(run.row());
                self.settlements.push(settlement);
            }
        }
    }
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
