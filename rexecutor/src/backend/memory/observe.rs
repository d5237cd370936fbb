//! What a dashboard shows.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready, store::Store};
use crate::{
    backend::{
        bucket::Bucket,
        lifecycle,
        observe::{Cluster, Count, Counts, JobsPage, JobsRequest, KeyStanding, Observe, Queue, SeenNode, Stored},
        rotation::KeyRate,
    },
    model::{BackendError, ExecutorName, JobRow, JobStatus, Paused, Result, Scope},
};

impl Observe for InMemoryBackend {
    fn page<'a>(&'a self, request: &'a JobsRequest) -> BoxFuture<'a, Result<JobsPage>> {
        if let Err(error) = request.filter.check() {
            return ready(Err(BackendError::filter(error)));
        }
        let (store, now) = self.store();
        let JobsRequest { filter, order, after, .. } = request;
        let is_wanted = |row: &&JobRow| {
            let is_behind = |position| after.is_none_or(|after| order.is_behind(position, after));
            order.position(row).is_some_and(is_behind) && filter.matches(row, now)
        };
        let mut jobs: Vec<&JobRow> = store.rows().filter(is_wanted).collect();
        jobs.sort_by(|one, other| match order.position(one).zip(order.position(other)) {
            Some((one, other)) if order.is_behind(one, other) => std::cmp::Ordering::Greater,
            Some((one, other)) if one != other => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Equal,
        });
        let is_last = jobs.len() <= request.size();
        let jobs: Vec<JobRow> = jobs.into_iter().take(request.size()).cloned().collect();
        let next = jobs.last().filter(|_| !is_last).and_then(|last| order.position(last));
        ready(Ok(JobsPage::full(jobs, next, now)))
    }

    /// It counts all: they are in memory.
    fn counts(&self, _cap: usize) -> BoxFuture<'_, Result<Counts>> {
        let (store, _) = self.store();
        let mut numbers = BTreeMap::<(JobStatus, ExecutorName), usize>::new();
        for row in store.rows() {
            *numbers.entry((row.status, row.executor.clone())).or_default() += 1;
        }
        let mut counts = Counts::default();
        for ((status, executor), jobs) in numbers {
            counts.add_one(status, executor, Count::exact(jobs));
        }
        ready(Ok(counts))
    }

    fn cluster(&self) -> BoxFuture<'_, Result<Cluster>> {
        let (store, now) = self.store();
        let mut runs = BTreeMap::new();
        for row in store.rows().filter(|row| row.status == JobStatus::Executing) {
            if let Some(node) = row.node {
                *runs.entry((node, row.executor.clone())).or_default() += 1;
            }
        }
        let mut queues = BTreeMap::<ExecutorName, (usize, usize, Option<DateTime<Utc>>)>::new();
        for row in store.rows().filter(|row| row.status.is_pending()) {
            let (waiting, due, first) = queues.entry(row.executor.clone()).or_default();
            *waiting += 1;
            *due += usize::from(lifecycle::is_due(row, now));
            *first = Some(first.map_or(row.scheduled_at, |first| row.scheduled_at.min(first)));
        }
        let queue = |(name, (waiting, due, first))| (name, Queue::new(waiting, due, first, Queue::MOST));
        let queues = queues.into_iter().map(queue).collect();
        let nodes = store.seen_nodes();
        ready(Ok(Cluster::new(now, nodes, runs, store.stored(), queues).with_paused_tags(store.tag_pauses(now))))
    }

    fn key<'a>(&'a self, executor: &'a ExecutorName, key: &'a str) -> BoxFuture<'a, Result<KeyStanding>> {
        let (store, _) = self.store();
        let is_of_key = |row: &&JobRow| row.executor == *executor && row.extras.group_key.as_deref() == Some(key);
        let is_running = |row: &&JobRow| row.status == JobStatus::Executing;
        let of_key: Vec<&JobRow> = store.rows().filter(is_of_key).collect();
        let in_line = of_key.iter().filter(|row| row.stands_in_line());
        let first = in_line.min_by_key(|row| (row.status != JobStatus::Executing, row.id));
        let running = of_key.iter().copied().filter(is_running).count();
        let kept = store.key_buckets.get(&(executor.clone(), key.to_owned())).copied();
        ready(Ok(KeyStanding::new(running, first.map(|row| (row.id, row.status))).with_kept(kept.unwrap_or_default())))
    }
}

