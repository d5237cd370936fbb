//! What a look at the database gives.

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{
        Filter, JobRow,
        observe::{JobOrder, JobsRequest},
    },
    job::JobStatus,
};
use rexecutor_web::views::{self, Overview, Recent};

use super::super::{bulk, jobs};
use crate::{failure::Failure, session::Session};

/// The most jobs that a page has.
pub(super) const MOST: usize = 200;

/// What one page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Executors,
    Running,
    Waiting,
    Blocked,
    Failed,
    Nodes,
}

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) page: Page,
    /// Only these jobs, as in the field of the dashboard.
    pub(super) search: String,
    /// The job of which all is shown.
    pub(super) job: Option<i64>,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) request: Request,
    pub(super) overview: Overview,
    /// The jobs of the page.
    pub(super) jobs: Vec<JobRow>,
    /// All of the chosen job, as text.
    pub(super) job: String,
}

impl Page {
    pub(super) const ALL: [Self; 6] =
        [Self::Executors, Self::Running, Self::Waiting, Self::Blocked, Self::Failed, Self::Nodes];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Executors => "executors",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Nodes => "nodes",
        }
    }

    /// Which jobs it shows, and in which order.
    pub(super) fn jobs(self) -> Option<(&'static [JobStatus], JobOrder)> {
        match self {
            Self::Executors | Self::Nodes => None,
            Self::Running => Some((&[JobStatus::Executing], JobOrder::Oldest)),
            Self::Waiting => Some((&[JobStatus::Scheduled, JobStatus::Retryable], JobOrder::Due)),
            Self::Blocked => Some((&[JobStatus::Blocked], JobOrder::Oldest)),
            Self::Failed => Some((&[JobStatus::Discarded], JobOrder::Finished)),
        }
    }
}

pub(super) async fn read(session: &Session, request: Request) -> Result<Seen, Failure> {
    let overview = Overview::read(session.read(), None).await?;
    let mut seen = Seen { request, overview, jobs: Vec::new(), job: String::new() };
    if let Some(id) = seen.request.job {
        let (job, why) = (bulk::find(session, id).await?, jobs::why(session, id).await?);
        seen.job = jobs::text(&job, &why);
    } else if let Some((statuses, order)) = seen.request.page.jobs() {
        let filter = views::filter(&seen.request.search, seen.overview.cluster.now)?;
        let filter = filter.and(Filter::StatusIn(statuses.to_vec()));
        let request = JobsRequest::new(filter).in_order(order).at_most(MOST);
        seen.jobs = session.observe()?.page(&request).await?.jobs;
    }
    Ok(seen)
}

/// How many jobs have finished in each of so many parts of the time that is looked at.
pub(super) fn bars(recent: &Recent, now: DateTime<Utc>, count: usize) -> Vec<u64> {
    let finished = recent.jobs.iter().filter_map(JobRow::finished_at);
    spread(finished, recent.since, now, count)
}

fn spread(
    times: impl Iterator<Item = DateTime<Utc>>,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    count: usize,
) -> Vec<u64> {
    let mut bars = vec![0; count];
    let whole = (now - since).max(TimeDelta::milliseconds(1)).num_milliseconds();
    for time in times {
        let at = (time - since).num_milliseconds().clamp(0, whole - 1);
        let bar = usize::try_from(at).unwrap_or(0).saturating_mul(count) / usize::try_from(whole).unwrap_or(1).max(1);
        if let Some(bar) = bars.get_mut(bar) {
            *bar += 1;
        }
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_is_in_the_bar_of_its_time() {
        let at = |seconds| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let bars = |times: &[i64], count| spread(times.iter().copied().map(at), at(0), at(10), count);
        assert_eq!(bars(&[0, 1, 2, 9, 10, 11], 5), [2, 1, 0, 0, 3]);
        assert_eq!(bars(&[-1, 5], 2), [1, 1]);
        assert_eq!(bars(&[5], 0), Vec::<u64>::new());
        assert_eq!(spread([at(1)].into_iter(), at(1), at(1), 2), [1, 0]);
    }
}
