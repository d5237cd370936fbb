//! Moving jobs that wait, while nodes run on both sides.

use std::{collections::BTreeSet, sync::mpsc, time::Duration};

use rexecutor::{
    TimeDelta,
    backend::{
        Backend, Claim, Demand, Due, Enqueue, Failure, Filter, Inspect, JobRow, Maintain, NewChunk, NewJob, Node,
        Offset, OnDiscard, Outcome, Pause, Scope, Settle, Settlement, flows::StoredFlow,
    },
    job::{JobId, Lease},
};
use rexecutor_sqlx::{AnyBackend, CopyError, CopyProgress, CopyReport, DatabaseCopy};

use super::{DIRECTIONS, Db, POSTGRES, SQLITE, copy, move_jobs, with};

async fn all(backend: &AnyBackend) -> Vec<JobRow> {
    backend.query(&Filter::All(vec![]), usize::MAX).await.unwrap()
}

async fn enqueue(backend: &AnyBackend, executor: &'static str, jobs: usize) -> Vec<JobId> {
    let enqueued = backend.enqueue(vec![NewJob::new(executor, "1").with_max_attempts(3); jobs]).await.unwrap();
    enqueued.iter().map(|one| one.id()).collect()
}

/// Which executors' jobs a database has, each once.
async fn executors(backend: &AnyBackend) -> BTreeSet<String> {
    all(backend).await.iter().map(|job| job.executor.to_string()).collect()
}

#[tokio::test]
async fn what_waits_for_nothing_but_its_time_is_moved_and_everything_else_stays() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            let (source, target) = (from.open().await, to.open().await);
            let node = source.join(&Node::new("worker", Duration::from_secs(60))).await.unwrap();
            for executor in ["runs", "done", "retries", "waited_for"] {
                enqueue(&source, executor, 1).await;
                let claimed = source.claim(node, [Demand::new(executor, 1)].into()).await.unwrap().jobs;
                let (job, lease) = (claimed[0].id, claimed[0].lease);
                let outcome = match executor {
                    "runs" => continue,
                    "done" => Outcome::complete(true),
                    _ => Outcome::retry(TimeDelta::seconds(9), Failure::new("oops".to_owned().into(), "no")),
                };
                if executor == "retries" {
                    let chunk = NewChunk::new(job, Offset::new(lease, 0), 1, "a part");
                    source.streams().unwrap().append(vec![chunk]).await.unwrap();
                }
                assert!(source.settle([Settlement::new(job, lease, outcome)].into()).await.unwrap().is_empty());
                if executor == "waited_for" {
                    source.ends().unwrap().await_ends(vec![job]).await.unwrap();
                }
            }
            let later = NewJob::new("later", "{\"n\": 1.0}").with_due(Due::In(TimeDelta::days(9)));
            let mut ordered = NewJob::new("ordered", "1");
            ordered.extras.set(|extra| &mut extra.group_key, Some("k".to_owned()));
            ordered.extras.set(|extra| &mut extra.order, Some(OnDiscard::Skip));
            let tagged = NewJob::new("tagged", "1").with_tags(vec!["vip".to_owned()]);
            let blocked = NewJob::new("blocked", "1").with_blocked(true);
            let _ = source.enqueue(vec![later, ordered, tagged, blocked]).await.unwrap();
            source.control().unwrap().pause(&Scope::Tag("vip".to_owned()), Pause::new("x")).await.unwrap();
            assert!(source.claim(node, [Demand::new("tagged", 1)].into()).await.unwrap().jobs.is_empty());
            source.flows().unwrap().create(StoredFlow::batch("b"), vec![NewJob::new("in_a_batch", "1")]).await.unwrap();
            let before = all(&source).await;

            let report = move_jobs(from, to).await.unwrap();
            let stay = ["blocked", "done", "in_a_batch", "ordered", "runs", "tagged", "waited_for"];
            assert_eq!(executors(&source).await.iter().collect::<Vec<_>>(), stay);
            assert_eq!(executors(&target).await.into_iter().collect::<Vec<_>>(), ["later", "retries"]);
            assert_eq!((report.moved, report.renumbered.len()), (2, 0));
            let left = report.left;
            let counts = [left.executing, left.blocked, left.in_flows, left.ordered, left.set_aside, left.awaited];
            assert_eq!((counts, left.copied, left.new, left.total()), ([1; 6], 0, 0, 6));
            // They are as they were, and what belongs to them has come with them.
            let moved = before.into_iter().filter(|job| !stay.contains(&job.executor.as_str())).collect::<Vec<_>>();
            assert_eq!(all(&target).await, moved);
            assert_eq!(
                target.streams().unwrap().chunks(moved[0].id, Offset::START, 9).await.unwrap()[0].text,
                "a part"
            );
            for table in ["outgoing", "chunks"] {
                assert_eq!(from.count(table).await, 0, "{table}");
            }
            assert_eq!(to.count("incoming").await, 0);
            // What operators have said holds there, too.
            assert_eq!(target.control().unwrap().paused().await.unwrap()[0].scope, Scope::Tag("vip".to_owned()));
        })
        .await;
    }
}

