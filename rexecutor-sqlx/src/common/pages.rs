//! Pages of jobs: how far a database is asked to look, whatever its dialect.
//!
//! # Invariants
//!
//! - A page looks at no more than [`WALK`] rows in the order of their numbers, or at [`MERGE`] entries of an index, however
//!   long the table is and however few jobs match.
//! - [`Filter::matches`] has the last word on every job.

use std::{cmp::Ordering, collections::HashMap};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        Filter, JobRow,
        observe::{JobOrder, JobsPage, JobsRequest, Position},
    },
    job::{JobId, JobStatus},
};

use super::bounds::Bounds;

/// How many rows a page walks over, at most.
const WALK: i64 = 50_000;

/// How many entries of indexes a page merges, at most.
const MERGE: i64 = 10_000;

/// How far a number may lie from the time at which it was enqueued, by other numbers: clocks differ a little, and transactions
/// commit when they like.
const SLACK: i64 = 5_000;

/// A part of the rows in the order of their numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk {
    /// Those of this status alone, which have an index.
    pub(crate) status: Option<JobStatus>,
    /// Behind this number.
    pub(crate) behind: i64,
    /// Whether the highest come first.
    pub(crate) is_down: bool,
    /// How many rows to look at.
    pub(crate) window: i64,
}

/// The next positions of a status, or of an executor's jobs of one priority.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) positions: Vec<Position>,
    /// How many there were, those that are damaged among them.
    pub(crate) count: i64,
}

impl Stream {
    /// Adds one, unless it is damaged.
    pub(crate) fn add(&mut self, position: Option<Position>) {
        self.positions.extend(position);
        self.count += 1;
    }
}

/// What a database is asked for a page.
pub(crate) trait Pages: Send {
    /// The first `limit` jobs of the walk that may match; `None` in place of one that cannot be read.
    fn walk(
        &mut self,
        walk: Walk,
        filter: &Filter,
        limit: i64,
    ) -> impl Future<Output = sqlx::Result<Vec<(i64, Option<JobRow>)>>> + Send;

    /// The number of the last row of the walk; `None`: there are fewer.
    fn end_of(&mut self, walk: Walk) -> impl Future<Output = sqlx::Result<Option<i64>>> + Send;

    /// The first job that has this number or a higher one, and when it was enqueued.
    fn first_from(&mut self, id: i64) -> impl Future<Output = sqlx::Result<Option<(i64, DateTime<Utc>)>>> + Send;

    /// The next `limit` positions of each stream of the order behind this one: a status, or an executor's jobs of one priority.
    fn streams(
        &mut self,
        bounds: &Bounds,
        order: JobOrder,
        behind: Position,
        limit: i64,
    ) -> impl Future<Output = sqlx::Result<Vec<Stream>>> + Send;

    /// Those jobs that match, in any order.
    fn matching(&mut self, filter: &Filter) -> impl Future<Output = sqlx::Result<Vec<JobRow>>> + Send;
}

/// A page of jobs.
pub(crate) async fn page(pages: &mut impl Pages, request: &JobsRequest, now: DateTime<Utc>) -> sqlx::Result<JobsPage> {
    let bounds = Bounds::of(&request.filter);
    match request.order {
        JobOrder::Due | JobOrder::Finished => merge(pages, request, &bounds, now).await,
        _ => by_number(pages, request, &bounds, now).await,
    }
}

async fn by_number(
    pages: &mut impl Pages,
    request: &JobsRequest,
    bounds: &Bounds,
    now: DateTime<Utc>,
) -> sqlx::Result<JobsPage> {
    let is_down = request.order == JobOrder::Newest;
    let status = bounds.only_status().filter(|status| matches!(status, JobStatus::Executing | JobStatus::Blocked));
    let first = if is_down { i64::MAX } else { i64::MIN };
    let mut behind = request.after.map_or(first, |after| after.id.as_i64());
    let mut end = if is_down { i64::MIN } else { i64::MAX };
    if status.is_none() {
        let low = bounds.inserted_after.map(|at| (at, -SLACK));
        let high = bounds.inserted_before.map(|at| (at, SLACK));
        let (start, stop) = if is_down { (high, low) } else { (low, high) };
        if let Some((at, slack)) = start {
            let number = number_at(pages, at).await?.saturating_add(slack);
            behind = if is_down { behind.min(number) } else { behind.max(number) };
        }
        if let Some((at, slack)) = stop {
            end = number_at(pages, at).await?.saturating_add(slack);
        }
    }
    let size = request.size();
    let (mut jobs, mut looked, mut window) = (Vec::new(), 0, 1_000);
    loop {
        let walk = Walk { status, behind, is_down, window };
        let limit = i64::try_from(size + 1 - jobs.len()).unwrap_or(i64::MAX).max(50);
        let rows = pages.walk(walk, &request.filter, limit).await?;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        behind = rows.last().map_or(behind, |(id, _)| *id);
        let found = rows.into_iter().filter_map(|(_, job)| job).filter(|job| request.filter.matches(job, now));
        jobs.extend(found);
        if jobs.len() > size {
            return Ok(full(jobs, request, now));
        }
        if count < limit {
            let Some(last) = pages.end_of(walk).await? else { return Ok(JobsPage::last(jobs, now)) };
            (behind, looked) = (last, looked + window);
            window = (window * 10).min(WALK - looked);
        } else {
            looked += count;
        }
        if if is_down { behind < end } else { behind > end } {
            return Ok(JobsPage::last(jobs, now));
        }
        if looked >= WALK {
            let next = Position { at: DateTime::UNIX_EPOCH, id: behind.into() };
            return Ok(JobsPage::partial(jobs, next, now));
        }
    }
}

