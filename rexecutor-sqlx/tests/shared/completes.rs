//! Jobs that complete themselves in a transaction of the application's.

/// The tests of one database: `$begin` begins a transaction that writes, `$world` gives a backend and a pool on the same database,
/// and what has to live as long.
macro_rules! completes {
    ($database:ty, $begin:literal, $world:expr) => {
        use std::time::Duration;

        use rexecutor::{
            backend::{
                Backend, Claim, Demand, Enqueue, Filter, Inspect, Maintain, NewJob, Node, Outcome as End, Settlement,
                StepAction, StepChange, settle_in, step_log,
            },
            job::Lease,
            prelude::*,
        };
        use serde::{Deserialize, Serialize};
        use sqlx::{AssertSqlSafe, Pool};

        /// What becomes of the first transaction.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        enum First {
            IsCommitted,
            IsRolledBack,
            /// … and the job says so.
            Fails,
        }

        type Error = Box<dyn std::error::Error + Send + Sync>;

        #[job(name = "pays", max_attempts = 3, backoff = constant("10ms"))]
        async fn pays(first: First, State(pool): State<Pool<$database>>, context: JobContext) -> Result<u32, Error> {
            let mut transaction = pool.begin_with($begin).await?;
            let pay = format!("INSERT INTO payments (job) VALUES ({})", context.job_id());
            sqlx::query(AssertSqlSafe(pay)).execute(&mut *transaction).await?;
            context.enqueue_on_success(NewJob::new("ship", "7"))?;
            context.complete_in(&mut transaction, &7_u32).await?;
            match first {
                First::IsRolledBack if context.attempt() == 1 => transaction.rollback().await?,
                First::Fails if context.attempt() == 1 => return Err("the card is declined".into()),
                _ => transaction.commit().await?,
            }
            Ok(7)
        }

        async fn count(pool: &Pool<$database>) -> i64 {
            sqlx::query_scalar("SELECT count(*) FROM payments").fetch_one(pool).await.unwrap()
        }

        async fn of_executor<B: Backend>(backend: &B, name: &'static str) -> Vec<rexecutor::backend::JobRow> {
            backend.query(&Filter::Executor(name.into()), 100).await.unwrap()
        }

        /// However often the job runs, it has paid once, is complete once, and has enqueued its child once.
        #[tokio::test]
        async fn case_15_4_what_a_job_does_in_its_transaction_is_done_once() {
            for first in [First::IsCommitted, First::IsRolledBack, First::Fails] {
                $world(async |backend, pool| {
                    let node = Rexecutor::builder().with_backend(backend.clone()).with_state(pool.clone());
                    let node = node.with_executor::<Pays>().start().await.unwrap();
                    let job = Pays::builder().with_data(first).enqueue_to_backend(&backend).await.unwrap();
                    let outcome = Pays::wait_on_backend(job, &backend).within(Duration::from_secs(30)).await.unwrap();
                    assert_eq!(outcome, Outcome::Complete(7), "{first:?}");
                    node.graceful_shutdown().await;
                    assert_eq!((count(&pool).await, of_executor(&backend, "ship").await.len()), (1, 1), "{first:?}");
                    let row = of_executor(&backend, "pays").await.remove(0);
                    let errors: Vec<&str> = row.errors.iter().map(|error| error.error_type.as_str()).collect();
                    match first {
                        First::IsCommitted => assert_eq!((row.attempt, errors.len()), (1, 0)),
                        First::IsRolledBack => assert_eq!((row.attempt, &*errors), (2, &["uncommitted"][..])),
                        First::Fails => assert!(row.attempt == 2 && row.errors[0].details.contains("declined")),
                    }
                })
                .await;
            }
        }

        /// A run that is not its job's any more, or that is to stop, changes nothing in the transaction, and neither does one whose
        /// transaction is rolled back; and what is deleted when it is complete is deleted in it.
        #[tokio::test]
        async fn case_15_4_a_transaction_completes_only_what_is_its_runs() {
            $world(async |backend, pool| {
                let settle_in = settle_in(&backend).unwrap();
                let _ = backend.enqueue(vec![NewJob::new("pays", "1"); 3]).await.unwrap();
                let node = backend.join(&Node::new("test", Duration::from_secs(60))).await.unwrap();
                let runs = backend.claim(node, [Demand::new("pays", 3)].into()).await.unwrap().jobs;
                let log = step_log(&backend).unwrap();
                let change = StepChange::new("charge", Some(0), StepAction::Record("1".to_owned()));
                assert!(log.step(runs[2].id, runs[2].lease, change).await.unwrap().is_some());
                backend.cancel(&"pays".into(), runs[1].id, "no".to_owned()).await.unwrap();
                let end = |run: usize, keep, stale: i64| {
                    let lease = Lease(runs[run].lease.0 + stale);
                    let outcome = End::complete(keep).and_enqueue(vec![NewJob::new("ship", "1")]);
                    Settlement::new(runs[run].id, lease, outcome)
                };
                for (settlement, is_ours, commits) in [
                    (end(0, true, 1), false, true),
                    (end(1, true, 0), false, true),
                    (end(0, true, 0), true, false),
                    (end(2, false, 0), true, true),
                    (end(2, false, 0), false, true),
                ] {
                    let mut transaction = pool.begin_with($begin).await.unwrap();
                    assert_eq!(settle_in.settle_in(&mut transaction, settlement).await.unwrap(), is_ours);
                    match commits {
                        true => transaction.commit().await.unwrap(),
                        false => transaction.rollback().await.unwrap(),
                    }
                }
                let left = of_executor(&backend, "pays").await;
                assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [runs[0].id, runs[1].id]);
                assert!(left.iter().all(|row| row.status == JobStatus::Executing));
                assert_eq!(of_executor(&backend, "ship").await.len(), 1);
                assert_eq!(log.steps(runs[2].id).await.unwrap(), [], "its steps are deleted with it");
                // What is no transaction is refused.
                let error = settle_in.settle_in(&mut 7_u32, end(0, true, 0)).await.unwrap_err();
                assert!(error.to_string().contains("sqlx::Transaction<'static"), "{error}");
            })
            .await;
        }
    };
}
