//! Pausing executors, nodes and the whole cluster. A backend that cannot is held to nothing here.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use rexecutor::backend::{Control, Node, Pause, Scope, Wakeup};

use super::harness::{COMPLETE, Harness, ids, job};

impl Harness {
    fn control(&self) -> Option<&dyn Control> {
        self.backend.control()
    }

    async fn paused(&self) -> Vec<(Scope, String)> {
        let Some(control) = self.control() else { return Vec::new() };
        let paused = control.paused().await.expect("pauses can be read");
        paused.into_iter().map(|paused| (paused.scope, paused.pause.reason)).collect()
    }
}

fn executor(name: &'static str) -> Scope {
    Scope::Executor(name.into())
}

/// Of a paused executor nothing is claimed, from the moment the pause is stored until it is resumed; what runs ends; the
/// others are claimed from in the same call.
pub async fn a_paused_executor_is_given_nothing_and_the_others_all(t: &Harness) {
    let Some(control) = t.control() else { return };
    let (mail, node) = (executor("mail"), t.join().await);
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
    assert_eq!((paused.len(), &paused[0].scope, paused[0].since), (1, &mail, t.now()));
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
    let (mail, node) = (executor("mail"), t.join().await);
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
    let mail = executor("mail");
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
    let (mail, print) = (executor("mail"), executor("print"));
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
    let mail = executor("mail");
    for end in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
        let error = control.pause(&mail, Pause::new("").until(end)).await.expect_err("its end is in no year");
        assert!(!error.is_transient() && error.to_string().contains("1 to 9999"), "{error}");
    }
    for (name, pause) in [("mail", Pause::new("a\0b")), ("ma\0il", Pause::new("")), ("mail", Pause::new("").by("\0"))] {
        let error = control.pause(&executor(name), pause).await.expect_err("it contains U+0000");
        assert!(!error.is_transient() && error.to_string().contains("U+0000"), "{error}");
    }
    // It would be the whole cluster's.
    let error = control.pause(&executor(""), Pause::new("")).await.expect_err("an executor has a name");
    assert!(!error.is_transient() && error.to_string().contains("empty"), "{error}");
    assert_eq!(t.paused().await, []);
    let id = t.enqueue(job("mail")).await;
    assert_eq!(ids(&t.claim(t.join().await, "mail", 1).await), [id]);
}

/// While the whole cluster is paused nobody is given anything, whoever joins, and also of executors that no node of today
/// knows; then all goes on but what was paused by itself.
pub async fn a_paused_cluster_gives_nothing_until_it_is_resumed(t: &Harness) {
    let Some(control) = t.control() else { return };
    let node = t.join().await;
    for executor in ["mail", "print", "new"] {
        t.enqueue(job(executor)).await;
    }
    control.pause(&executor("print"), "no paper".into()).await.expect("it can be paused");
    control.pause(&Scope::Cluster, Pause::new("we move").by("ann")).await.expect("it can be paused");
    let late = t.join().await;
    for node in [node, late] {
        let claimed = t.claim_from(node, &[("mail", 5), ("print", 5), ("new", 5)]).await;
        assert!(claimed.member && claimed.jobs.is_empty(), "{claimed:?}");
    }
    // The cluster comes first.
    let print = (executor("print"), "no paper".to_owned());
    assert_eq!(t.paused().await, [(Scope::Cluster, "we move".to_owned()), print.clone()]);
    assert!(control.resume(&Scope::Cluster).await.expect("it can be resumed"));
    assert!(!control.resume(&Scope::Cluster).await.expect("it can be resumed twice"), "it was not paused any more");
    assert_eq!(t.paused().await, [print]);
    let claimed = t.claim_from(late, &[("mail", 5), ("print", 5), ("new", 5)]).await;
    assert_eq!(claimed.jobs.iter().map(|job| job.executor.as_str()).collect::<Vec<_>>(), ["mail", "new"]);
}

/// A pause of the cluster with an end is over by itself, and a claim tells when.
pub async fn a_pause_of_the_cluster_ends_by_itself(t: &Harness) {
    let Some(control) = t.control() else { return };
    let node = t.join().await;
    let id = t.enqueue(job("mail")).await;
    let until = t.now() + TimeDelta::seconds(60);
    control.pause(&Scope::Cluster, Pause::new("a minute").until(until)).await.expect("it can be paused");
    let claimed = t.claim_from(node, &[("mail", 5)]).await;
    assert_eq!((claimed.jobs.len(), claimed.next_due_in), (0, TimeDelta::seconds(60).to_std().ok()));
    t.wait(60).await;
    assert_eq!(ids(&t.claim(node, "mail", 5).await), [id]);
    assert_eq!(t.paused().await, []);
}

/// Whoever listens is told of the end of a pause, of every executor in it.
pub async fn listeners_are_woken_when_a_pause_ends_by_hand(t: &Harness) {
    let Some(control) = t.control() else { return };
    let wakeup = Arc::new(Wakeup::default());
    let _watching = t.backend.watch(wakeup.clone());
    for scope in [executor("mail"), Scope::Cluster] {
        control.pause(&scope, "".into()).await.expect("it can be paused");
        control.resume(&scope).await.expect("it can be resumed");
        let reasons = wakeup.listen().now_or_never().expect("it has fired");
        assert!(reasons.all || reasons.executors.contains(scope.name()), "{scope}: {reasons:?}");
        assert!(reasons.all || scope != Scope::Cluster, "{scope}: {reasons:?}");
    }
}

