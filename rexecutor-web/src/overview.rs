//! What an overview tells: computed from the cluster, the counts and the jobs that have finished last.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{
        Backend, BackendError, Filter, JobRow,
        observe::{self, Cluster, Counts, JobOrder, JobsRequest, Observe},
    },
    job::{ExecutorName, JobStatus},
    schedule::ScheduleEntry,
};

use crate::{
    format::{self, span},
    problem::Problem,
    request::Cx,
};

/// How many of the jobs that have finished last are looked at.
pub(crate) const SAMPLE: usize = 500;

/// The most jobs of each status that are counted.
pub(crate) const CAP: usize = 10_000;

/// What an overview tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Overview {
    /// Nodes and executors.
    pub cluster: Cluster,
    /// How many jobs there are.
    pub counts: Counts,
    /// The jobs that have finished last.
    pub recent: Recent,
    /// What somebody should look at.
    pub attention: Vec<Attention>,
}

/// The jobs that have finished last, within an hour.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Recent {
    /// These jobs, the last one first; at most 500.
    pub jobs: Vec<JobRow>,
    /// Since when it has all.
    pub since: DateTime<Utc>,
    /// Whether more have finished within the hour.
    pub is_cut: bool,
    /// How long complete ones waited from their due time to their last start.
    pub wait: Quantiles,
    /// How long their last run took.
    pub run: Quantiles,
}

/// The median, and what 95 and 99 of a hundred are below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quantiles {
    /// The median.
    pub p50: Option<TimeDelta>,
    /// What 95 of a hundred are below.
    pub p95: Option<TimeDelta>,
    /// What 99 of a hundred are below.
    pub p99: Option<TimeDelta>,
}

/// Whether something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Somebody has made it so, or it is over.
    Notice,
    /// Jobs that are due do not run, or will not.
    Problem,
}

impl Quantiles {
    /// Those of these times.
    pub fn of(mut times: Vec<TimeDelta>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied();
        Self { p50: at(50), p95: at(95), p99: at(99) }
    }
}

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attention {
    /// Whether something is wrong.
    pub level: Level,
    /// What it is.
    pub what: String,
    /// More of it.
    pub why: String,
    /// The class of a status, which gives it its colour.
    pub(crate) kind: JobStatus,
    pub(crate) link: String,
    /// What the link says.
    pub(crate) go: &'static str,
    /// The executor that can be resumed here.
    pub(crate) resume: Option<ExecutorName>,
}

impl Overview {
    pub(crate) async fn of(cx: &Cx) -> Result<Self, Problem> {
        Ok(Self::read(cx.backend(), cx.access.executors()).await?)
    }

    /// Reads it, of these executors only, or of all.
    ///
    /// # Errors
    ///
    /// When the backend fails, or cannot do this.
    pub async fn read<B: Backend + ?Sized>(
        backend: &B,
        executors: Option<&[ExecutorName]>,
    ) -> Result<Self, BackendError> {
        let observe = observe::observe(backend)?;
        let sees = |name: &ExecutorName| executors.is_none_or(|executors| executors.contains(name));
        let (mut cluster, counts) = (observe.cluster().await?, observe.counts(CAP).await?);
        cluster.executors.retain(|standing| sees(&standing.executor));
        let recent = Recent::read(observe, executors, cluster.now).await?;
        let mut entries = match backend.entries() {
            Some(entries) => entries.list(None).await?,
            None => Vec::new(),
        };
        entries.retain(|entry| sees(&entry.executor));
        let mut attention = of_cluster(&cluster);
        attention.extend(of_failures(&recent));
        attention.extend(of_schedules(&entries, cluster.now));
        Ok(Self { cluster, counts, recent, attention })
    }
}

/// The schedule entries that they may see, if the backend keeps any.
pub(crate) async fn schedules(cx: &Cx) -> Result<Vec<ScheduleEntry>, Problem> {
    let Some(entries) = cx.backend().entries() else { return Ok(Vec::new()) };
    let mut entries = entries.list(None).await?;
    entries.retain(|entry| cx.access.sees(&entry.executor));
    Ok(entries)
}

