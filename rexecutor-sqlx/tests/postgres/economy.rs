//! How often the server is asked, counted on the wire: a change that makes a batch cost more fails here, on any machine
//! and however busy it is.

use std::time::Duration;

use rexecutor::{
    backend::{
        Claim, ClusterLimits, Demand, Enqueue, EnqueueIn, Failure, HistoryStep, JobRow, Maintain, NewJob, Outcome,
        Pause, Rate, Report, RunEnd, Scope, Settle, Settlement, Tally, control, ends, events, history, reports,
    },
    job::{ErrorType, NodeId},
};
use rexecutor_sqlx::PgBackend;

use crate::{
    counter::Wire,
    support::{World, claim, in_schema, jobs, join},
};

/// How many jobs a full claim has, and a full batch of outcomes.
const BATCH: usize = 500;

/// What a piece of work asked of the server.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    round_trips: usize,
    statements: usize,
}

/// A backend whose questions are counted, and a node on it.
struct Counted {
    wire: Wire,
    backend: PgBackend,
    node: NodeId,
}

impl Counted {
    async fn new(world: &World) -> Self {
        let wire = Wire::start(&world.url).await.unwrap();
        // One connection, so that each statement is prepared once; and no notices, which are sent when time has passed.
        let options = world.options().max_connections(1).notifications(false);
        let backend = options.connect(wire.url()).await.unwrap();
        let node = join(&backend).await;
        let counted = Self { wire, backend, node };
        // Everything is prepared once; so is the reading of what is stored about executors, which a node that joins does on a
        // connection of its own.
        let control = control(&counted.backend).unwrap();
        control.pause(&Scope::Executor("another".into()), Pause::new("to be read")).await.unwrap();
        assert!(counted.claim().await.is_empty());
        assert!(control.resume(&Scope::Executor("another".into())).await.unwrap());
        assert!(counted.claim().await.is_empty());
        counted.enqueue(1).await;
        let claimed = counted.claim().await;
        counted.settle(&claimed, keep).await;
        counted.enqueue(1).await;
        let claimed = counted.claim().await;
        counted.settle(&claimed, |_| Outcome::complete(false)).await;
        // Also the claim that goes on where the one before ended.
        counted.enqueue(2 * BATCH).await;
        let claimed = [counted.claim().await, counted.claim().await].concat();
        counted.settle(&claimed, |_| Outcome::complete(false)).await;
        counted
    }

    async fn cost<T>(&self, work: impl Future<Output = T>) -> (T, Cost) {
        let asked = || (self.wire.round_trips(), self.wire.statements());
        let before = asked();
        let value = work.await;
        let after = asked();
        (value, Cost { round_trips: after.0 - before.0, statements: after.1 - before.1 })
    }

    async fn enqueue(&self, count: usize) {
        assert_eq!(self.backend.enqueue(jobs("mail", count)).await.unwrap().len(), count);
    }

    async fn claim(&self) -> Vec<JobRow> {
        claim(&self.backend, self.node, "mail", BATCH).await.jobs
    }

    async fn settle(&self, claimed: &[JobRow], outcome: fn(&JobRow) -> Outcome) {
        let settlement = |job: &JobRow| Settlement::new(job.id, job.lease, outcome(job));
        let settlements: Vec<_> = claimed.iter().map(settlement).collect();
        assert_eq!(self.backend.settle(settlements.clone().into()).await.unwrap(), []);
    }
}

fn keep(_: &JobRow) -> Outcome {
    Outcome::complete(true)
}

/// A statement is a transaction by itself.
const ONE: Cost = Cost { round_trips: 1, statements: 1 };

/// A thousand jobs, from the call that enqueues them to the last outcome.
#[tokio::test]
async fn a_thousand_jobs_take_one_insert_two_claims_and_two_settlements() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        assert_eq!(counted.cost(counted.enqueue(1_000)).await.1, ONE);
        for _ in 0..2 {
            let (claimed, cost) = counted.cost(counted.claim()).await;
            assert_eq!((claimed.len(), cost), (BATCH, ONE));
            assert_eq!(counted.cost(counted.settle(&claimed, keep)).await.1, ONE);
        }
        // First it goes on where the last claim ended, unless that is too long ago, and then from the start.
        let (nothing, Cost { round_trips, statements }) = counted.cost(counted.claim()).await;
        assert!(nothing.is_empty() && round_trips <= 4 && statements <= 4, "{round_trips}, {statements}");
    })
    .await;
}

