//! Pausing jobs by their tags. A backend that cannot is held to nothing here.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::FutureExt;
use rexecutor::{
    backend::{
        ClusterLimits, Control, Deadline, Demand, Due, JobChange, JobRow, NewJob, OnDiscard, Outcome, Pause, Rate,
        Scope, Wakeup,
    },
    job::{ErrorType, JobId, JobStatus, NodeId},
};

use super::harness::{COMPLETE, Harness, ids, job};

fn tag(name: &str) -> Scope {
    Scope::Tag(name.to_owned())
}

fn tagged(executor: &'static str, tags: &[&str]) -> NewJob {
    job(executor).with_tags(tags.iter().map(|tag| (*tag).to_owned()).collect())
}

impl Harness {
    fn tags(&self) -> Option<&dyn Control> {
        self.backend.control()
    }

    async fn pause_tag(&self, name: &str) {
        let pause = Pause::new("their endpoint is down").by("ann");
        self.tags().expect("it can pause").pause(&tag(name), pause).await.expect("a tag can be paused");
    }

    async fn resume_tag(&self, name: &str) -> bool {
        self.tags().expect("it can pause").resume(&tag(name)).await.expect("a tag can be resumed")
    }

    /// Claims until nothing comes and nobody is to come back at once.
    async fn claim_all(&self, node: NodeId, executors: &[(&'static str, usize)]) -> Vec<JobRow> {
        let mut jobs = Vec::new();
        for _ in 0..500 {
            let claimed = self.claim_from(node, executors).await;
            assert!(claimed.member);
            let is_over = claimed.jobs.is_empty() && claimed.next_due_in.is_none_or(|left| !left.is_zero());
            jobs.extend(claimed.jobs);
            if is_over {
                return jobs;
            }
        }
        panic!("it never ends")
    }
}

/// No job that has the tag is given, of any executor and on any node, and all others are; once it is resumed they come in their order.
pub async fn case_14_6_jobs_of_a_paused_tag_are_given_to_nobody(t: &Harness) {
    let Some(control) = t.tags() else { return };
    let node = t.join().await;
    let running = t.running(tagged("mail", &["acme"])).await;
    let mut held = Vec::new();
    for number in 0..6 {
        let executor = ["mail", "print"][number % 2];
        held.push(
            t.enqueue(tagged(executor, &["vip", "acme"]).with_priority(u16::try_from(number % 3).unwrap_or_default()))
                .await,
        );
        t.enqueue(tagged(executor, &["zoo"])).await;
        t.enqueue(job(executor)).await;
    }
    t.pause_tag("acme").await;
    let all = [("mail", 50), ("print", 50)];
    for node in [node, t.join().await] {
        let claimed = t.claim_all(node, &all).await;
        assert!(claimed.iter().all(|job| !job.tags.contains(&"acme".to_owned())), "{:?}", ids(&claimed));
        for job in &claimed {
            assert!(t.settle(job, Outcome::GiveBack).await);
        }
    }
    assert_eq!(t.claim_all(node, &all).await.len(), 12, "all others");
    held.push(t.enqueue(tagged("mail", &["acme"]).with_priority(2)).await);
    assert_eq!(t.claim_all(node, &all).await, [], "new ones wait, too");
    assert!(t.settle(&running, COMPLETE).await, "what runs is left to end");
    let paused = control.paused().await.expect("pauses can be read");
    assert_eq!((paused.len(), &paused[0].scope, paused[0].since), (1, &tag("acme"), t.now()));
    assert_eq!(
        (paused[0].pause.reason.as_str(), paused[0].pause.by.as_deref()),
        ("their endpoint is down", Some("ann"))
    );
    assert!(t.resume_tag("acme").await);
    assert!(!t.resume_tag("acme").await, "it was not paused any more");
    let back = t.claim_all(node, &all).await;
    let mut wanted: Vec<JobRow> = Vec::new();
    for id in held {
        wanted.push(t.row(id).await);
    }
    for executor in ["mail", "print"] {
        let of = |rows: &[JobRow]| {
            ids(&rows.iter().filter(|row| row.executor.as_str() == executor).cloned().collect::<Vec<_>>())
        };
        let mut wanted: Vec<JobRow> = wanted.clone();
        wanted.sort_by_key(|row| (row.priority, row.id));
        assert_eq!(of(&back), of(&wanted), "in their order");
    }
    assert!(back.iter().all(|row| row.attempt == 1), "{back:?}");
    assert_eq!(control.paused().await.expect("pauses can be read"), []);
    // Nothing is stored any more that claims have to keep to.
    let id = t.enqueue(tagged("mail", &["acme"])).await;
    assert_eq!(ids(&t.claim(node, "mail", 9).await), [id]);
}

/// A pause with an end is over by itself, and claims tell when.
pub async fn case_14_6_a_pause_of_a_tag_ends_by_itself(t: &Harness) {
    let Some(control) = t.tags() else { return };
    let node = t.join().await;
    let [one, other] = [t.enqueue(tagged("mail", &["acme"])).await, t.enqueue(tagged("mail", &["acme"])).await];
    let until = t.now() + TimeDelta::seconds(60);
    control.pause(&tag("acme"), Pause::new("a minute").until(until)).await.expect("it can be paused");
    assert_eq!(t.claim_all(node, &[("mail", 9)]).await, []);
    let claimed = t.claim_from(node, &[("mail", 9)]).await;
    assert_eq!((claimed.jobs.len(), claimed.next_due_in), (0, TimeDelta::seconds(60).to_std().ok()));
    t.wait(59).await;
    assert_eq!(t.claim_all(node, &[("mail", 9)]).await, []);
    // Another one takes its place.
    let until = t.now() + TimeDelta::seconds(5);
    control.pause(&tag("acme"), Pause::new("five seconds more").until(until)).await.expect("it can be paused");
    t.wait(4).await;
    assert_eq!(t.claim_all(node, &[("mail", 9)]).await, []);
    t.wait(1).await;
    assert_eq!(control.paused().await.expect("pauses can be read"), []);
    assert_eq!(ids(&t.claim_all(node, &[("mail", 9)]).await), [one, other]);
    let error = control.pause(&tag(""), "".into()).await.expect_err("a tag has a name");
    assert!(!error.is_transient() && error.to_string().contains("the tag is empty"), "{error}");
    let long = control.pause(&tag(&"x".repeat(256)), "".into()).await.expect_err("no job has such a tag");
    assert!(long.to_string().contains("a tag of 256 bytes, which no job has; the limit is 255"), "{long}");
    control.pause(&tag(&"x".repeat(255)), "".into()).await.expect("a job may have such a tag");
}

/// Twenty thousand paused jobs at the head of a line keep nobody waiting for long, and are met once.
pub async fn case_14_6_paused_jobs_at_the_head_of_a_line_keep_no_other_waiting(t: &Harness) {
    if t.tags().is_none() {
        return;
    }
    let node = t.join().await;
    for _ in 0..20 {
        t.enqueue_all(vec![tagged("mail", &["acme"]); 1_000]).await;
    }
    let last = t.enqueue(job("mail")).await;
    t.pause_tag("acme").await;
    let mut claims = 0;
    let claimed = loop {
        claims += 1;
        let claimed = t.claim_from(node, &[("mail", 1)]).await;
        if !claimed.jobs.is_empty() {
            break claimed.jobs;
        }
        assert!(claims < 10, "a job waits behind paused ones");
    };
    assert_eq!(ids(&claimed), [last]);
    let next = t.claim_from(node, &[("mail", 1)]).await.next_due_in;
    assert!(next.is_none_or(|left| !left.is_zero()), "nobody comes back at once for them");
    assert!(t.resume_tag("acme").await);
    let back = t.claim_all(node, &[("mail", 1_000)]).await;
    assert_eq!(back.len(), 20_000);
    assert!(back.is_sorted_by_key(|row| row.id));
}

/// A job is given only if none of its tags is paused.
pub async fn case_14_6_a_job_of_two_paused_tags_waits_for_both(t: &Harness) {
    if t.tags().is_none() {
        return;
    }
    let node = t.join().await;
    let both = t.enqueue(tagged("mail", &["acme", "zoo"])).await;
    let one = t.enqueue(tagged("mail", &["zoo"])).await;
    t.pause_tag("acme").await;
    t.pause_tag("zoo").await;
    assert_eq!(t.claim_all(node, &[("mail", 9)]).await, []);
    assert!(t.resume_tag("zoo").await);
    assert_eq!(ids(&t.claim_all(node, &[("mail", 9)]).await), [one]);
    assert!(t.resume_tag("acme").await);
    assert_eq!(ids(&t.claim_all(node, &[("mail", 9)]).await), [both]);
}

/// It holds where keys are served in rotation, where the jobs of a key run in order, and beside limits.
pub async fn case_14_6_a_paused_tag_holds_beside_limits(t: &Harness) {
    if t.tags().is_none() {
        return;
    }
    let claim = async |limits: ClusterLimits| {
        // What a node declares stays so.
        let (node, mut count) = (t.join().await, 0);
        for _ in 0..20 {
            let demand = Demand::new("mail", 2).with_cluster_limits(limits);
            for job in t.backend.claim(node, [demand].into()).await.expect("jobs can be claimed").jobs {
                assert!(!job.tags.contains(&"acme".to_owned()), "{job:?}");
                assert!(t.settle(&job, COMPLETE).await);
                count += 1;
            }
        }
        t.backend.leave(node).await.expect("a node can leave");
        count
    };
    t.pause_tag("acme").await;
    let limits = [
        ClusterLimits::NONE.with_per_key(Some(2)),
        ClusterLimits::NONE.with_ordered(true),
        ClusterLimits::NONE.with_concurrency(Some(9)).with_rate(Some(Rate::new(9, std::time::Duration::from_secs(1)))),
    ];
    for limits in limits {
        for number in 0..9 {
            let key = ["ann", "bob", "cleo"][number % 3];
            let held = tagged("mail", if key == "ann" { &["acme"] } else { &[] }).with_group_key(key.to_owned());
            t.enqueue(if limits.ordered { held.with_order(OnDiscard::Skip) } else { held }).await;
        }
        assert_eq!(claim(limits).await, 6, "{limits:?}");
    }
    assert!(t.resume_tag("acme").await);
    let rest = t.claim_all(t.join().await, &[("mail", 9)]).await;
    assert!(rest.len() == 9 && rest.iter().all(|job| job.tags == ["acme"]), "{rest:?}");
}

/// What somebody does by hand with a job that is set aside is done.
pub async fn case_14_6_a_job_of_a_paused_tag_is_changed_by_hand(t: &Harness) {
    if t.tags().is_none() {
        return;
    }
    let (node, mail) = (t.join().await, "mail".into());
    let mut jobs: Vec<JobId> = Vec::new();
    for _ in 0..4 {
        jobs.push(t.enqueue(tagged("mail", &["acme"])).await);
    }
    let late = t.enqueue(tagged("mail", &["acme"]).with_deadline(Deadline::In(TimeDelta::seconds(5)))).await;
    t.pause_tag("acme").await;
    assert_eq!(t.claim_all(node, &[("mail", 9)]).await, []);
    t.backend.cancel(&mail, jobs[0], "enough".to_owned()).await.expect("it can be cancelled");
    t.backend.delete(&mail, jobs[0]).await.expect("it can be deleted");
    t.backend.rerun(&mail, jobs[1]).await.expect("it can be rerun");
    let mut change = JobChange::of(&t.row(jobs[2]).await);
    change.scheduled_at = t.now() + TimeDelta::seconds(90);
    t.backend.update(&mail, jobs[2], change).await.expect("it can be changed");
    t.wait(6).await;
    t.backend.rescue(&[]).await.expect("rescue works");
    let discarded = t.row(late).await;
    assert_eq!((discarded.status, &discarded.errors[0].error_type), (JobStatus::Discarded, &ErrorType::DeadlinePassed));
    assert_eq!(t.claim_all(node, &[("mail", 9)]).await, [], "the one that was rerun, too");
    assert!(t.resume_tag("acme").await);
    let mut back = ids(&t.claim_all(node, &[("mail", 9)]).await);
    back.sort_unstable();
    assert_eq!(back, [jobs[1], jobs[3]]);
    t.wait(90).await;
    assert_eq!(ids(&t.claim_all(node, &[("mail", 9)]).await), [jobs[2]], "its own due time");
}

/// Whoever claims while a tag is paused and resumed gives none of it away in between, and loses none.
pub async fn case_14_6_no_claim_that_begins_after_a_pause_gives_a_job_of_the_tag(t: &Harness) {
    if t.tags().is_none() {
        return;
    }
    for _ in 0..10 {
        t.enqueue_all(vec![tagged("mail", &["acme"]); 20]).await;
        t.enqueue_all(vec![job("mail"); 20]).await;
    }
    let mut nodes = Vec::new();
    for _ in 0..8 {
        nodes.push(t.join().await);
    }
    let mut given = 0;
    for round in 0..6 {
        let is_paused = round % 2 == 0;
        match is_paused {
            true => t.pause_tag("acme").await,
            false => assert!(t.resume_tag("acme").await),
        }
        // One at a time of each node, as nodes do.
        let tasks = nodes.iter().map(|node| {
            let (t, node) = (t.clone(), *node);
            tokio::spawn(async move { t.claim_from(node, &[("mail", 5)]).await.jobs })
        });
        for claimed in futures::future::join_all(tasks).await {
            let claimed = claimed.expect("no task panics");
            assert!(!is_paused || claimed.iter().all(|job| job.tags.is_empty()), "{:?}", ids(&claimed));
            given += claimed.len();
        }
    }
    given += t.claim_all(nodes[0], &[("mail", 100)]).await.len();
    assert_eq!(given, 400);
}

/// A clock that is set back keeps no job of a tag waiting that was paused.
pub async fn case_44_a_job_of_a_paused_tag_does_not_wait_for_a_clock_that_was_set_back(t: &Harness) {
    if t.tags().is_none() {
        return;
    }
    let node = t.join().await;
    let run = t.running(tagged("mail", &["acme"])).await;
    assert!(t.settle(&run, Outcome::GiveBack).await);
    let new = t.enqueue(tagged("mail", &["acme"])).await;
    t.pause_tag("acme").await;
    assert_eq!(t.claim_all(node, &[("mail", 9)]).await, []);
    t.backend.heartbeat(node).await.expect("heartbeats work");
    t.clock.jump(TimeDelta::hours(-5)).await;
    t.backend.heartbeat(node).await.expect("heartbeats work");
    assert!(t.resume_tag("acme").await);
    assert_eq!(ids(&t.claim_all(node, &[("mail", 9)]).await).len(), [run.id, new].len());
}

/// Those who wait are woken when it is resumed; what runs is listed by its tag.
pub async fn case_14_6_listeners_are_woken_when_a_tag_is_resumed(t: &Harness) {
    let Some(control) = t.tags() else { return };
    let run = t.running(tagged("mail", &["acme", "vip"])).await;
    t.running(tagged("mail", &["acme2"])).await;
    let running = control.running(&tag("acme")).await.expect("it can be read");
    assert_eq!(running, [("mail".into(), run.id)]);
    let wakeup = Arc::new(Wakeup::default());
    let _watching = t.backend.watch(wakeup.clone());
    t.pause_tag("acme").await;
    assert!(t.resume_tag("acme").await);
    assert!(wakeup.listen().now_or_never().expect("it has fired").all);
}

/// A job says which tag of it is paused, whether it was set aside or not.
pub async fn case_14_6_a_paused_tag_says_by_whom_since_when_and_why(t: &Harness) {
    if t.tags().is_none() {
        return;
    }
    let node = t.node(50, None, &["mail"]).await;
    let id = t.enqueue(tagged("mail", &["vip", "acme"])).await;
    let later = t.enqueue(tagged("mail", &["acme"]).with_due(Due::In(TimeDelta::seconds(600)))).await;
    t.pause_tag("acme").await;
    t.wait(5).await;
    let says = "Its tag `acme` is paused by ann, for 5 s: their endpoint is down";
    t.is_why(id, "tag_is_paused", says).await;
    assert_eq!(t.claim_all(node, &[("mail", 9)]).await, []);
    t.is_why(id, "tag_is_paused", says).await;
    t.is_why(later, "not_due", "").await;
    if let Some(observe) = t.observe() {
        let cluster = observe.cluster().await.expect("the cluster can be read");
        assert_eq!(cluster.tags.iter().map(|paused| &paused.scope).collect::<Vec<_>>(), [&tag("acme")]);
    }
    assert!(t.resume_tag("acme").await);
    t.claim_from(node, &[("mail", 0)]).await;
    t.is_why(id, "ready", "").await;
}
