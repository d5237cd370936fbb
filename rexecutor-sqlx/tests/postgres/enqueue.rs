//! Enqueuing: together, in bulk, uniquely, and inside the application's transaction.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rexecutor::{
    backend::{Claim, Due, Enqueue, EnqueueIn, Enqueued, Filter, Inspect, NewJob, ScheduleKey, Unique},
    clock::Clock,
    job::{
        JobId, JobStatus,
        uniqueness_criteria::{Debounce, Resolution, Statuses, UniqueKey},
    },
};

use crate::{
    support::{in_schema, job, jobs, unique_job},
    wire::Wire,
};

#[tokio::test(flavor = "multi_thread")]
async fn callers_share_transactions_and_one_bad_job_fails_its_caller_only() {
    in_schema(async |world| {
        let callers = (0..200).map(|number| {
            let backend = world.backend.clone();
            let name = if number == 100 { "b\0d".to_owned() } else { format!("executor {}", number % 7) };
            tokio::spawn(async move { backend.enqueue(jobs(&name, 1 + number % 3)).await })
        });
        let answers = futures::future::join_all(callers).await;
        let mut ids = BTreeSet::new();
        for (number, answer) in answers.into_iter().map(Result::unwrap).enumerate() {
            match answer {
                Err(error) => assert!(number == 100 && !error.is_transient(), "{number}: {error:?}"),
                Ok(answers) => {
                    assert_eq!(answers.len(), 1 + number % 3);
                    assert!(answers.windows(2).all(|pair| pair[0].id() < pair[1].id()));
                    ids.extend(answers.into_iter().map(Enqueued::id));
                }
            }
        }
        let rows = world.rows().await;
        assert_eq!(rows.len(), ids.len());
        assert_eq!(rows.into_iter().map(|row| row.id).collect::<BTreeSet<_>>(), ids);
    })
    .await;
}