/// What is stored about one executor costs the others nothing, once the node knows of it.
#[tokio::test]
async fn a_pause_of_another_executor_costs_nothing() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        counted.enqueue(3 * BATCH).await;
        let control = control(&counted.backend).unwrap();
        control.pause(&Scope::Executor("print".into()), Pause::new("no paper")).await.unwrap();
        let (claimed, Cost { round_trips, .. }) = counted.cost(counted.claim()).await;
        assert!(claimed.len() == BATCH && round_trips <= 8, "it is outdated, and reads: {round_trips}");
        for _ in 0..2 {
            let (claimed, cost) = counted.cost(counted.claim()).await;
            assert_eq!((claimed.len(), cost), (BATCH, ONE));
            assert_eq!(counted.cost(counted.settle(&claimed, keep)).await.1, ONE);
        }
    })
    .await;
}

/// Nor do limits of another executor, while they hold or when a job of it has held it back. Those of its own cost two round trips
/// more than a pause, and one more where there are tokens to take.
#[tokio::test]
async fn a_limit_of_another_executor_costs_nothing() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        counted.enqueue(4 * BATCH).await;
        let _ = counted.backend.enqueue(jobs("print", 10)).await.unwrap();
        let rate = Rate::new(1_000, std::time::Duration::from_secs(1));
        let limits = ClusterLimits::NONE.with_concurrency(Some(100)).with_rate(Some(rate));
        let limited = async || {
            let demands = [Demand::new("print", 2).with_cluster_limits(limits)];
            counted.backend.claim(counted.node, demands.into()).await.unwrap().jobs
        };
        let printing = limited().await;
        assert_eq!(limited().await.len(), 2);
        // It begins, locks, counts, claims, takes tokens out, and commits.
        let (more, Cost { round_trips, .. }) = counted.cost(limited()).await;
        assert!(more.len() == 2 && round_trips <= 6, "{round_trips}");
        let throttle = |_: &JobRow| Outcome::throttle(rexecutor::TimeDelta::seconds(60));
        for is_throttled in [false, true] {
            if is_throttled {
                counted.settle(&printing, throttle).await;
            }
            assert_eq!(counted.claim().await.len(), BATCH, "it is outdated, and reads");
            let (claimed, cost) = counted.cost(counted.claim()).await;
            assert_eq!((claimed.len(), cost), (BATCH, ONE));
            assert_eq!(counted.cost(counted.settle(&claimed, keep)).await.1, ONE);
        }
    })
    .await;
}

#[tokio::test]
async fn callers_that_enqueue_at_once_share_few_inserts() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        let callers = futures::future::join_all((0..1_000).map(|_| counted.enqueue(1)));
        let (_, Cost { round_trips, statements }) = counted.cost(callers).await;
        // Those that come while one is under way share the next one.
        assert!(round_trips <= 4 && statements <= 4, "{round_trips} round trips, {statements} statements");
    })
    .await;
}

#[tokio::test]
async fn five_hundred_completed_jobs_that_are_not_kept_take_one_statement() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        counted.enqueue(BATCH).await;
        let claimed = counted.claim().await;
        let cost = counted.cost(counted.settle(&claimed, |_| Outcome::complete(false))).await.1;
        assert_eq!(cost, ONE);
    })
    .await;
}

/// Case 15.1: what jobs give takes no statement more, and what nobody waits for takes none; a look at 500 jobs that are waited for
/// marks them in one.
#[tokio::test]
async fn case_15_1_five_hundred_outputs_take_one_statement() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        let output = |job: &JobRow| Outcome::complete_with(format!("\"the output of {}\"", job.id));
        for is_prepared in [false, true] {
            counted.enqueue(BATCH).await;
            let claimed = counted.claim().await;
            let cost = counted.cost(counted.settle(&claimed, output)).await.1;
            assert!(cost == ONE || !is_prepared, "{cost:?}");
            let ids: Vec<_> = claimed.iter().map(|job| job.id).collect();
            let waited = counted.cost(ends(&counted.backend).unwrap().await_ends(ids)).await;
            assert!(waited.0.is_ok() && (waited.1 == ONE || !is_prepared), "{waited:?}");
        }
        assert_eq!(world.rows().await.iter().filter(|row| row.extras.output.is_some()).count(), 2 * BATCH);
    })
    .await;
}

