//! Pausing executors. A backend that cannot is held to nothing here.

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{Control, Pause},
    job::ExecutorName,
};

use super::harness::{COMPLETE, Harness, ids, job};

impl Harness {
    fn control(&self) -> Option<&dyn Control> {
        self.backend.control()
    }

    async fn paused(&self) -> Vec<(ExecutorName, String)> {
        let Some(control) = self.control() else { return Vec::new() };
        let paused = control.paused().await.expect("pauses can be read");
        paused.into_iter().map(|paused| (paused.executor, paused.pause.reason)).collect()
    }
}

/// Of a paused executor nothing is claimed, from the moment the pause is stored until it is resumed; what runs ends; the
/// others are claimed from in the same call.
pub async fn a_paused_executor_is_given_nothing_and_the_others_all(t: &Harness) {
    let Some(control) = t.control() else { return };
    let (mail, node) = (ExecutorName::from("mail"), t.join().await);
    for executor in ["mail", "print", "mail", "print"] {
        t.enqueue(job(executor)).await;
    }
    let running = t.claim(node, "mail", 1).await;
    control.pause(&mail, Pause::new("SMTP is down").by("ann")).await.expect("it can be paused");
    let claimed = t.claim_from(node, &[("print", 5), ("mail", 5)]).await;
    assert!(claimed.member);
    assert_eq!(claimed.jobs.iter().map(|job| job.executor.as_str()).collect::<Vec<_>>(), ["print", "print"]);
    assert!(t.settle(&running[0], COMPLETE).await, "what runs is left to end");
    // New ones are stored, and wait.
    let new = t.enqueue(job("mail")).await;
    assert_eq!(t.claim(node, "mail", 5).await, []);
    let paused = control.paused().await.expect("pauses can be read");
    assert_eq!((paused.len(), &paused[0].executor, paused[0].since), (1, &mail, t.now()));
    assert_eq!((paused[0].pause.reason.as_str(), paused[0].pause.by.as_deref()), ("SMTP is down", Some("ann")));
    assert!(control.resume(&mail).await.expect("it can be resumed"));
    assert!(!control.resume(&mail).await.expect("it can be resumed twice"), "it was not paused any more");
    let claimed = ids(&t.claim(node, "mail", 5).await);
    assert_eq!((claimed.len(), claimed.last()), (2, Some(&new)));
    assert_eq!(t.paused().await, []);
}

/// A pause with an end is over by the backend's clock.
pub async fn a_pause_ends_by_itself_and_a_claim_tells_when(t: &Harness) {
    let Some(control) = t.control() else { return };
    let (mail, node) = (ExecutorName::from("mail"), t.join().await);
    let id = t.enqueue(job("mail")).await;
    let until = t.now() + TimeDelta::seconds(60);
    control.pause(&mail, Pause::new("a minute").until(until)).await.expect("it can be paused");
    let claimed = t.claim_from(node, &[("mail", 5)]).await;
    assert_eq!((claimed.jobs.len(), claimed.next_due_in), (0, TimeDelta::seconds(60).to_std().ok()));
    t.wait(59).await;
    assert_eq!(t.claim(node, "mail", 5).await, []);
    assert_eq!(t.paused().await.len(), 1);
    t.wait(1).await;
    assert_eq!(ids(&t.claim(node, "mail", 5).await), [id]);
    assert_eq!(t.paused().await, []);
    assert!(!control.resume(&mail).await.expect("it can be resumed"), "it was over");
}

/// A pause holds for nodes that join later, and for those in the middle of a long queue.
pub async fn a_pause_holds_for_nodes_that_join_later_and_for_those_that_are_busy(t: &Harness) {
    let Some(control) = t.control() else { return };
    let mail = ExecutorName::from("mail");
    t.enqueue_all((0..1_000).map(|_| job("mail")).collect()).await;
    let busy = t.join().await;
    for _ in 0..3 {
        assert_eq!(t.claim(busy, "mail", 150).await.len(), 150);
    }
    control.pause(&mail, "enough".into()).await.expect("it can be paused");
    assert_eq!(t.claim(busy, "mail", 150).await, []);
    let late = t.join().await;
    assert_eq!(t.claim(late, "mail", 150).await, []);
    control.resume(&mail).await.expect("it can be resumed");
    assert_eq!(t.claim(late, "mail", 150).await.len(), 150);
    assert_eq!(t.claim(busy, "mail", 1_000).await.len(), 400);
}

/// A second pause takes the place of the first, and pauses of several executors are apart.
pub async fn a_second_pause_takes_the_place_of_the_first(t: &Harness) {
    let Some(control) = t.control() else { return };
    let (mail, print) = (ExecutorName::from("mail"), ExecutorName::from("print"));
    let soon = t.now() + TimeDelta::seconds(1);
    control.pause(&print, "no paper".into()).await.expect("it can be paused");
    control.pause(&mail, Pause::new("a moment").until(soon)).await.expect("it can be paused");
    control.pause(&mail, "for good".into()).await.expect("it can be paused again");
    t.wait(5).await;
    let both = vec![(mail.clone(), "for good".to_owned()), (print.clone(), "no paper".to_owned())];
    assert_eq!(t.paused().await, both);
    assert!(control.resume(&mail).await.expect("it can be resumed"));
    assert_eq!(t.paused().await, both[1..]);
}

/// What not every backend can store is refused by all, and keeps nobody from being claimed from.
pub async fn a_pause_that_cannot_be_stored_is_refused(t: &Harness) {
    let Some(control) = t.control() else { return };
    let mail = ExecutorName::from("mail");
    for end in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
        let error = control.pause(&mail, Pause::new("").until(end)).await.expect_err("its end is in no year");
        assert!(!error.is_transient() && error.to_string().contains("1 to 9999"), "{error}");
    }
    for (executor, pause) in
        [("mail", Pause::new("a\0b")), ("ma\0il", Pause::new("")), ("mail", Pause::new("").by("\0"))]
    {
        let error = control.pause(&executor.into(), pause).await.expect_err("it contains U+0000");
        assert!(!error.is_transient() && error.to_string().contains("U+0000"), "{error}");
    }
    assert_eq!(t.paused().await, []);
    let id = t.enqueue(job("mail")).await;
    assert_eq!(ids(&t.claim(t.join().await, "mail", 1).await), [id]);
}