fn labelled(label: &str) -> Scope {
    Scope::Node(label.to_owned())
}

/// Nodes of a paused label are given nothing, whatever they ask for and whenever they join, until it is resumed; the others all.
pub async fn a_paused_node_is_given_nothing_and_the_others_all(t: &Harness) {
    let Some(control) = t.control() else { return };
    let join =
        async |label: &str| t.backend.join(&Node::new(label, Duration::from_secs(60))).await.expect("a node can join");
    let [paused, other] = [join("old").await, join("new").await];
    t.enqueue_all((0..1_000).map(|_| job("mail")).collect()).await;
    for _ in 0..2 {
        assert_eq!(t.claim(paused, "mail", 150).await.len(), 150, "a long queue");
    }
    let pause = Pause::new("a new disk").by("ann");
    control.pause(&labelled("old"), pause.clone()).await.expect("it can be paused");
    control.pause(&executor("print"), "no paper".into()).await.expect("it can be paused");
    let late = join("old").await;
    for node in [paused, late] {
        let claimed = t.claim_from(node, &[("mail", 150), ("print", 5)]).await;
        assert!(claimed.member && claimed.jobs.is_empty(), "{claimed:?}");
    }
    assert_eq!(t.claim(other, "mail", 150).await.len(), 150);
    assert_eq!(t.claim(paused, "mail", 1).await, [], "whoever has claimed since");
    let shown = control.paused().await.expect("pauses can be read");
    assert_eq!((&shown[1].scope, shown[1].since, &shown[1].pause), (&labelled("old"), t.now(), &pause));
    assert_eq!(shown.len(), 2, "executors come first");
    // It is apart from that of the cluster.
    control.pause(&Scope::Cluster, "we move".into()).await.expect("it can be paused");
    assert!(control.resume(&labelled("old")).await.expect("it can be resumed"));
    assert!(!control.resume(&labelled("old")).await.expect("it can be resumed twice"), "it was not paused any more");
    assert_eq!(t.claim(paused, "mail", 1).await, []);
    control.resume(&Scope::Cluster).await.expect("it can be resumed");
    assert_eq!(t.claim(paused, "mail", 150).await.len(), 150);
    assert_eq!(t.claim(late, "mail", 1_000).await.len(), 400);
    let error = control.pause(&labelled(""), "".into()).await.expect_err("a node has a name");
    assert!(!error.is_transient() && error.to_string().contains("empty"), "{error}");
}

/// A pause of nodes with an end is over by itself, and a claim tells when.
pub async fn a_pause_of_a_node_ends_by_itself(t: &Harness) {
    let Some(control) = t.control() else { return };
    let node = t.join().await;
    let ids = t.enqueue_all(vec![job("mail"); 2]).await.len();
    let until = t.now() + TimeDelta::seconds(60);
    control.pause(&labelled("a node"), Pause::new("a minute").until(until)).await.expect("it can be paused");
    let claimed = t.claim_from(node, &[("mail", 5)]).await;
    assert_eq!((claimed.jobs.len(), claimed.next_due_in), (0, TimeDelta::seconds(60).to_std().ok()));
    t.wait(60).await;
    assert_eq!(t.claim(node, "mail", 1).await.len() + t.claim(node, "mail", 5).await.len(), ids);
    assert_eq!(t.paused().await, []);
}

/// What runs in a scope is listed, for whoever wants to stop it.
pub async fn what_runs_is_listed_by_scope(t: &Harness) {
    let Some(control) = t.control() else { return };
    let old = t.backend.join(&Node::new("old", Duration::from_secs(60))).await.expect("a node can join");
    let new = t.join().await;
    let [mail, print, other] = ["mail", "print", "mail"].map(job);
    let [mail, print] = [t.enqueue(mail).await, t.enqueue(print).await];
    assert_eq!(t.claim_from(old, &[("mail", 1), ("print", 1)]).await.jobs.len(), 2);
    let other = t.enqueue(other).await;
    assert_eq!(t.claim(new, "mail", 1).await.len(), 1);
    t.enqueue(job("mail")).await;
    let running = async |scope| {
        let running = control.running(&scope).await.expect("it can be read");
        running.into_iter().map(|(executor, id)| (executor.to_string(), id)).collect::<Vec<_>>()
    };
    let [mail, print, other] =
        [("mail", mail), ("print", print), ("mail", other)].map(|(name, id)| (name.to_owned(), id));
    assert_eq!(running(Scope::Cluster).await, [mail.clone(), print.clone(), other.clone()]);
    assert_eq!(running(executor("mail")).await, [mail.clone(), other]);
    assert_eq!(running(labelled("old")).await, [mail, print]);
    assert_eq!(running(labelled("nobody")).await, []);
}
