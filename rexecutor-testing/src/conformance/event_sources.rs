//! Where events come from: what others do to jobs, and many who work at once.

use std::collections::BTreeMap;

use futures::{FutureExt, future::join_all};
use rexecutor::{
    TimeDelta,
    backend::{Deadline, EventKind, Filter, JobRow, Outcome, Pause, Report, Scope, Settlement, Unique},
    job::{
        ErrorType, JobId, JobStatus, Lease,
        uniqueness_criteria::{Replace, Resolution, Statuses, UniqueKey},
    },
};

use super::{
    events::{of, read, tagged},
    harness::{COMPLETE, Harness, failure, job},
    workflow::task,
};

/// Runs that are lost, deadlines that come, and jobs that others release or replace are told as all else.
pub async fn what_others_do_to_a_job_is_told(t: &Harness) {
    let Some(_) = t.events() else { return };
    let mut reader = t.listen(None).await;
    let lost = t.running(tagged("mail").with_max_attempts(1)).await;
    assert_eq!(t.declare_dead(&[lost.node.expect("it runs")]).await, 1);
    let mut late = tagged("mail");
    late.extras.set(|extra| &mut extra.deadline, Some(Deadline::At(t.now() + TimeDelta::seconds(5))));
    let late = t.enqueue(late).await;
    t.wait(6).await;
    t.backend.rescue(&[]).await.expect("rescue works");
    let blocked = t.enqueue(job("mail").with_blocked(true)).await;
    t.backend.release(&"mail".into(), blocked).await.expect("it is blocked");
    let replace = Resolution::Replace(Replace::priority());
    let key = Unique::new(UniqueKey([7; 16]), Statuses::of(&[JobStatus::Scheduled])).with_on_conflict(replace);
    let replaced = t.enqueue(job("mail").with_unique(key.clone())).await;
    assert_eq!(t.enqueue(job("mail").with_priority(7).with_unique(key)).await, replaced);
    let events = read(&mut reader).await;
    assert_eq!(of(&events, lost.id), [EventKind::Enqueued, EventKind::Started, EventKind::Discarded]);
    assert_eq!(of(&events, late), [EventKind::Enqueued, EventKind::Discarded]);
    assert_eq!(of(&events, blocked), [EventKind::Enqueued, EventKind::Released]);
    assert_eq!(of(&events, replaced), [EventKind::Enqueued, EventKind::Updated]);
    let errors: Vec<ErrorType> = events.iter().filter_map(|event| Some(event.error.clone()?.error_type)).collect();
    assert_eq!(errors, [ErrorType::NodeLost, ErrorType::DeadlinePassed]);

    if t.backend.step_log().is_some() {
        let waiting = t.waiting_for_signal(None).await;
        let log = t.backend.step_log().expect("asked before");
        let _ = log.signal(&"mail".into(), waiting, "approval", "1".to_owned()).await.expect("it waits");
        let expected = [EventKind::Enqueued, EventKind::Started, EventKind::Suspended, EventKind::Released];
        assert_eq!(of(&read(&mut reader).await, waiting), expected);
    }
    reader.end().await.expect("it can end");
}

/// Tasks of workflows are released and cancelled as those before them end.
pub async fn what_a_workflow_does_to_its_jobs_is_told(t: &Harness) {
    let (Some(_), Some(_)) = (t.events(), t.backend.flows()) else { return };
    let mut reader = t.listen(None).await;
    let flow = t.workflow(vec![task("a", &[]), task("b", &["a"]), task("c", &["b"])]).await;
    flow.run("a", COMPLETE).await;
    flow.run("b", Outcome::discard(failure("it broke"))).await;
    let events = read(&mut reader).await;
    let of_task = |name: &str| of(&events, flow.jobs[name]);
    assert_eq!(of_task("a"), [EventKind::Enqueued, EventKind::Started, EventKind::Completed]);
    let expected = [EventKind::Enqueued, EventKind::Released, EventKind::Started, EventKind::Discarded];
    assert_eq!(of_task("b"), expected);
    assert_eq!(of_task("c"), [EventKind::Enqueued, EventKind::Cancelled]);
    reader.end().await.expect("it can end");
}

