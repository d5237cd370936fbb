//! Events: what happens to jobs, for whoever listens.

use std::sync::Arc;

use futures::FutureExt;
use rexecutor::{
    TimeDelta,
    backend::{EventKind, EventReader, EventRow, Events, Interest, JobChange, NewJob, Outcome, Settlement, Wakeup},
    job::{ErrorType, JobId},
};

use super::harness::{COMPLETE, Harness, failure, job, retry};

impl Harness {
    pub(super) fn events(&self) -> Option<&dyn Events> {
        self.backend.events()
    }

    pub(super) async fn listen(&self, interest: Interest) -> Box<dyn EventReader + '_> {
        self.events().expect("asked before").listen(interest).await.expect("the backend tells of events")
    }
}

/// All that there is to be read.
pub(super) async fn read(reader: &mut Box<dyn EventReader + '_>) -> Vec<EventRow> {
    let mut events = Vec::new();
    loop {
        let page = reader.read(100).await.expect("events can be read");
        assert!(!page.has_lost, "nothing is lost");
        events.extend(page.events);
        if !page.has_more {
            return events;
        }
    }
}

fn kinds(events: &[EventRow]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

/// The events of a job.
pub(super) fn of(events: &[EventRow], id: JobId) -> Vec<EventKind> {
    events.iter().filter(|event| event.job == Some(id)).map(|event| event.kind).collect()
}

pub(super) fn tagged(executor: &'static str) -> NewJob {
    job(executor).with_tags(vec!["eu".to_owned(), "a \"b\"".to_owned()])
}

/// Each transition of a job is told once, in its order, when it is committed, with what there is to know of it.
pub async fn each_change_of_a_job_is_told_in_its_order(t: &Harness) {
    let Some(_) = t.events() else { return };
    let before = t.enqueue(tagged("mail")).await;
    let mut reader = t.listen(None).await;
    assert_eq!(read(&mut reader).await, [], "what was before is not told");
    let node = t.join().await;
    let id = t.enqueue(tagged("mail")).await;
    t.wait(1).await;
    let runs = t.claim(node, "mail", 2).await;
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [before, id]);
    assert!(t.settle(&runs[1], retry(60)).await && t.settle(&runs[0], COMPLETE).await);
    assert!(!t.settle(&runs[0], COMPLETE).await, "it has moved on, and nothing is told");
    let events = read(&mut reader).await;
    assert_eq!(of(&events, before), [EventKind::Started, EventKind::Completed]);
    assert_eq!(of(&events, id), [EventKind::Enqueued, EventKind::Started, EventKind::Retried]);
    for event in events.iter().filter(|event| event.job == Some(id)) {
        assert_eq!((event.executor.as_str(), &event.tags), ("mail", &tagged("mail").tags), "{event:?}");
        let now = t.now();
        match event.kind {
            EventKind::Enqueued => assert_eq!((event.at, event.attempt), (now - TimeDelta::seconds(1), 0)),
            EventKind::Started => assert_eq!((event.at, event.attempt, event.node), (now, 1, Some(node))),
            _ => {
                assert_eq!((event.at, event.attempt), (now, 1));
                assert_eq!(event.due_at, Some(now + TimeDelta::seconds(60)));
                let error = event.error.as_ref().expect("it failed");
                assert_eq!((error.attempt, &*error.details, error.recorded_at), (1, "it broke", now));
                assert_eq!(error.error_type, ErrorType::Other("oops".to_owned()));
            }
        }
    }
    assert_eq!(read(&mut reader).await, [], "once");

    // What follows from the outcomes of runs, and from what is done by hand.
    let outcomes = [
        (Outcome::snooze(TimeDelta::zero()), EventKind::Snoozed),
        (Outcome::throttle(TimeDelta::zero()), EventKind::Throttled),
        (Outcome::defer(TimeDelta::zero(), failure("another version")), EventKind::Deferred),
        (Outcome::GiveBack, EventKind::GivenBack),
        (Outcome::suspend(Some(t.now()), false), EventKind::Suspended),
    ];
    let executor = "mail".into();
    t.backend.rerun(&executor, id).await.expect("it waits");
    for (outcome, kind) in outcomes {
        t.wait(1).await;
        let run = t.claim(node, "mail", 1).await.pop().expect("it is due");
        assert!(t.settle(&run, outcome).await);
        assert_eq!(
            kinds(&read(&mut reader).await).split_off(usize::from(kind == EventKind::Snoozed)),
            [EventKind::Started, kind]
        );
    }
    t.wait(1).await;
    let run = t.claim(node, "mail", 1).await.pop().expect("it is due");
    t.backend.cancel(&executor, id, "no paper".to_owned()).await.expect("it runs");
    assert!(t.settle(&run, COMPLETE).await);
    t.backend.update(&executor, id, JobChange::of(&t.row(id).await)).await.expect("it does not run");
    t.backend.rerun(&executor, id).await.expect("it is cancelled");
    t.backend.cancel(&executor, id, "a mistake".to_owned()).await.expect("it waits");
    t.backend.delete(&executor, id).await.expect("it is cancelled");
    let events = read(&mut reader).await;
    let expected = [
        EventKind::Started,
        EventKind::CancelRequested,
        EventKind::Cancelled,
        EventKind::Updated,
        EventKind::Rerun,
        EventKind::Cancelled,
        EventKind::Deleted,
    ];
    assert_eq!(kinds(&events), expected);
    let reasons: Vec<Option<&str>> = events.iter().map(|event| event.detail.as_deref()).collect();
    assert_eq!([reasons[1], reasons[2], reasons[5]], [Some("no paper"), Some("no paper"), Some("a mistake")]);
    assert!(events.iter().all(|event| event.tags == tagged("mail").tags && event.job == Some(id)), "{events:?}");
    reader.end().await.expect("it can end");
}