/// Case 15.5: the ends of 500 jobs of a batch are one statement, and the look whether it has finished is another.
#[tokio::test]
async fn case_15_5_five_hundred_jobs_of_a_batch_take_one_statement_more() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        let batch = rexecutor::batches::Batch::new("many").jobs(jobs("mail", 3 * BATCH));
        let batch = batch.enqueue_to_backend(&counted.backend).await.unwrap();
        for is_prepared in [false, true] {
            let claimed = counted.claim().await;
            let ends: Vec<Settlement> = claimed
                .iter()
                .map(|row| Settlement::new(row.id, row.lease, Outcome::complete(true)).with_flow_of(row))
                .collect();
            assert_eq!(ends.len(), BATCH);
            let (refused, cost) = counted.cost(counted.backend.settle(ends.into())).await;
            assert!(refused.unwrap().is_empty());
            assert!(cost == Cost { round_trips: 2, statements: 2 } || !is_prepared, "{cost:?}");
        }
        assert_eq!(batch.status().await.unwrap().counts.complete, 2 * BATCH as u64);
    })
    .await;
}

/// Case 32: a call of more than 1 GiB was one message, which the server refuses.
#[tokio::test]
async fn case_32_a_call_of_large_jobs_is_cut_into_messages_of_8_mib() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        let large = |nth: usize| NewJob::new("mail", format!("\"{nth}{}\"", "x".repeat(1024 * 1024)));
        let enqueue = async |jobs: Vec<NewJob>| {
            let count = jobs.len();
            assert_eq!(counted.backend.enqueue(jobs).await.unwrap().len(), count);
        };
        let (_, few) = counted.cost(enqueue((0..7).map(large).collect())).await;
        assert_eq!(few, ONE);
        let (_, many) = counted.cost(enqueue((0..35).map(large).collect())).await;
        // 7 in each of them, and the begin and the commit.
        assert_eq!(many.statements, 5 + 2, "{many:?}");
        // Callers who come at once share a statement only as far as that goes.
        let callers = futures::future::join_all((0..35).map(|nth| enqueue(vec![large(nth)])));
        let (_, Cost { statements, .. }) = counted.cost(callers).await;
        assert!((5..=8).contains(&statements), "{statements}");
    })
    .await;
}

/// Case 43: many jobs of one transaction took a call each.
#[tokio::test]
async fn case_43_a_thousand_jobs_of_a_transaction_take_one_insert() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        let pool = sqlx::PgPool::connect(counted.wire.url()).await.unwrap();
        let enqueue = async |transaction: &mut sqlx::PgTransaction<'_>, count| {
            let ids = counted.backend.enqueue_in(transaction, jobs("mail", count)).await.unwrap();
            assert_eq!(ids.len(), count);
        };
        let mut transaction = pool.begin().await.unwrap();
        // They are prepared once.
        enqueue(&mut transaction, 2).await;
        let (_, cost) = counted.cost(enqueue(&mut transaction, 1_000)).await;
        // The other one asks on which database the transaction is, and announces the jobs.
        assert_eq!(cost, Cost { round_trips: 2, statements: 2 });
        transaction.commit().await.unwrap();
        assert_eq!(world.rows().await.iter().filter(|row| row.status.is_pending()).count(), 1_002);
    })
    .await;
}

/// What a node has counted in five seconds is one statement, whatever there is, and so is each rolling up.
#[tokio::test]
async fn how_jobs_went_takes_one_statement() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        let history = history(&counted.backend).unwrap();
        let once = Duration::from_millis(20);
        let tally = |executor: &'static str, end: &RunEnd| Tally::new(executor, *end, Duration::ZERO).with(once, once);
        let tallies =
            || ["mail", "print"].iter().flat_map(|name| RunEnd::ALL.iter().map(|end| tally(name, end))).collect();
        for is_prepared in [false, true] {
            let (added, cost) = counted.cost(history.add(tallies())).await;
            assert!(added.is_ok() && (cost == ONE || !is_prepared), "{added:?} {cost:?}");
            for step in HistoryStep::ALL {
                let (rolled, cost) = counted.cost(history.roll_up(*step)).await;
                assert!(matches!(rolled, Ok(false)) && (cost == ONE || !is_prepared), "{rolled:?} {cost:?}");
            }
        }
        let (recorded, cost) = counted.cost(history.read(None, Duration::from_secs(3_600))).await;
        assert_eq!(recorded.unwrap().records.len(), 2 * RunEnd::ALL.len());
        // It begins, with its time limit, reads and commits.
        assert!(cost.round_trips <= 4, "{cost:?}");
    })
    .await;
}