/// About the number that a job would have that was enqueued then.
async fn number_at(pages: &mut impl Pages, at: DateTime<Utc>) -> sqlx::Result<i64> {
    let last = Walk { status: None, behind: i64::MAX, is_down: true, window: 1 };
    let (Some((mut low, _)), Some(mut high)) = (pages.first_from(i64::MIN).await?, pages.end_of(last).await?) else {
        return Ok(0);
    };
    while i128::from(high) - i128::from(low) > i128::from(SLACK) {
        let middle = i64::try_from((i128::from(high) + i128::from(low)) / 2).unwrap_or(low);
        match pages.first_from(middle).await? {
            Some((id, inserted_at)) if inserted_at < at && id < high => low = id,
            Some((_, inserted_at)) if inserted_at < at => low = high,
            _ => high = middle,
        }
    }
    Ok(high)
}

async fn merge(
    pages: &mut impl Pages,
    request: &JobsRequest,
    bounds: &Bounds,
    now: DateTime<Utc>,
) -> sqlx::Result<JobsPage> {
    let (order, size) = (request.order, request.size());
    let (first, last) = bounds.ends(order);
    let mut behind = request.after.filter(|after| order.is_behind(*after, first)).unwrap_or(first);
    let (mut jobs, mut looked) = (Vec::new(), 0);
    let mut limit = i64::try_from(size + 1).unwrap_or(i64::MAX).max(100);
    loop {
        let streams = pages.streams(bounds, order, behind, limit).await?;
        let cut = streams.iter().filter(|stream| stream.count >= limit);
        let before = |one: &Position, other: &Position| match order.is_behind(*one, *other) {
            true => Ordering::Greater,
            false if one == other => Ordering::Equal,
            false => Ordering::Less,
        };
        // Beyond the nearest end of a stream that goes on, others may come in between.
        let horizon = cut.filter_map(|stream| stream.positions.last().copied()).min_by(before);
        let mut positions: Vec<Position> = streams.into_iter().flat_map(|stream| stream.positions).collect();
        positions.retain(|position| {
            horizon.is_none_or(|horizon| !order.is_behind(*position, horizon)) && !order.is_behind(*position, last)
        });
        positions.sort_by(before);
        let ids: Vec<JobId> = positions.iter().map(|position| position.id).collect();
        let filter = Filter::IdIn(ids).and(request.filter.clone());
        let found = pages.matching(&filter).await?.into_iter();
        let mut found: HashMap<JobId, JobRow> = found.map(|job| (job.id, job)).collect();
        // One that has changed since has another place, or none.
        let is_there = |job: &JobRow, position: Position| order.position(job) == Some(position);
        let in_order =
            positions.iter().filter_map(|position| found.remove(&position.id).filter(|job| is_there(job, *position)));
        jobs.extend(in_order);
        if jobs.len() > size {
            return Ok(full(jobs, request, now));
        }
        looked += i64::try_from(positions.len()).unwrap_or(i64::MAX);
        match horizon {
            Some(horizon) if !order.is_behind(horizon, last) => behind = horizon,
            _ => return Ok(JobsPage::last(jobs, now)),
        }
        if looked >= MERGE {
            return Ok(JobsPage::partial(jobs, behind, now));
        }
        limit = (limit * 10).min(2_000);
    }
}

fn full(mut jobs: Vec<JobRow>, request: &JobsRequest, now: DateTime<Utc>) -> JobsPage {
    jobs.truncate(request.size());
    let next = jobs.last().and_then(|last| request.order.position(last));
    JobsPage::full(jobs, next, now)
}