#[tokio::test]
async fn a_number_is_kept_unless_it_may_be_that_of_another_job() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            let (source, target) = (from.open().await, to.open().await);
            let own = enqueue(&target, "own", 2).await;
            let ids = enqueue(&source, "mail", 1_500).await;
            let report = move_jobs(from, to).await.unwrap();
            assert_eq!(report.moved, 1_500);
            // Those up to 1,002 might have been given out meanwhile.
            assert_eq!(report.renumbered.len(), 1_002);
            let stored = all(&target).await;
            let numbers: BTreeSet<JobId> = stored.iter().map(|job| job.id).collect();
            assert_eq!((stored.len(), numbers.len()), (1_502, 1_502));
            assert!(ids[1_002..].iter().chain(&own).all(|id| numbers.contains(id)));
            for (old, new) in &report.renumbered {
                assert!(ids.contains(old) && numbers.contains(new) && new.as_i64() > 100_000, "{old} {new}");
            }
            // What comes next is none of them.
            let next = enqueue(&target, "own", 1).await[0];
            assert!(!numbers.contains(&next) && next > *numbers.last().unwrap());
        })
        .await;
    }
}

/// A job that was copied as a whole runs in the target, and is never moved there a second time; what was enqueued after that is moved.
#[tokio::test]
async fn what_was_copied_is_not_moved() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            let (source, target) = (from.open().await, to.open().await);
            enqueue(&source, "copied", 3).await;
            copy(from, to).await.unwrap();
            enqueue(&source, "late", 2).await;
            let report = move_jobs(from, to).await.unwrap();
            assert_eq!((report.moved, report.left.copied, report.left.total()), (2, 3, 3));
            assert_eq!((all(&source).await.len(), all(&target).await.len()), (3, 5));
        })
        .await;
    }
}

/// Moves jobs, and dies after so many events; whether it came to its end before.
async fn dies(from: &Db, to: &Db, events: usize) -> bool {
    let (source, target) = (from.open().await, to.open().await);
    let left = std::sync::atomic::AtomicUsize::new(events);
    let copying = DatabaseCopy::new(source, target).live(true).on_progress(move |_| {
        if left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            panic!("killed");
        }
    });
    tokio::spawn(copying.run()).await.is_ok()
}

/// After each of its transactions.
#[tokio::test]
async fn nothing_is_lost_or_doubled_wherever_it_dies() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            let (source, target) = (from.open().await, to.open().await);
            let node = target.join(&Node::new("worker", Duration::from_secs(6_000))).await.unwrap();
            let (mut ran, mut enqueued, mut events) = (Vec::new(), 0, 0);
            let mut is_done = false;
            while !is_done {
                // Three batches.
                enqueue(&source, "mail", 450).await;
                enqueued += 450;
                is_done = dies(from, to, events).await;
                events += 1;
                // What has arrived runs and is gone: it must not come a second time.
                let claimed = target.claim(node, [Demand::new("mail", 10_000)].into()).await.unwrap().jobs;
                let settlements =
                    claimed.iter().map(|job| Settlement::new(job.id, job.lease, Outcome::complete(false)));
                assert!(target.settle(settlements.collect()).await.unwrap().is_empty());
                ran.extend(claimed.iter().map(|job| job.id));
                assert!(events < 100);
            }
            move_jobs(from, to).await.unwrap();
            ran.extend(
                target.claim(node, [Demand::new("mail", 10_000)].into()).await.unwrap().jobs.iter().map(|job| job.id),
            );
            assert_eq!(
                (ran.len(), ran.iter().collect::<BTreeSet<_>>().len()),
                (enqueued, enqueued),
                "after {events} events"
            );
            assert!(events >= 9, "{events}");
            assert_eq!((from.count("jobs").await, from.count("outgoing").await, to.count("incoming").await), (0, 0, 0));
        })
        .await;
    }
}