/// Nobody pays for events who is not listened to: a claim and outcomes of all kinds cost what they cost before anybody listened, once the
/// last listener has left and a heartbeat has told the node.
#[tokio::test]
async fn events_cost_nothing_while_nobody_listens() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        let round = async || {
            counted.enqueue(4).await;
            let (claimed, claim) = counted.cost(counted.claim()).await;
            assert_eq!(claimed.len(), 4);
            let ends: [fn(&JobRow) -> Outcome; 4] = [
                keep,
                |_| Outcome::complete(false),
                |_| Outcome::complete_with("1"),
                |_| Outcome::discard(Failure::new(ErrorType::Panic, "it broke")),
            ];
            let mut costs = vec![counted.cost(counted.enqueue(1)).await.1, claim];
            for (job, end) in claimed.iter().zip(ends) {
                costs.push(counted.cost(counted.settle(std::slice::from_ref(job), end)).await.1);
            }
            let report =
                reports(&counted.backend).unwrap().report(vec![Report::new(claimed[0].id, claimed[0].lease, "{}")]);
            costs.push(counted.cost(report).await.1);
            counted.settle(&counted.claim().await, keep).await;
            costs
        };
        // Everything is prepared once.
        round().await;
        let before = round().await;
        let mut reader = events(&counted.backend).unwrap().listen(None).await.unwrap();
        round().await;
        let listened = round().await;
        assert!(listened[1].statements > before[1].statements, "they are told of: {listened:?}");
        assert_eq!(listened[0], before[0], "who enqueues tells nobody");
        assert!(!reader.read(1_000).await.unwrap().events.is_empty());
        reader.end().await.unwrap();
        assert!(counted.backend.heartbeat(counted.node).await.unwrap().member);
        assert_eq!(round().await, before);
    })
    .await;
}

/// What an idle node asks, again and again.
#[tokio::test]
async fn a_heartbeat_takes_one_statement_and_a_rescue_of_nobody_another() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        let beat = async || counted.backend.heartbeat(counted.node).await.unwrap().member;
        let rescue = async || counted.backend.rescue(&[]).await.unwrap();
        // They are prepared once.
        assert_eq!((beat().await, rescue().await), (true, 0));
        assert_eq!(counted.cost(beat()).await, (true, ONE));
        assert_eq!(counted.cost(rescue()).await, (0, ONE));
    })
    .await;
}

/// Case 14.9: of executors in which only so many jobs may wait, an enqueue hardly ever asks whether there is room.
#[tokio::test]
async fn case_14_9_room_is_asked_for_once_a_batch() {
    in_schema(async |world| {
        let counted = Counted::new(world).await;
        let bounded = || jobs("bounded", 1).into_iter().map(|job| job.with_max_pending(100_000)).collect::<Vec<_>>();
        // The first call counts, and takes a thousand places.
        counted.backend.enqueue(bounded()).await.unwrap();
        let (_, plain) = counted.cost(counted.enqueue(1)).await;
        for _ in 0..100 {
            let (_, cost) = counted.cost(counted.backend.enqueue(bounded())).await;
            assert_eq!(cost, plain);
        }
        let many = || jobs("bounded", 899).into_iter().map(|job| job.with_max_pending(100_000)).collect::<Vec<_>>();
        let (_, cost) = counted.cost(counted.backend.enqueue(many())).await;
        assert_eq!(cost, plain);
        // The next batch, once it is prepared, is one statement more.
        counted.backend.enqueue(bounded()).await.unwrap();
        counted.backend.enqueue(many()).await.unwrap();
        counted.backend.enqueue(bounded().into_iter().cycle().take(100).collect()).await.unwrap();
        let (_, cost) = counted.cost(counted.backend.enqueue(bounded())).await;
        assert_eq!((cost.round_trips, cost.statements), (plain.round_trips + 1, plain.statements + 1));
    })
    .await;
}
