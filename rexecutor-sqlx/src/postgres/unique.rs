//! Inserting jobs, some of which must not exist beside others.
//!
//! Whoever decides about a key first inserts a row with it, in its own transaction: others who want the same key wait
//! until that ends, and their next statement sees what was decided. No advisory lock is taken: the application may use
//! those.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rexecutor::{
    backend::{
        Enqueued, JobRow, NewJob, Unique,
        lifecycle::{self, Resolved},
    },
    job::{
        JobId, JobStatus,
        uniqueness_criteria::{Resolution, UniqueKey},
    },
};
use sqlx::{PgConnection, Row};

use super::{
    backend::Database,
    conflicts::Round,
    enqueue::{CHUNK, age},
    row,
    session::Progress,
    write::Locked,
};

/// How many keys are locked in one statement.
const KEYS: usize = 10_000;

impl Database {
    /// Inserts jobs in order, or finds what stands in their way.
    pub(super) async fn insert(
        &self,
        connection: &mut PgConnection,
        jobs: Vec<NewJob>,
        progress: &Progress,
    ) -> sqlx::Result<Vec<Enqueued>> {
        // All of them first and in order: two calls with the same keys must not wait for each other.
        let keys: BTreeSet<UniqueKey> = jobs.iter().filter_map(|job| Some(job.unique.as_ref()?.key)).collect();
        let keys: Vec<Vec<u8>> = keys.into_iter().map(|key| key.0.to_vec()).collect();
        for keys in keys.chunks(KEYS) {
            self.query(&self.queries.lock_unique_keys).bind(keys.to_vec()).execute(&mut *connection).await?;
            progress.made();
        }
        let mut answers = Vec::with_capacity(jobs.len());
        let mut jobs = jobs.into_iter().peekable();
        while jobs.peek().is_some() {
            let round = Round::take(&mut jobs, CHUNK);
            answers.extend(self.insert_round(connection, round, progress).await?);
            progress.made();
        }
        for keys in keys.chunks(KEYS) {
            self.query(&self.queries.release_unique_keys).bind(keys.to_vec()).execute(&mut *connection).await?;
        }
        Ok(answers)
    }

    async fn insert_round(
        &self,
        connection: &mut PgConnection,
        round: Round,
        progress: &Progress,
    ) -> sqlx::Result<Vec<Enqueued>> {
        let Round { jobs, same, length } = round;
        let conflicts = self.conflicts(connection, &jobs).await?;
        let mut answers: BTreeMap<usize, Enqueued> = self.resolve(connection, &jobs, &conflicts).await?;
        let (places, new): (Vec<usize>, Vec<NewJob>) =
            jobs.into_iter().filter(|(place, _)| !answers.contains_key(place)).unzip();
        let ids = self.insert_rows(connection, &new, progress).await?;
        answers.extend(places.into_iter().zip(ids).map(|(place, id)| (place, Enqueued::Inserted(id))));
        for (place, earlier, same) in same {
            let id = answers.get(&earlier).map(|answer| answer.id()).ok_or(sqlx::Error::RowNotFound)?;
            answers.insert(place, same.answer(id));
        }
        match answers.len() == length {
            true => Ok(answers.into_values().collect()),
            false => Err(row::broken("id", "the database answered for fewer jobs than were inserted")),
        }
    }

    /// For each job that has one, the newest job in its way.
    async fn conflicts(
        &self,
        connection: &mut PgConnection,
        jobs: &[(usize, NewJob)],
    ) -> sqlx::Result<HashMap<usize, JobId>> {
        let unique: Vec<(usize, &Unique)> =
            jobs.iter().filter_map(|(place, job)| Some((*place, job.unique.as_ref()?))).collect();
        if unique.is_empty() {
            return Ok(HashMap::new());
        }
        let statuses = |unique: &Unique| unique.statuses.iter().map(JobStatus::as_str).collect::<Vec<_>>().join(",");
        let query = self
            .query(&self.queries.find_conflicts)
            .bind(self.now())
            .bind(unique.iter().map(|(_, unique)| unique.key.0.to_vec()).collect::<Vec<_>>())
            .bind(unique.iter().map(|(_, unique)| statuses(unique)).collect::<Vec<_>>())
            .bind(unique.iter().map(|(_, unique)| unique.within.map(age)).collect::<Vec<_>>());
        let mut conflicts = HashMap::new();
        for row in query.fetch_all(connection).await? {
            let wanted = usize::try_from(row.try_get::<i64, _>("place")? - 1).ok();
            let place = wanted.and_then(|wanted| unique.get(wanted)).map(|(place, _)| *place);
            let id = JobId::from(row.try_get::<i64, _>("id")?);
            conflicts.extend(place.map(|place| (place, id)));
        }
        Ok(conflicts)
    }

    /// Answers for the jobs that conflict, and lets those in their way take over what they should. Jobs that are to be inserted
    /// after all have no answer.
    async fn resolve(
        &self,
        connection: &mut PgConnection,
        jobs: &[(usize, NewJob)],
        conflicts: &HashMap<usize, JobId>,
    ) -> sqlx::Result<BTreeMap<usize, Enqueued>> {
        let mut answers: BTreeMap<usize, Enqueued> = BTreeMap::new();
        let mut replacing: Vec<(usize, JobId, Resolution, &NewJob)> = Vec::new();
        for (place, job) in jobs {
            match (job.unique.as_ref().map(|unique| unique.on_conflict), conflicts.get(place)) {
                (None, _) | (_, None) => {}
                (Some(Resolution::Ignore), Some(id)) => drop(answers.insert(*place, Enqueued::Existing(*id))),
                (Some(resolution), Some(id)) => replacing.push((*place, *id, resolution, job)),
            }
        }
        if replacing.is_empty() {
            return Ok(answers);
        }
        let ids = replacing.iter().map(|(_, id, ..)| id.as_i64()).collect();
        let Locked { jobs, now, .. } = Locked::read(&self.lock_jobs(connection, ids).await?)?;
        let mut stored: HashMap<JobId, JobRow> = jobs.into_iter().map(|job| (job.id, job)).collect();
        for (place, id, resolution, job) in replacing {
            // It may have been claimed, or pruned, since it was found.
            let resolved = match (stored.get_mut(&id).zip(now), resolution) {
                (Some((row, now)), _) => lifecycle::resolve(row, job.clone(), now),
                (None, Resolution::Debounce(_)) => continue,
                (None, _) => Resolved::Existing,
            };
            match (resolved, stored.get(&id)) {
                (Resolved::Replaced, Some(row)) => {
                    self.store_content(connection, row, true).await?;
                    answers.insert(place, Enqueued::Replaced(id));
                }
                (Resolved::Insert(_), _) => {}
                _ => drop(answers.insert(place, Enqueued::Existing(id))),
            }
        }
        Ok(answers)
    }
}