impl Recent {
    async fn read(
        observe: &dyn Observe,
        executors: Option<&[ExecutorName]>,
        now: DateTime<Utc>,
    ) -> Result<Self, BackendError> {
        let hour = now - TimeDelta::hours(1);
        let seen = executors.map(|names| Filter::Any(names.iter().cloned().map(Filter::Executor).collect()));
        let filter = Filter::All(seen.into_iter().chain([Filter::FinishedAfter(hour)]).collect());
        let request = JobsRequest::new(filter).in_order(JobOrder::Finished).at_most(SAMPLE);
        let page = observe.page(&request).await?;
        let is_cut = page.next.is_some();
        let oldest = page.jobs.last().and_then(JobRow::finished_at).filter(|_| is_cut);
        let complete = || page.jobs.iter().filter(|job| job.status == JobStatus::Complete);
        let wait = complete().filter_map(|job| Some((job.attempted_at? - job.scheduled_at).max(TimeDelta::zero())));
        let run = complete().filter_map(|job| Some((job.finished_at()? - job.attempted_at?).max(TimeDelta::zero())));
        let (wait, run) = (Quantiles::of(wait.collect()), Quantiles::of(run.collect()));
        // Where all of them are young, an hour would be a wide empty space.
        let youngest = page.jobs.last().and_then(JobRow::finished_at).unwrap_or(now) - TimeDelta::minutes(1);
        let all = youngest.min(now - TimeDelta::minutes(10)).max(hour);
        Ok(Self { since: oldest.unwrap_or(all), is_cut, wait, run, jobs: page.jobs })
    }

    /// How many have finished a minute.
    pub fn per_minute(&self, now: DateTime<Utc>) -> f64 {
        let minutes = (now - self.since).as_seconds_f64() / 60.0;
        let jobs = u32::try_from(self.jobs.len()).unwrap_or(u32::MAX);
        if minutes > 0.0 { f64::from(jobs) / minutes } else { 0.0 }
    }

    /// How many of them were discarded.
    pub fn discarded(&self) -> usize {
        self.jobs.iter().filter(|job| job.status == JobStatus::Discarded).count()
    }
}

fn of_cluster(cluster: &Cluster) -> Vec<Attention> {
    let mut found = Vec::new();
    let now = cluster.now;
    let link = |path: &str| path.to_owned();
    let reason = |paused: &rexecutor::backend::Paused| {
        let by = paused.pause.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
        let colon = if paused.pause.reason.is_empty() { "" } else { ": " };
        format!("for {}{by}{colon}{}", span(now - paused.since), paused.pause.reason)
    };
    if let Some(paused) = &cluster.paused {
        found.push(Attention {
            level: Level::Notice,
            kind: JobStatus::Blocked,
            what: "The whole cluster is paused".to_owned(),
            why: reason(paused),
            link: link("/executors"),
            go: "Executors",
            resume: None,
        });
    }
    if cluster.nodes.iter().all(|node| node.is_silent(now)) {
        found.push(Attention {
            level: Level::Problem,
            kind: JobStatus::Discarded,
            what: "No node is alive".to_owned(),
            why: "jobs are stored, and wait".to_owned(),
            link: link("/nodes"),
            go: "Nodes",
            resume: None,
        });
    }
    for node in cluster.nodes.iter().filter(|node| node.is_silent(now)) {
        found.push(Attention {
            level: Level::Problem,
            kind: JobStatus::Discarded,
            what: format!("Node {} ({}) is silent", node.node, node.label),
            why: format!("for {}; it has {}", span(now - node.seen_at), format::jobs(cluster.running_on(node.node))),
            link: link("/nodes"),
            go: "Nodes",
            resume: None,
        });
    }
    for standing in &cluster.executors {
        let queue = &standing.queue;
        if let Some(paused) = &standing.paused {
            found.push(Attention {
                level: Level::Notice,
                kind: JobStatus::Blocked,
                what: format!("{} is paused", standing.executor),
                why: format!("{} · waiting: {}", reason(paused), queue.waiting),
                link: jobs_link(&standing.executor, "scheduled,retryable"),
                go: "Jobs",
                resume: Some(standing.executor.clone()),
            });
        }
        let may_run = cluster.nodes.iter().any(|node| !node.is_silent(now) && node.runs(&standing.executor));
        if queue.due.jobs > 0 && !may_run && cluster.nodes.iter().any(|node| !node.is_silent(now)) {
            found.push(Attention {
                level: Level::Problem,
                kind: JobStatus::Discarded,
                what: format!("No living node runs {}", standing.executor),
                why: format!(
                    "due: {}, the first for {}",
                    queue.due,
                    span(standing.oldest_wait(now).unwrap_or_default())
                ),
                link: jobs_link(&standing.executor, "scheduled,retryable"),
                go: "Jobs",
                resume: None,
            });
        }
    }
    found
}

