//! Why a job is not running: the one place where it is decided.
//!
//! What is asked here, and in which order, is what a claim heeds: the statuses of the life cycle first, then what
//! [admission](crate::backend::admission) allows, then who has a free slot.

use super::{
    circumstances::Circumstances,
    cluster::{Cluster, KeyStanding, SeenNode, Standing},
    reason::{Explanation, Reason},
    words::{instant, span},
};
use crate::{
    backend::{
        admission::{Controls, Limit, Limited},
        breaker,
        bucket::Bucket,
        flows::UpstreamTask,
        lifecycle,
        rotation::cost,
    },
    model::{JobRow, JobStatus, Marks, NodeId, Paused, Scope},
};

/// Why a job is not running.
pub fn explain(circumstances: &Circumstances) -> Explanation {
    let Circumstances { job, cluster, key, upstream } = circumstances;
    let unknown = Standing::new(job.executor.clone());
    let standing = cluster.executor(&job.executor).unwrap_or(&unknown);
    let case = Case { job, cluster, standing, key, upstream };
    let reason = case.reason();
    Explanation { id: job.id, now: cluster.now, evidence: case.evidence(&reason), reason }
}

struct Case<'c> {
    job: &'c JobRow,
    cluster: &'c Cluster,
    standing: &'c Standing,
    key: &'c KeyStanding,
    upstream: &'c [UpstreamTask],
}