/// A job that is not kept is told of like others, though its row is gone before anybody has read that it was enqueued; so is one that
/// has an output, and one that is part of a batch with others of its kind.
pub async fn a_job_that_is_gone_was_told_of(t: &Harness) {
    let Some(_) = t.events() else { return };
    let mut reader = t.listen(None).await;
    let node = t.join().await;
    let ids: Vec<JobId> = t.enqueue_all(vec![tagged("mail"); 6]).await.iter().map(|job| job.id()).collect();
    let runs = t.claim(node, "mail", 6).await;
    let outcomes = [
        Outcome::complete(false),
        COMPLETE,
        Outcome::complete_with("1"),
        Outcome::complete(false),
        retry(0),
        Outcome::discard(failure("it broke")),
    ];
    let settlements = runs.iter().zip(outcomes).map(|(run, outcome)| Settlement::new(run.id, run.lease, outcome));
    assert_eq!(t.backend.settle(settlements.collect()).await.expect("outcomes can be stored"), []);
    assert!(t.find(ids[0]).await.is_none() && t.find(ids[1]).await.is_some());
    let events = read(&mut reader).await;
    let last = [EventKind::Completed; 4].into_iter().chain([EventKind::Retried, EventKind::Discarded]);
    for (id, last) in ids.iter().zip(last) {
        assert_eq!(of(&events, *id), [EventKind::Enqueued, EventKind::Started, last]);
    }
    assert!(events.iter().all(|event| event.tags == tagged("mail").tags && event.executor.as_str() == "mail"));
    // Its number is not met again by whatever comes later.
    let next = t.enqueue(tagged("mail")).await;
    assert_eq!(of(&read(&mut reader).await, next), [EventKind::Enqueued]);
    reader.end().await.expect("it can end");
}

/// A listener is given what it asks for, and each of several all of it; one that has ended costs nothing any more.
pub async fn a_listener_is_told_what_it_asks_for(t: &Harness) {
    let Some(_) = t.events() else { return };
    let mut mail = t.listen(Some(vec!["mail".into()])).await;
    let mut none = t.listen(Some(Vec::new())).await;
    let runs = [t.running(job("mail")).await, t.running(job("print")).await];
    for run in &runs {
        assert!(t.settle(run, COMPLETE).await);
    }
    let whole = [EventKind::Enqueued, EventKind::Started, EventKind::Completed];
    let events = read(&mut mail).await;
    assert_eq!((of(&events, runs[0].id), events.len()), (whole.to_vec(), 3));
    assert_eq!(read(&mut none).await, []);
    let mut all = t.listen(None).await;
    assert_eq!(read(&mut all).await, [], "what was before is none of its");
    mail.attend(Some(vec!["print".into()])).await.expect("it can listen for others");
    let run = t.running(job("print")).await;
    assert!(t.settle(&run, COMPLETE).await);
    for reader in [&mut mail, &mut all] {
        assert_eq!(of(&read(reader).await, run.id), whole);
    }
    mail.end().await.expect("it can end");
    none.end().await.expect("it can end");
    let run = t.running(job("mail")).await;
    assert_eq!(of(&read(&mut all).await, run.id), [EventKind::Enqueued, EventKind::Started]);
    all.end().await.expect("it can end");
    assert!(t.settle(&run, retry(0)).await);
    let mut later = t.listen(None).await;
    assert_eq!(read(&mut later).await, [], "while nobody has listened nothing was written");
    let run = t.claim(t.join().await, "mail", 1).await.pop().expect("it is due again");
    assert_eq!(of(&read(&mut later).await, run.id), [EventKind::Started]);
    later.end().await.expect("it can end");
}

/// A wakeup of events fires for whatever happens.
pub async fn listeners_are_woken_by_events(t: &Harness) {
    let Some(_) = t.events() else { return };
    let mut reader = t.listen(None).await;
    let node = t.join().await;
    t.claim(node, "mail", 1).await;
    let wakeup = Arc::new(Wakeup::of_events());
    let mut watch = t.backend.watch(wakeup.clone());
    assert!(watch.as_mut().now_or_never().is_none(), "a watch goes on");
    let woken = async || {
        tokio::select! {
            biased;
            reasons = wakeup.listen() => assert!(reasons.all),
            _ = &mut watch => panic!("the watch has ended"),
        }
    };
    wakeup.wake_all();
    let mut woken = woken;
    woken().await;
    t.enqueue(job("mail")).await;
    woken().await;
    let run = t.claim_from(node, &[("mail", 1)]).await.jobs.pop().expect("it is due");
    woken().await;
    assert!(t.settle(&run, COMPLETE).await);
    woken().await;
    reader.end().await.expect("it can end");
}