/// Pauses and their ends are told to all, and what runs say of their progress to those who listen for them.
pub async fn pauses_and_progress_are_told(t: &Harness) {
    let (Some(_), Some(control), Some(reports)) = (t.events(), t.backend.control(), t.backend.reports()) else {
        return;
    };
    let mut reader = t.listen(Some(vec!["mail".into()])).await;
    let pause = Pause::new("no \"paper\"").by("ann").until(t.now() + TimeDelta::seconds(60));
    let scopes = [Scope::Cluster, Scope::Executor("print".into()), Scope::Node("n 1".into()), Scope::Tag("eu".into())];
    let mut expected = Vec::new();
    for scope in scopes {
        control.pause(&scope, pause.clone()).await.expect("it can be paused");
        assert!(control.resume(&scope).await.expect("it can be resumed"));
        assert!(!control.resume(&scope).await.expect("it can be resumed twice"));
        expected.extend([(scope.clone(), Some(pause.clone())), (scope, None)]);
    }
    let events = read(&mut reader).await;
    let told = events.iter().map(|event| event.pause().expect("it can be read"));
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert!(events.iter().all(|event| event.at == t.now() && event.job.is_none()));

    let run = t.running(tagged("mail")).await;
    read(&mut reader).await;
    let said = r#"{"attempt":1,"done":3,"total":7,"reported_at":"2030-01-01T00:00:00Z"}"#;
    let stale = Report::new(run.id, Lease(run.lease.0 + 1), "{}");
    reports.report(vec![Report::new(run.id, run.lease, said)]).await.expect("reports can be stored");
    reports.report(vec![stale]).await.expect("it changes nothing");
    let events = read(&mut reader).await;
    let [event] = &events[..] else { panic!("one: {events:?}") };
    assert_eq!((event.kind, event.job, event.detail.as_deref()), (EventKind::Progress, Some(run.id), Some(said)));
    assert_eq!((event.attempt, &event.tags), (1, &tagged("mail").tags));
    reader.end().await.expect("it can end");
}

/// Whoever does what at the same time: the events of each job are read once, and in its order.
pub async fn the_events_of_each_job_come_in_order_whoever_works_at_once(t: &Harness) {
    const JOBS: usize = 40;
    let Some(_) = t.events() else { return };
    let mut reader = t.listen(None).await;
    let works = (0..8).map(|nth| {
        let t = t.clone();
        tokio::spawn(async move {
            let node = t.join().await;
            t.enqueue_all(vec![job("mail"); JOBS / 8]).await;
            // Each takes what it finds, and gives some of it back.
            for round in 0..200 {
                let runs = t.claim(node, "mail", 3).await;
                let left = t.query(Filter::StatusIn(vec![JobStatus::Complete])).await.len();
                if left == JOBS {
                    return;
                }
                let end = |run: &JobRow| match (run.attempt + nth) % 3 {
                    0 if round < 100 => Outcome::GiveBack,
                    _ => COMPLETE,
                };
                let settlements = runs.iter().map(|run| Settlement::new(run.id, run.lease, end(run)));
                t.backend.settle(settlements.collect()).await.expect("outcomes can be stored");
            }
        })
    });
    let mut events = Vec::new();
    let mut works = Box::pin(join_all(works));
    while works.as_mut().now_or_never().is_none() {
        events.extend(read(&mut reader).await);
        tokio::task::yield_now().await;
    }
    events.extend(read(&mut reader).await);
    let mut lives: BTreeMap<JobId, Vec<EventKind>> = BTreeMap::new();
    events.iter().for_each(|event| lives.entry(event.job.expect("no pauses")).or_default().push(event.kind));
    assert_eq!(lives.len(), JOBS);
    for (id, life) in lives {
        let (first, runs) = life.split_first().expect("there is one");
        assert_eq!(*first, EventKind::Enqueued, "{id}: {life:?}");
        let is_run = |run: &[EventKind]| run[0] == EventKind::Started && run[1] != EventKind::Started;
        assert!(runs.len() % 2 == 0 && runs.chunks(2).all(is_run), "{id}: {life:?}");
        let ends = runs.iter().filter(|kind| **kind == EventKind::Completed).count();
        assert_eq!((ends, runs.last()), (1, Some(&EventKind::Completed)), "{id}: {life:?}");
    }
    reader.end().await.expect("it can end");
}