impl Case<'_> {
    fn reason(&self) -> Reason {
        match self.job.status {
            JobStatus::Complete | JobStatus::Cancelled | JobStatus::Discarded => self.finished(),
            JobStatus::Executing => self.executing(),
            JobStatus::Blocked => self.overdue().unwrap_or_else(|| self.blocked()),
            JobStatus::Scheduled | JobStatus::Retryable => {
                let reasons = [
                    Self::overdue,
                    Self::set_aside,
                    Self::for_signal,
                    Self::not_due,
                    Self::paused,
                    Self::tag_paused,
                    Self::broken,
                    Self::no_node,
                    Self::nodes_paused,
                    Self::behind,
                    Self::limited,
                    Self::limited_with_others,
                    Self::full,
                ];
                reasons.iter().find_map(|reason| reason(self)).unwrap_or(Reason::Ready)
            }
        }
    }

    fn finished(&self) -> Reason {
        let JobRow { status, errors, extras, .. } = self.job;
        let is_discarded = *status == JobStatus::Discarded;
        let last = errors.last().filter(|_| is_discarded);
        let error = last.map(|error| (error.error_type.clone(), lifecycle::is_last_attempt(self.job)));
        let why = match last {
            Some(error) => Some(breaker::shown(&error.details)).filter(|details| !details.is_empty()),
            None => extras.cancel_reason.clone().filter(|_| *status == JobStatus::Cancelled),
        };
        Reason::Finished { status: *status, at: self.job.finished_at(), why, error }
    }

    fn executing(&self) -> Reason {
        let node = self.job.node.unwrap_or(NodeId(0));
        match self.cluster.node(node) {
            Some(seen) if !seen.is_silent(self.cluster.now) => {
                let is_stopping = self.job.marks.contains(Marks::STOPPING);
                Reason::Running { node, since: self.job.attempted_at, is_stopping }
            }
            seen => Reason::NodeIsSilent { node, seen_at: seen.map(|seen| seen.seen_at) },
        }
    }

    fn overdue(&self) -> Option<Reason> {
        self.job.deadline().filter(|deadline| *deadline <= self.cluster.now).map(Reason::DeadlinePassed)
    }

    fn blocked(&self) -> Reason {
        const MOST: usize = 10;
        let open = || self.upstream.iter().filter(|task| task.result.is_none());
        match self.job.extras.flow {
            Some(workflow) if open().next().is_some() => {
                let tasks = open().take(MOST).map(|task| (task.name.clone(), task.job)).collect();
                Reason::AfterTasks { workflow, tasks, count: open().count() }
            }
            _ if self.job.marks.contains(Marks::WAITING) => Reason::WaitsForSignal { until: None },
            _ => Reason::Blocked,
        }
    }

    fn for_signal(&self) -> Option<Reason> {
        let until = Some(self.job.scheduled_at).filter(|at| *at > self.cluster.now);
        until.filter(|_| self.job.marks.contains(Marks::WAITING)).map(|at| Reason::WaitsForSignal { until: Some(at) })
    }

    fn not_due(&self) -> Option<Reason> {
        let at = self.job.scheduled_at;
        if at <= self.cluster.now {
            return None;
        }
        if self.job.marks.contains(Marks::UNDECODED) {
            let since = self.job.errors.last().map(|error| error.recorded_at);
            return Some(Reason::Unreadable { since, again_at: at });
        }
        let failed_attempt = (self.job.status == JobStatus::Retryable).then_some(self.job.attempt);
        Some(Reason::NotDue { at, failed_attempt })
    }

    /// Whether it is set aside because a tag of it is paused.
    fn set_aside(&self) -> Option<Reason> {
        lifecycle::is_aside(self.job).then(|| self.tag_paused()).flatten()
    }

    fn tag_paused(&self) -> Option<Reason> {
        let has = |paused: &&Paused| matches!(&paused.scope, Scope::Tag(tag) if self.job.tags.contains(tag));
        self.cluster.tags.iter().find(has).cloned().map(Reason::TagIsPaused)
    }

    fn paused(&self) -> Option<Reason> {
        let of_cluster = self.cluster.paused.clone().map(Reason::ClusterIsPaused);
        of_cluster.or_else(|| self.standing.paused.clone().map(Reason::ExecutorIsPaused))
    }

    /// Whether its executor's circuit breaker lets none through now.
    fn broken(&self) -> Option<Reason> {
        let held = self.standing.controls.breaker.as_ref().filter(|held| !held.may_try(self.cluster.now))?;
        Some(Reason::CircuitBreaker(held.clone()))
    }

    fn no_node(&self) -> Option<Reason> {
        let alive = self.alive().count();
        self.serving().next().is_none().then_some(Reason::NoNode { alive })
    }

    fn nodes_paused(&self) -> Option<Reason> {
        if self.claiming().next().is_some() {
            return None;
        }
        let nodes = self.serving().map(|node| node.node).collect();
        let paused = self.serving().find_map(|node| node.paused.clone())?;
        Some(Reason::NodesArePaused { nodes, paused })
    }

    /// Whether another job of its key has its turn before it.
    fn behind(&self) -> Option<Reason> {
        let key = self.job.extras.group_key.clone().filter(|_| self.job.extras.order.is_some())?;
        let (job, status) = self.key.first.filter(|(first, _)| *first != self.job.id)?;
        Some(Reason::BehindAnother { key, job, status })
    }

    /// What [admission](crate::backend::admission) leaves nothing of.
    fn limited(&self) -> Option<Reason> {
        let (controls, now) = (&self.standing.controls, self.cluster.now);
        if let Some(limited) = controls.limit(now).filter(|limited| limited.free < self.needs(limited)) {
            return Some(match limited.by {
                Limit::Throttle(until) => Reason::Throttled(until),
                Limit::Concurrency => {
                    let limit = controls.concurrency.map_or(0, |concurrency| concurrency.limit);
                    Reason::ClusterLimit { limit, running: self.standing.running }
                }
                Limit::Rate(bucket) => Reason::Rate { next_at: self.starts_at(bucket) },
            });
        }
        let key = self.job.extras.group_key.clone()?;
        let running = self.key.running;
        if let Some(limit) = controls.per_key.filter(|limit| running >= *limit) {
            return Some(Reason::KeyLimit { key, limit, running });
        }
        let (rate, kept) = (controls.key_rate?, self.key.kept);
        match kept.held_until.filter(|until| now < *until) {
            Some(until) => Some(Reason::KeyThrottled { key, until }),
            None => {
                let weight = self.job.extras.weight.filter(|_| controls.weighs).unwrap_or(1);
                let next_at = rate.starts_at(kept, cost(weight, rate.burst), now);
                (now < next_at).then_some(Reason::KeyRate { key, next_at })
            }
        }
    }

    /// How much it needs of what a limit leaves: a slot, or its tokens.
    fn needs(&self, limited: &Limited) -> usize {
        match limited.by {
            Limit::Rate(bucket) => usize::try_from(self.cost(bucket)).unwrap_or(usize::MAX),
            Limit::Concurrency | Limit::Throttle(_) => 1,
        }
    }

    /// How many tokens of a bucket it costs.
    fn cost(&self, bucket: Bucket) -> i64 {
        let weight = self.job.extras.weight.filter(|_| self.standing.controls.weighs);
        cost(weight.unwrap_or(1), bucket.burst)
    }

    /// When there are enough tokens for it.
    fn starts_at(&self, bucket: Bucket) -> chrono::DateTime<chrono::Utc> {
        bucket.has_at(self.cost(bucket).into(), self.cluster.now)
    }

    /// What the limits that it shares with other executors leave nothing of.
    fn limited_with_others(&self) -> Option<Reason> {
        let now = self.cluster.now;
        let named = |name| Some((name, self.cluster.shared.get(name)?));
        let mut shared = self.standing.controls.shared.iter().filter_map(named);
        shared.find_map(|(name, controls): (_, &Controls)| {
            let limited = controls.limit(now).filter(|limited| limited.free < self.needs(limited))?;
            let name = name.as_str().trim_start_matches(crate::model::Limit::PREFIX).to_owned();
            let (limit, running) = controls.concurrency.map_or((0, 0), |runs| (runs.limit, runs.running));
            Some(match limited.by {
                Limit::Concurrency => Reason::SharedLimit { name, limit, running },
                Limit::Rate(bucket) => Reason::SharedRate { name, next_at: self.starts_at(bucket) },
                Limit::Throttle(until) => Reason::SharedRate { name, next_at: until },
            })
        })
    }

    /// Whether the nodes that run the executor have no slot left. Where one does not say how many it has, nobody knows.
    fn full(&self) -> Option<Reason> {
        let (mut slots, mut of_executor) = (0, true);
        for node in self.claiming() {
            let all = node.about.slots?;
            let own = node.about.executor_slots.get(self.job.executor.as_str()).copied().unwrap_or(all).min(all);
            let running = self.cluster.running_on(node.node);
            let of_its_own =
                self.cluster.runs.get(&(node.node, self.job.executor.clone())).copied().unwrap_or_default();
            if running < all && of_its_own < own {
                return None;
            }
            of_executor &= running < all;
            slots += if running < all { own } else { all };
        }
        Some(Reason::SlotsAreTaken { slots, of_executor })
    }

    fn alive(&self) -> impl Iterator<Item = &SeenNode> {
        self.cluster.nodes.iter().filter(|node| !node.is_silent(self.cluster.now))
    }

    /// The living nodes that run the executor.
    fn serving(&self) -> impl Iterator<Item = &SeenNode> {
        self.alive().filter(|node| node.runs(&self.job.executor))
    }

    /// Of these, the ones that are not paused.
    fn claiming(&self) -> impl Iterator<Item = &SeenNode> {
        self.serving().filter(|node| node.paused.is_none())
    }

    fn evidence(&self, reason: &Reason) -> Vec<(&'static str, String)> {
        let mut evidence = vec![("status", self.job.status.to_string())];
        let mut add = |what, fact: String| evidence.push((what, fact));
        match reason {
            Reason::Finished { error: Some(_), .. } => {
                add("attempts", format!("{} of {}", self.job.attempt, self.job.max_attempts));
            }
            Reason::Running { node, .. } | Reason::NodeIsSilent { node, .. } => {
                add("attempt", format!("{} of {}", self.job.attempt, self.job.max_attempts));
                add("node", self.cluster.node(*node).map_or_else(|| node.to_string(), name));
                if let Some(seen) = self.cluster.node(*node) {
                    add("last heard", instant(seen.seen_at));
                    add("may be silent for", span(chrono::TimeDelta::from_std(seen.timeout).unwrap_or_default()));
                }
            }
            Reason::Unreadable { since: Some(since), .. } => add("unreadable since", instant(*since)),
            Reason::NotDue { at, .. } => add("due", instant(*at)),
            Reason::AfterTasks { .. } => {
                let ended = self.upstream.iter().filter(|task| task.result.is_some()).count();
                add("tasks before it that have ended", format!("{ended} of {}", self.upstream.len()));
            }
            Reason::WaitsForSignal { until: Some(at) } => add("waits until", instant(*at)),
            Reason::ClusterIsPaused(paused) | Reason::ExecutorIsPaused(paused) | Reason::TagIsPaused(paused) => {
                add("paused since", instant(paused.since));
            }
            Reason::CircuitBreaker(held) => add("paused since", instant(held.open.since)),
            Reason::NodesArePaused { paused, .. } => {
                add("paused since", instant(paused.since));
                add("paused nodes", self.serving().map(name).collect::<Vec<_>>().join(", "));
            }
            Reason::BehindAnother { job, status, .. } => add("whose turn it is", format!("{job} ({status})")),
            Reason::SharedLimit { .. } | Reason::SharedRate { .. } => {
                let shared = &self.standing.controls.shared;
                let shares = |standing: &&Standing| standing.controls.shared.iter().any(|name| shared.contains(name));
                let sharers = self.cluster.executors.iter().filter(shares);
                let sharers = sharers.map(|sharer| format!("{}: {}", sharer.executor, sharer.running));
                add("those that share it run", sharers.collect::<Vec<_>>().join(", "));
            }
            Reason::NoNode { .. } => {
                let silent = self.cluster.nodes.iter().filter(|node| node.is_silent(self.cluster.now));
                let silent: Vec<String> = silent.filter(|node| node.runs(&self.job.executor)).map(name).collect();
                add("nodes alive", self.alive().map(name).collect::<Vec<_>>().join(", "));
                add("silent nodes that ran it", silent.join(", "));
            }
            Reason::ClusterLimit { .. } | Reason::SlotsAreTaken { .. } | Reason::Ready => {
                let runs = self.cluster.runs.iter().filter(|((_, executor), _)| *executor == self.job.executor);
                let runs = runs.map(|((node, _), jobs)| format!("{jobs} on node {node}")).collect::<Vec<_>>();
                add("its executor runs", if runs.is_empty() { "0".to_owned() } else { runs.join(", ") });
                add("nodes that run it", self.serving().map(name).collect::<Vec<_>>().join(", "));
            }
            Reason::Rate { .. } => {
                if let Some(bucket) = self.standing.controls.bucket {
                    add("one token", span(chrono::TimeDelta::nanoseconds(bucket.interval)));
                    add("burst", bucket.burst.to_string());
                }
            }
            _ => {}
        }
        if self.job.status.is_pending() {
            evidence.push(("jobs of its executor that are due", self.standing.queue.due.to_string()));
        }
        evidence.retain(|(_, fact)| !fact.is_empty());
        evidence
    }
}

fn name(node: &SeenNode) -> String {
    format!("{} ({})", node.node, node.label)
}