/// It stops at an event, and goes on when it is told to.
fn stopped_at(
    from: AnyBackend,
    to: AnyBackend,
    event: usize,
) -> (mpsc::Receiver<()>, mpsc::Sender<()>, std::thread::JoinHandle<Result<CopyReport, CopyError>>) {
    let ((stopped, is_stopped), (go, gone)) = (mpsc::channel(), mpsc::channel());
    let (gone, left) = (std::sync::Mutex::new(gone), std::sync::atomic::AtomicUsize::new(event));
    let copying = DatabaseCopy::new(from, to).live(true).on_progress(move |_| {
        if left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            stopped.send(()).unwrap();
            gone.lock().unwrap().recv().unwrap();
        }
    });
    let run =
        move || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(copying.run());
    (is_stopped, go, std::thread::spawn(run))
}

/// A process that was frozen, and goes on when another one has done its work.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_the_later_one_goes_on() {
    for kinds in DIRECTIONS {
        for event in 0..6 {
            with(kinds, async |[from, to]| {
                let (source, target) = (from.open().await, to.open().await);
                let ids = enqueue(&source, "mail", 300).await;
                let (is_stopped, go, first) = stopped_at(from.open().await, to.open().await, event);
                is_stopped.recv().unwrap();
                move_jobs(from, to).await.unwrap();
                go.send(()).unwrap();
                let answer = first.join().unwrap();
                assert!(matches!(answer, Err(CopyError::Overtaken)), "{event}: {answer:?}");
                assert!(all(&source).await.is_empty());
                assert_eq!(all(&target).await.iter().map(|job| job.id).collect::<Vec<_>>(), ids);
                assert_eq!(from.count("outgoing").await, 0);
                move_jobs(from, to).await.unwrap();
                assert_eq!(to.count("incoming").await, 0);
            })
            .await;
        }
    }
}

#[tokio::test]
async fn what_is_on_its_way_to_one_database_goes_to_no_other() {
    with([SQLITE, POSTGRES, SQLITE], async |[from, to, other]| {
        let (source, target) = (from.open().await, to.open().await);
        enqueue(&source, "mail", 300).await;
        // After the second of its events the first jobs have arrived, and the source does not know that yet.
        assert!(!dies(from, to, 1).await);
        for error in [move_jobs(from, other).await.unwrap_err(), copy(from, other).await.unwrap_err()] {
            assert!(matches!(error, CopyError::UnderWay { database: "the source", jobs: 200 }), "{error}");
            assert!(
                error.to_string().starts_with("200 jobs of the source are on their way to another database"),
                "{error}"
            );
        }
        let report = move_jobs(from, to).await.unwrap();
        assert_eq!((report.moved, all(&target).await.len(), other.count("jobs").await), (300, 300, 0));
        // Now another one may have the next.
        enqueue(&source, "mail", 1).await;
        assert_eq!(move_jobs(from, other).await.unwrap().moved, 1);
    })
    .await;
}

/// What a node claims in the source while jobs are moved is not moved, and runs once.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_claim_on_both_sides_meanwhile() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            let (source, target) = (from.open().await, to.open().await);
            enqueue(&source, "mail", 3_000).await;
            let (moves, mut moved) = tokio::sync::mpsc::unbounded_channel();
            let copying = DatabaseCopy::new(from.open().await, to.open().await).live(true);
            let copying = copying.on_progress(move |progress: CopyProgress| {
                let _ = moves.send(progress);
            });
            let copying = tokio::spawn(copying.run());
            let mut ran = Vec::<Lease>::new();
            let mut nodes = Vec::new();
            for backend in [&source, &target] {
                nodes.push((backend, backend.join(&Node::new("worker", Duration::from_secs(6_000))).await.unwrap()));
            }
            let mut claimed = 0;
            loop {
                let is_over = copying.is_finished();
                for (backend, node) in &nodes {
                    let jobs = backend.claim(*node, [Demand::new("mail", 37)].into()).await.unwrap().jobs;
                    claimed += jobs.len();
                    ran.extend(jobs.iter().map(|job| job.lease));
                    let settlements =
                        jobs.iter().map(|job| Settlement::new(job.id, job.lease, Outcome::complete(true)));
                    assert!(backend.settle(settlements.collect()).await.unwrap().is_empty());
                }
                if is_over && claimed >= 3_000 {
                    break;
                }
            }
            let CopyReport::Live(report) = copying.await.unwrap().unwrap() else { panic!() };
            assert!(moved.try_recv().is_ok() || report.moved == 0);
            // Each was claimed once, in the one database or in the other.
            assert!(ran.iter().all(|lease| lease.0 == 1));
            let stored = (all(&source).await.len(), all(&target).await.len());
            assert_eq!((claimed, stored.0 + stored.1), (3_000, 3_000));
            assert_eq!(u64::try_from(stored.1).unwrap(), report.moved);
        })
        .await;
    }
}