#[tokio::test]
async fn a_hundred_thousand_jobs_in_one_call_have_rising_numbers() {
    in_schema(async |world| {
        let all: Vec<NewJob> = (0..100_000).map(|number| job("mail").with_data(number.to_string())).collect();
        let ids: Vec<_> = world.backend.enqueue(all).await.unwrap().into_iter().map(Enqueued::id).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(ids.len(), 100_000);
        let rows = world.rows().await;
        assert!(rows.iter().enumerate().all(|(number, row)| row.data == number.to_string() && row.id == ids[number]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_23_of_many_enqueuers_of_one_key_one_inserts() {
    in_schema(async |world| {
        // Processes of their own, as far as anybody can tell: only the database stands between them.
        let mut processes = Vec::new();
        for _ in 0..8 {
            processes.push(world.options().max_connections(1).connect(&world.url).await.unwrap());
        }
        let callers = (0..64).map(|number| {
            let backend = processes[number % 8].clone();
            tokio::spawn(async move { backend.enqueue(vec![unique_job("mail", 1)]).await.unwrap().remove(0) })
        });
        let answers: Vec<_> = futures::future::join_all(callers).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|answer| !answer.is_duplicate()).count(), 1);
        assert_eq!(answers.iter().map(|answer| answer.id()).collect::<BTreeSet<_>>().len(), 1);
        assert_eq!(world.rows().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_25_batches_with_the_same_keys_in_other_orders_do_not_deadlock() {
    in_schema(async |world| {
        let callers = (0..32_u8).map(|number| {
            let backend = world.backend.clone();
            let mut batch: Vec<_> = (0..50).map(|key| unique_job("mail", key)).collect();
            batch.rotate_left(usize::from(number));
            if number % 2 == 0 {
                batch.reverse();
            }
            tokio::spawn(async move { backend.enqueue(batch).await.unwrap() })
        });
        let answers = futures::future::join_all(callers).await;
        let inserted = answers.into_iter().flat_map(Result::unwrap).filter(|answer| !answer.is_duplicate()).count();
        assert_eq!((inserted, world.rows().await.len()), (50, 50));
        world.sql("DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM {schema}.unique_keys); END $$").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_17_a_tick_is_enqueued_once_by_however_many_nodes() {
    in_schema(async |world| {
        let key = ScheduleKey("nightly".to_owned());
        let another = world.another().await;
        let at = rexecutor_testing::TestClock::START + chrono::TimeDelta::seconds(5);
        let callers = (0..32).map(|number| {
            let backend = if number % 2 == 0 { world.backend.clone() } else { another.clone() };
            let key = key.clone();
            tokio::spawn(async move { backend.tick(&key, at.into(), vec![job("report")]).await.unwrap() })
        });
        let won = futures::future::join_all(callers).await.into_iter().filter(|answer| *answer.as_ref().unwrap());
        assert_eq!((won.count(), world.rows().await.len()), (1, 1));
        assert_eq!(world.backend.schedules(&[key]).await.unwrap().last, [at]);
    })
    .await;
}

#[tokio::test]
async fn trap_16_a_job_in_a_transaction_exists_if_and_when_it_commits() {
    in_schema(async |world| {
        let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
        let mut undone = pool.begin().await.unwrap();
        let _ = world.backend.enqueue_in(&mut undone, vec![unique_job("mail", 1)]).await.unwrap();
        assert_eq!(world.rows().await.len(), 0);
        undone.rollback().await.unwrap();
        assert_eq!(world.rows().await.len(), 0);
        let mut done = pool.begin().await.unwrap();
        let inserted = world.backend.enqueue_in(&mut done, vec![unique_job("mail", 1)]).await.unwrap();
        let again = world.backend.enqueue_in(&mut done, vec![unique_job("mail", 1)]).await.unwrap();
        assert_eq!(again, [Enqueued::Existing(inserted[0].id())]);
        done.commit().await.unwrap();
        let rows = world.rows().await;
        assert_eq!((rows.len(), rows[0].status), (1, JobStatus::Scheduled));
    })
    .await;
}

/// Trap 29: NOTIFY in each enqueue's transaction serialises all commits.
#[tokio::test]
async fn trap_29_nodes_are_notified_after_the_commit_in_a_transaction_of_its_own() {
    in_schema(async |world| {
        let wire = Wire::to(&world.url).await;
        let backend = world.options().max_connections(1).connect(&wire.url(&world.url)).await.unwrap();
        let heard = world.another().await;
        let wakeup = std::sync::Arc::new(rexecutor::backend::Wakeup::default());
        let (watched, watcher) = (wakeup.clone(), heard.clone());
        let watching = tokio::spawn(async move { watcher.watch(watched).await });
        assert!(wakeup.listen().await.all);
        wire.forget();
        for _ in 0..2 {
            let _ = backend.enqueue(jobs("mail", 600)).await.unwrap();
        }
        assert!(wakeup.listen().await.executors.contains("mail"));
        watching.abort();
        let said = wire.said();
        // What stands between a BEGIN and its COMMIT.
        let transactions: Vec<_> = said.split("BEGIN").skip(1).filter_map(|rest| rest.split("COMMIT").next()).collect();
        assert!(said.contains("INSERT INTO"), "{said}");
        assert!(said.contains("pg_notify"), "{said}");
        let is_mixed = |transaction: &&str| transaction.contains("pg_notify") && transaction.contains("INSERT INTO");
        assert!(!transactions.iter().any(is_mixed), "{said}");
    })
    .await;
}

/// Jobs that differ in nothing but their data go in another way, and arrive as those do that differ.
#[tokio::test]
async fn jobs_that_are_alike_are_stored_as_those_that_are_not() {
    in_schema(async |world| {
        let due = [Due::Now, Due::In(TimeDelta::hours(3)), Due::At(world.clock.now() - TimeDelta::hours(1))];
        let tags = [Vec::new(), vec!["a,\"b\"".to_owned(), "{c}".to_owned()], vec![String::new()]];
        for (tags, due) in tags.into_iter().zip(due) {
            let like = job("mail").with_tags(tags).with_due(due).with_metadata("7".to_owned()).with_priority(3);
            let jobs = || (0..5).map(|data| like.clone().with_data(data.to_string()));
            let other = like.clone().with_priority(9);
            let [alike, apart] = [jobs().collect(), jobs().chain([other]).collect::<Vec<_>>()];
            let mut stored = Vec::new();
            for jobs in [alike, apart] {
                let ids = world.backend.enqueue(jobs).await.unwrap()[..5].iter().map(|stored| stored.id()).collect();
                let mut rows = world.backend.query(&Filter::IdIn(ids), 5).await.unwrap();
                rows.iter_mut().for_each(|row| row.id = JobId::from(0_i64));
                stored.push(rows);
            }
            assert_eq!(stored[0].iter().map(|row| &*row.data).collect::<Vec<_>>(), ["0", "1", "2", "3", "4"]);
            assert_eq!(stored[0], stored[1]);
        }
    })
    .await;
}

/// Case 18.8: 64 callers in transactions of their own, half of which are rolled back, leave one job, of a call that has
/// committed, and one that is throttled.
#[tokio::test(flavor = "multi_thread")]
async fn case_18_8_of_sixty_four_transactions_one_job_is_left() {
    in_schema(async |world| {
        let statuses = Statuses::of(&[JobStatus::Scheduled, JobStatus::Retryable]);
        let debounce = Debounce::new(TimeDelta::seconds(5), TimeDelta::seconds(50));
        let unique = Unique::new(UniqueKey([1; 16]), statuses).with_on_conflict(Resolution::Debounce(debounce));
        let throttled =
            Unique::new(UniqueKey([2; 16]), Statuses::of(JobStatus::ALL)).with_within(TimeDelta::minutes(1));
        let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
        let callers = (0..64_u32).map(|caller| {
            let (backend, pool, unique) = (world.backend.clone(), pool.clone(), unique.clone());
            let jobs = vec![
                job("index").with_data(caller.to_string()).with_due(Due::In(debounce.within)).with_unique(unique),
                job("digest").with_data(caller.to_string()).with_unique(throttled.clone()),
            ];
            tokio::spawn(async move {
                let mut transaction = pool.begin().await.unwrap();
                let answers = backend.enqueue_in(&mut transaction, jobs).await.unwrap();
                match caller % 2 {
                    0 => transaction.commit().await.unwrap(),
                    _ => transaction.rollback().await.unwrap(),
                }
                (caller % 2 == 0)
                    .then_some(answers)
                    .into_iter()
                    .flatten()
                    .filter(|answer| !answer.is_duplicate())
                    .count()
            })
        });
        let inserted: usize = futures::future::join_all(callers).await.into_iter().map(Result::unwrap).sum();
        let rows = world.rows().await;
        assert_eq!((rows.len(), inserted), (2, 2));
        assert!(rows.iter().all(|row| row.data.parse::<u32>().unwrap().is_multiple_of(2)), "{rows:?}");
    })
    .await;
}
