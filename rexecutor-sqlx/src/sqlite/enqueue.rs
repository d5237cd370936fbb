//! Taking in new jobs.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::backend::{Enqueue, Enqueued, NewJob, Result, ScheduleKey, Tick, Ticks};

use super::{
    backend::SqliteBackend, core::Commit, queries, request::Request, row::micros, script::json, store, work::Work,
};

impl Enqueue for SqliteBackend {
    fn enqueue<'a>(&'a self, jobs: Vec<NewJob>) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
        Box::pin(async move {
            self.take_places(&jobs).await?;
            self.0.writer.share(jobs, Request::Enqueue).await
        })
    }

    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>> {
        let keys: Vec<String> = schedules.iter().map(|schedule| schedule.0.clone()).collect();
        let step = async move |work: &mut Work<'_>| {
            let keys = json(&keys)?;
            let insert = sqlx::query(queries::insert_schedules()).bind(micros(work.now)).bind(keys.clone());
            insert.execute(&mut *work.conn).await?;
            let list = sqlx::query_scalar(queries::list_schedules()).bind(keys);
            let last: Vec<i64> = list.fetch_all(&mut *work.conn).await?;
            Ok(Ticks::new(work.now, last.into_iter().map(tick_of).collect::<Result<_, _>>()?))
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }

    fn tick<'a>(&'a self, schedule: &'a ScheduleKey, tick: Tick, jobs: Vec<NewJob>) -> BoxFuture<'a, Result<bool>> {
        let key = schedule.0.clone();
        let step = async move |work: &mut Work<'_>| {
            let save = sqlx::query(queries::move_schedule()).bind(key).bind(micros(tick.at));
            let save = save.bind(tick.local.map(|local| micros(local.and_utc())));
            let is_new = save.execute(&mut *work.conn).await?.rows_affected() > 0;
            if is_new {
                let _ = store::store(work, &jobs.iter().collect::<Vec<_>>()).await?;
            }
            Ok(is_new)
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }

    fn rewind<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<bool>> {
        let key = schedule.0.clone();
        let step = async move |work: &mut Work<'_>| {
            let save = sqlx::query(queries::rewind_schedule()).bind(key).bind(micros(from)).bind(micros(to));
            Ok(save.execute(&mut *work.conn).await?.rows_affected() > 0)
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }
}

pub(super) fn tick_of(micros: i64) -> Result<DateTime<Utc>, sqlx::Error> {
    let broken = || sqlx::Error::Decode(format!("the last tick of a schedule is {micros}, which is no time").into());
    DateTime::from_timestamp_micros(micros).ok_or_else(broken)
}
