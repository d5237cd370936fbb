//! Batches in transactions of the application's.

/// The tests of one database: `$begin` begins a transaction that writes, `$world` gives a backend and a pool on the same database.
macro_rules! batches_in_transactions {
    ($database:ty, $begin:literal, $world:expr) => {
        mod batches_in_transactions {
            use std::time::Duration;

            use rexecutor::{
                backend::{Backend, Filter, JobRow},
                batches::{Batch, BatchError, BatchSummary},
                prelude::*,
                workflows::Workflow,
            };
            use serde::{Deserialize, Serialize};
            use sqlx::Pool;

            use super::*;

            type Error = Box<dyn std::error::Error + Send + Sync>;

            /// Whether a job that completes itself is kept.
            #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
            enum Kept {
                Yes,
                No,
            }

            async fn completes(context: &JobContext, pool: &Pool<$database>) -> Result<(), Error> {
                let mut transaction = pool.begin_with($begin).await?;
                context.complete_in(&mut transaction, &()).await?;
                Ok(transaction.commit().await?)
            }

            #[job(name = "keeps")]
            async fn keeps(State(pool): State<Pool<$database>>, context: JobContext) -> Result<(), Error> {
                completes(&context, &pool).await
            }

            #[job(name = "goes", retain = "none")]
            async fn goes(State(pool): State<Pool<$database>>, context: JobContext) -> Result<(), Error> {
                completes(&context, &pool).await
            }

            #[job(name = "ends")]
            async fn ends(_kept: Kept, batch: BatchSummary) -> Result<u64, String> {
                Ok(batch.counts.complete)
            }

            async fn of<B: Backend>(backend: &B, name: &'static str) -> Vec<JobRow> {
                backend.query(&Filter::Executor(name.into()), 100).await.unwrap()
            }

            /// What its own transaction completes, and maybe deletes, counts.
            #[tokio::test]
            async fn case_15_5_jobs_that_complete_in_their_own_transactions_count() {
                $world(async |backend, pool| {
                    let node = Rexecutor::builder().with_backend(backend.clone()).with_state(pool.clone());
                    let node = node.with_executor::<Keeps>().with_executor::<Goes>().with_executor::<Ends>();
                    let node = node.start().await.unwrap();
                    for kept in [Kept::Yes, Kept::No] {
                        let batch = Batch::new("pays").on_success(Ends::builder().with_data(kept));
                        let batch = match kept {
                            Kept::Yes => batch.jobs([Keeps::builder(), Keeps::builder()]),
                            Kept::No => batch.jobs([Goes::builder(), Goes::builder()]),
                        };
                        let batch = batch.enqueue_to_backend(&backend).await.unwrap();
                        let summary = batch.wait().within(Duration::from_secs(30)).await.unwrap();
                        assert_eq!((summary.counts.complete, summary.counts.total()), (2, 2), "{kept:?}");
                    }
                    node.run_until_idle().await;
                    assert_eq!((of(&backend, "goes").await.len(), of(&backend, "keeps").await.len()), (0, 2));
                    let outputs = of(&backend, "ends").await.into_iter().map(|row| row.extras.output.clone());
                    assert_eq!(outputs.collect::<Vec<_>>(), [Some("2".to_owned()), Some("2".to_owned())]);
                })
                .await;
            }

            #[job(name = "takes")]
            async fn takes(Upstream((a, b)): Upstream<((), ())>, _context: JobContext) -> Result<u32, String> {
                let ((), ()) = (a, b);
                Ok(2)
            }

            /// A workflow exists if its transaction commits; and a task may complete itself in one.
            #[tokio::test]
            async fn case_15_6_a_workflow_exists_if_its_transaction_commits() {
                $world(async |backend, pool| {
                    let build = || {
                        let mut workflow = Workflow::new("pays");
                        let a = workflow.task("a", Keeps::builder());
                        let b = workflow.task("b", Goes::builder().after(&a));
                        let c = workflow.task("c", Takes::builder().after((&a, &b)));
                        (workflow, c)
                    };
                    let mut lost = pool.begin_with($begin).await.unwrap();
                    let gone = build().0.enqueue_in(&backend, &mut lost).await.unwrap();
                    lost.rollback().await.unwrap();
                    assert!(gone.status().await.is_err() && gone.tasks().await.is_err());

                    let node = Rexecutor::builder().with_backend(backend.clone()).with_state(pool.clone());
                    let node = node.with_executor::<Keeps>().with_executor::<Goes>().with_executor::<Takes>();
                    let node = node.start().await.unwrap();
                    let mut transaction = pool.begin_with($begin).await.unwrap();
                    let (workflow, last) = build();
                    let workflow = workflow.enqueue_in(&backend, &mut transaction).await.unwrap();
                    transaction.commit().await.unwrap();
                    let end = workflow.wait().within(Duration::from_secs(30)).await.unwrap();
                    assert_eq!(end.counts.complete, 3);
                    assert_eq!(workflow.output(&last).await.unwrap(), Some(2));
                    node.graceful_shutdown().await;
                })
                .await;
            }

            /// A batch, and what is added to it, exists if its transaction commits.
            #[tokio::test]
            async fn case_15_5_a_batch_exists_if_its_transaction_commits() {
                $world(async |backend, pool| {
                    let batch = |count: usize| {
                        let jobs = std::iter::repeat_with(Keeps::builder).take(count);
                        Batch::new("kept").jobs(jobs).on_finished(Ends::builder().with_data(Kept::Yes))
                    };
                    let mut lost = pool.begin_with($begin).await.unwrap();
                    let gone = batch(2).enqueue_in(&backend, &mut lost).await.unwrap();
                    lost.rollback().await.unwrap();
                    assert!(gone.status().await.is_err() && of(&backend, "keeps").await.is_empty());

                    let mut transaction = pool.begin_with($begin).await.unwrap();
                    let kept = batch(2).enqueue_in(&backend, &mut transaction).await.unwrap();
                    let empty = batch(0).enqueue_in(&backend, &mut transaction).await.unwrap();
                    transaction.commit().await.unwrap();
                    assert_eq!(kept.status().await.unwrap().counts.scheduled, 2);
                    assert!(empty.status().await.unwrap().is_finished());
                    assert_eq!(of(&backend, "ends").await.len(), 1);

                    for commits in [false, true] {
                        let mut transaction = pool.begin_with($begin).await.unwrap();
                        let more = [Keeps::builder(), Keeps::builder()];
                        kept.add_in(more, &backend, &mut transaction).await.unwrap();
                        match commits {
                            true => transaction.commit().await.unwrap(),
                            false => transaction.rollback().await.unwrap(),
                        }
                    }
                    assert_eq!(kept.status().await.unwrap().counts.total(), 4);
                    let mut transaction = pool.begin_with($begin).await.unwrap();
                    let late = empty.add_in([Keeps::builder()], &backend, &mut transaction).await.unwrap_err();
                    assert!(matches!(late, BatchError::Flow(_)), "{late}");
                    transaction.rollback().await.unwrap();
                })
                .await;
            }
        }
    };
}