/// The address of an executor's jobs, without the prefix.
pub(crate) fn jobs_link(executor: &ExecutorName, statuses: &str) -> String {
    let name = quoted(executor.as_str());
    format!("/jobs?{}", query(&[("q", format!("executor:{name}")), ("status", statuses.to_owned())]))
}

/// A value as it stands in the field of the search.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains(char::is_whitespace) { format!("\"{text}\"") } else { text.to_owned() }
}

/// The query of an address.
pub(crate) fn query(parameters: &[(&str, String)]) -> String {
    let encode = |text: &str| {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b',' | b':' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        };
        text.bytes().map(byte).collect::<String>()
    };
    let parts = parameters.iter().filter(|(_, value)| !value.is_empty());
    parts.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

fn of_failures(recent: &Recent) -> Vec<Attention> {
    let mut failed = BTreeMap::<&ExecutorName, (usize, usize, &JobRow)>::new();
    for job in &recent.jobs {
        let (all, bad, last) = failed.entry(&job.executor).or_insert((0, 0, job));
        *all += 1;
        if job.status == JobStatus::Discarded {
            *bad += 1;
            *last = if *bad == 1 { job } else { *last };
        }
    }
    let bad = failed.into_iter().filter(|(_, (_, bad, _))| *bad > 0);
    let attention = |(executor, (all, bad, last)): (&ExecutorName, (usize, usize, &JobRow))| Attention {
        level: Level::Notice,
        kind: JobStatus::Discarded,
        what: format!("{bad} of the last {} of {executor} were discarded", format::jobs(all)),
        why: last
            .errors
            .last()
            .map_or(String::new(), |error| format!("{}: {}", error.error_type, format::short(&error.details, 120))),
        link: "/dead".to_owned(),
        go: "Dead letters",
        resume: None,
    };
    bad.map(attention).collect()
}

fn of_schedules(entries: &[ScheduleEntry], now: DateTime<Utc>) -> Vec<Attention> {
    let late = |entry: &&ScheduleEntry| {
        entry.is_orphaned || entry.next_tick.is_some_and(|tick| now - tick > TimeDelta::minutes(1))
    };
    let attention = |entry: &ScheduleEntry| Attention {
        level: Level::Problem,
        kind: JobStatus::Retryable,
        what: format!("The schedule {} does not tick", entry.name),
        why: match (entry.is_orphaned, entry.next_tick) {
            (true, _) => "no living node has it in its code any more".to_owned(),
            (_, Some(tick)) => format!("it has been due for {}", span(now - tick)),
            _ => String::new(),
        },
        link: "/schedules".to_owned(),
        go: "Schedules",
        resume: None,
    };
    entries.iter().filter(late).map(attention).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_met() {
        let seconds = |number| TimeDelta::seconds(number);
        let quantiles = Quantiles::of((1..=100).rev().map(seconds).collect());
        assert_eq!([quantiles.p50, quantiles.p95, quantiles.p99], [51, 96, 100].map(|number| Some(seconds(number))));
        assert_eq!(Quantiles::of(Vec::new()), Quantiles::default());
    }

    #[test]
    fn an_address_carries_any_text() {
        assert_eq!(query(&[("q", "a b&c=ü\"".to_owned()), ("status", String::new())]), "q=a%20b%26c%3D%C3%BC%22");
        assert_eq!(jobs_link(&"my job".into(), ""), "/jobs?q=executor:%22my%20job%22");
    }
}
