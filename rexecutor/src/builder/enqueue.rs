//! Handing a job over, once it is built.

use std::time::Duration;

use super::{EnqueueError, JobBuilder, ReadyData, hooks};
use crate::{
    backend::{Enqueue, EnqueueIn},
    clock::{Clock, SystemClock},
    context::warn_of_itself,
    executing::{Executor, GroupKey, unique, weight},
    global,
    meters::Enqueuing,
    model::{BackendError, Due, Enqueued, JobHandle, NewJob, Resolution},
    validate::{self, InvalidJob},
};

impl<E: Executor, D> JobBuilder<'_, E, D> {
    /// Enqueues the job on the global backend, and returns once it is stored.
    ///
    /// What it gives is the job's number, what became of it, and what is asked for its [output](crate::results).
    ///
    /// # Errors
    ///
    /// When no global backend is set, a field is not acceptable, or the backend fails. After an error of the backend
    /// the job may have been stored nevertheless, if only the answer was lost.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the job may or may not have been stored.
    pub async fn enqueue(self) -> Result<JobHandle<E>, EnqueueError>
    where
        D: ReadyData<E::Data>,
    {
        let job = self.encode()?;
        first::<E>(global::backend()?.enqueue(vec![job]).await?)
    }

    /// Enqueues the job on a backend of your choice, and returns once it is stored.
    ///
    /// # Errors
    ///
    /// When a field is not acceptable, or the backend fails; see [`enqueue`](Self::enqueue).
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the job may or may not have been stored.
    pub async fn enqueue_to_backend<B: Enqueue + ?Sized>(self, backend: &B) -> Result<JobHandle<E>, EnqueueError>
    where
        D: ReadyData<E::Data>,
    {
        let job = self.encode()?;
        first::<E>(backend.enqueue(vec![job]).await?)
    }

    /// Enqueues the job in a transaction of the application's, on the database of `backend`: there is a job if and only if the
    /// transaction commits, and not before. [`EnqueueIn`] takes many jobs in one call.
    ///
    /// # Errors
    ///
    /// When a field is not acceptable, the transaction is on another database, or the database fails; then the transaction
    /// is of no more use.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the transaction may or may not have the job: roll it back.
    pub async fn enqueue_in<T: ?Sized, B: EnqueueIn<T> + ?Sized>(
        self,
        backend: &B,
        transaction: &mut T,
    ) -> Result<JobHandle<E>, EnqueueError>
    where
        D: ReadyData<E::Data>,
    {
        let job = self.encode()?;
        first::<E>(backend.enqueue_in(transaction, vec![job]).await?)
    }

    /// Enqueues the job on the global backend once there is room for it: while [`max_pending`](Executor::MAX_PENDING) of its
    /// executor's jobs wait, it asks again every 100 ms, for `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`EnqueueError::QueueFull`] when there has been no room for `timeout`, and as [`enqueue`](Self::enqueue).
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the job may or may not have been stored.
    pub async fn enqueue_when_possible(self, timeout: Duration) -> Result<JobHandle<E>, EnqueueError>
    where
        D: ReadyData<E::Data>,
    {
        let job = self.encode()?;
        when_possible::<E, _>(&*global::backend()?, job, timeout).await
    }

    /// [`enqueue_when_possible`](Self::enqueue_when_possible) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// As [`enqueue_when_possible`](Self::enqueue_when_possible).
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the job may or may not have been stored.
    pub async fn enqueue_when_possible_to_backend<B: Enqueue + ?Sized>(
        self,
        backend: &B,
        timeout: Duration,
    ) -> Result<JobHandle<E>, EnqueueError>
    where
        D: ReadyData<E::Data>,
    {
        when_possible::<E, _>(backend, self.encode()?, timeout).await
    }

    /// Encodes and checks the job, for a backend to take in.
    ///
    /// The hooks of [`middleware::on_enqueue`](crate::middleware::on_enqueue) see it, and so does the
    /// [middleware](Executor::middleware) of its executor.
    ///
    /// With debug assertions, as in tests, the data and metadata are also decoded again: what encodes but does not decode, or
    /// loses something on the way, as `Some(NaN)` and `Some(None)` do, is refused here, and not in each of the job's attempts.
    /// Builds without debug assertions do not take that time.
    ///
    /// # Errors
    ///
    /// When a field is not acceptable, or a hook refuses the job.
    pub fn encode(self) -> Result<NewJob, EnqueueError>
    where
        D: ReadyData<E::Data>,
    {
        let encode = |field| move |error| EnqueueError::Encode { executor: E::NAME, field, source: error };
        let given = self.data.into_data();
        let criteria = self.unique.or_else(|| E::uniqueness(&given));
        let data = serde_json::to_string(&given).map_err(encode("data"))?;
        let metadata = self.metadata.as_ref().map(serde_json::to_string).transpose().map_err(encode("metadata"))?;
        let group_key = self.group_key.or_else(|| E::group_key(&given)).map(GroupKey::checked).transpose()?;
        if E::ORDERED.is_some() && group_key.is_none() {
            return Err(InvalidJob::new(
                "group_key",
                "an ordered job needs a key, and `Executor::group_key` gave none",
            )
            .into());
        }
        if E::KEY_RATE.is_some() && group_key.is_none() {
            let problem = "a job with a rate for each key needs a key, and `Executor::group_key` gave none";
            return Err(InvalidJob::new("group_key", problem).into());
        }
        let weight = weight::<E>(&given)?;
        let job = self.job.with_group_key(group_key).with_order(E::ORDERED).with_weight(weight);
        let mut job = job.with_data(data).with_metadata(metadata);
        // Before the checks, which are to see what hooks have changed.
        hooks::ask::<E>(&mut job)?;
        // Before the key: reading the data back to compare them needs the limit on their depth.
        validate::new_job(&job, E::MAX_DATA_BYTES)?;
        validate::comes_back("data", &given, &job.data)?;
        if let (Some(given), Some(metadata)) = (&self.metadata, &job.metadata) {
            validate::comes_back("metadata", given, metadata)?;
        }
        if let Some(criteria) = criteria {
            let unique = unique::<E>(&criteria, &job.data)?;
            if let Resolution::Debounce(debounce) = unique.on_conflict {
                validate::debounced(&job, debounce)?;
                job.due = Due::In(debounce.within);
            }
            job.unique = Some(unique);
        }
        Ok(job)
    }
}

fn first<E: Executor>(answers: Vec<Enqueued>) -> Result<JobHandle<E>, EnqueueError> {
    warn_of_itself(E::NAME, &answers);
    Enqueuing::of_one(E::NAME).came_to(&answers);
    let none = || BackendError::message("the backend answered for no job where one was enqueued");
    Ok(answers.first().copied().ok_or_else(none)?.into())
}

/// How long a caller waits before it looks again whether there is room.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

async fn when_possible<E: Executor, B: Enqueue + ?Sized>(
    backend: &B,
    job: NewJob,
    timeout: Duration,
) -> Result<JobHandle<E>, EnqueueError> {
    let mut left = timeout;
    loop {
        match backend.enqueue(vec![job.clone()]).await.map_err(EnqueueError::from) {
            Err(EnqueueError::QueueFull { .. }) if !left.is_zero() => {
                let wait = LOOK_AGAIN.min(left);
                SystemClock.sleep(wait).await;
                left -= wait;
            }
            answer => return first::<E>(answer?),
        }
    }
}