impl Store {
    fn seen_nodes(&self) -> Vec<SeenNode> {
        let seen = self.nodes.iter().map(|(node, joined)| {
            let mut seen = SeenNode::new(*node, joined.label.clone(), joined.since);
            seen.about = joined.about.clone();
            (seen.seen_at, seen.timeout) = (joined.seen_at, joined.member.timeout);
            seen.executors.clone_from(&joined.executors);
            let paused = self.paused_nodes.get(&joined.label);
            seen.paused =
                paused.map(|(since, pause)| Paused::new(Scope::Node(joined.label.clone()), *since, pause.clone()));
            seen
        });
        seen.collect()
    }

    /// What is stored about executors.
    fn stored(&self) -> BTreeMap<ExecutorName, Stored> {
        let mut all = BTreeMap::<ExecutorName, Stored>::new();
        for (name, (since, controls)) in &self.controls {
            let paused = controls.pause.clone();
            let paused = paused.map(|pause| Paused::new(Scope::of_name(name.clone()), *since, pause));
            all.entry(name.clone()).or_default().paused = paused;
        }
        for (executor, until) in &self.throttled {
            all.entry(executor.clone()).or_default().controls.throttled_until = Some(*until);
        }
        for (executor, held) in self.open_breakers() {
            all.entry(executor).or_default().controls.breaker = Some(held);
        }
        for ((executor, node), declared) in &self.declared {
            if !self.nodes.contains_key(node) {
                continue;
            }
            let stored = all.entry(executor.clone()).or_default();
            stored.max_running = stored.max_running.into_iter().chain(declared.concurrency).min();
            stored.controls.per_key = stored.controls.per_key.into_iter().chain(declared.per_key).min();
            stored.controls.declare_key_rate(declared.key_rate);
            stored.controls.weighs |= declared.weighs;
            stored.controls.aging = stored.controls.aging.into_iter().chain(declared.aging).min();
            stored.controls.ordered |= declared.ordered;
            stored.controls.shared.extend(declared.shared.iter().map(|limit| limit.stored_name()));
            if let Some((interval, burst)) = declared.rate.map(Bucket::numbers) {
                let full_at = self.full_at.get(executor).copied();
                let bucket = stored.controls.bucket.unwrap_or(Bucket::new(interval, burst, full_at));
                stored.controls.bucket = Some(bucket.strictest(interval, burst));
            }
        }
        for limit in self.declared.values().flat_map(|declared| declared.shared) {
            let full_at = self.full_at.get(&limit.stored_name()).copied();
            let stored = all.entry(limit.stored_name()).or_default();
            stored.max_running = limit.max_running();
            let rate = limit.max_rate().map(Bucket::numbers);
            stored.controls.bucket = rate.map(|(interval, burst)| Bucket::new(interval, burst, full_at));
        }
        for (executor, (_, change)) in &self.set_limits {
            let stored = all.entry(executor.clone()).or_default();
            stored.max_running = change.limits.concurrency.or(stored.max_running);
            stored.controls.per_key = change.limits.per_key.or(stored.controls.per_key);
            stored.controls.key_rate = change.limits.key_rate.map(KeyRate::of).or(stored.controls.key_rate);
            if let Some((interval, burst)) = change.limits.rate.map(Bucket::numbers) {
                stored.controls.bucket = Some(Bucket::new(interval, burst, self.full_at.get(executor).copied()));
            }
        }
        all
    }
}
