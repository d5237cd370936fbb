//! `Observe`. A backend that cannot is held to nothing here.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rexecutor::{
    backend::{
        AboutNode, ClusterLimits, Demand, Due, Filter, JobRow, Limit, NewJob, Node, Outcome, Pause, Rate, Scope,
        observe::{JobOrder, JobsPage, JobsRequest, Observe, Position},
    },
    job::{ExecutorName, JobId, JobStatus},
};

use super::{
    harness::{COMPLETE, Harness, ids, job, retry},
    query,
};

impl Harness {
    pub(super) fn observe(&self) -> Option<&dyn Observe> {
        self.backend.observe()
    }

    async fn page(&self, request: &JobsRequest) -> JobsPage {
        let observe = self.observe().expect("it can be observed");
        observe.page(request).await.expect("pages can be read")
    }

    /// All pages, one after the other; none of them is longer than it may be.
    async fn pages(&self, mut request: JobsRequest) -> Vec<JobId> {
        let mut found = Vec::new();
        loop {
            let page = self.page(&request).await;
            assert!(page.jobs.len() <= request.limit);
            found.extend(ids(&page.jobs));
            match page.next {
                Some(next) => request.after = Some(next),
                None => return found,
            }
        }
    }

    /// Jobs of every status: 40 of which each has another due time, and some finished at the same instant.
    async fn of_all_kinds(&self) {
        for number in 0_i32..40 {
            let due = Due::At(self.now() + TimeDelta::seconds(i64::from(number % 7) - 3));
            let new = job(["mail", "print"][usize::from(number % 3 == 0)]).with_due(due);
            let new = new.with_priority(u16::try_from(number % 2).expect("it is small"));
            self.enqueue(new.with_blocked(number % 11 == 10)).await;
            self.clock.advance(TimeDelta::microseconds(1)).await;
        }
        let node = self.join().await;
        let ends = [COMPLETE, retry(5), Outcome::cancel("no"), Outcome::discard(super::harness::failure("bad"))];
        let runs = self.claim_from(node, &[("mail", 12), ("print", 4)]).await.jobs;
        for (run, outcome) in runs.into_iter().zip(ends.into_iter().cycle()).skip(3) {
            assert!(self.settle(&run, outcome).await);
        }
        self.clock.advance(TimeDelta::microseconds(1)).await;
        for run in self.claim(node, "mail", 3).await {
            assert!(self.settle(&run, COMPLETE).await);
        }
    }
}

/// What a page should have, by the definition of the order.
fn expected(all: &[JobRow], request: &JobsRequest, now: DateTime<Utc>) -> Vec<JobId> {
    let order = request.order;
    let mut wanted: Vec<(Position, JobId)> = all
        .iter()
        .filter(|row| request.filter.matches(row, now))
        .filter_map(|row| Some((order.position(row)?, row.id)))
        .collect();
    wanted.sort();
    if matches!(order, JobOrder::Newest | JobOrder::Finished) {
        wanted.reverse();
    }
    wanted.into_iter().map(|(_, id)| id).collect()
}

const ALL: Filter = Filter::All(Vec::new());

/// Whatever the size of a page is, and however many jobs stand at one instant.
pub async fn pages_have_every_job_once_in_each_order(t: &Harness) {
    if t.observe().is_none() {
        return;
    }
    t.of_all_kinds().await;
    let all = t.all().await;
    for order in JobOrder::ALL {
        for size in [1, 3, 50] {
            let request = JobsRequest::new(ALL).in_order(*order).at_most(size);
            assert_eq!(t.pages(request.clone()).await, expected(&all, &request, t.now()), "{order:?}, {size}");
        }
    }
    let first = t.page(&JobsRequest::new(ALL).at_most(2)).await;
    assert!(!first.is_partial && first.next.is_some() && first.now == t.now());
}

/// Every condition, nested at random, in every order.
pub async fn every_filter_and_order_give_what_the_reference_says(t: &Harness) {
    if t.observe().is_none() {
        return;
    }
    query::populate(t).await;
    let all = t.all().await;
    let mut runner = TestRunner::deterministic();
    let strategy = (query::filters(t), prop::sample::select(JobOrder::ALL.to_vec()), 1_usize..40);
    for _ in 0..150 {
        let (filter, order, size) = strategy.new_tree(&mut runner).expect("filters can be made").current();
        let request = JobsRequest::new(filter).in_order(order).at_most(size);
        assert_eq!(t.pages(request.clone()).await, expected(&all, &request, t.now()), "{request:?}");
    }
}

/// A page does not read the whole table for what few jobs have: it stops, and says where it goes on.
pub async fn a_page_of_a_rare_kind_ends_early_and_continues(t: &Harness) {
    if t.observe().is_none() {
        return;
    }
    let rare = t.enqueue(job("rare")).await;
    for _ in 0..6 {
        t.enqueue_all(vec![job("mail"); 10_000]).await;
    }
    let request = JobsRequest::new(Filter::Executor("rare".into()));
    let first = t.page(&request).await;
    if !first.is_partial {
        assert_eq!(ids(&first.jobs), [rare], "it has looked at all");
        return;
    }
    assert_eq!(first.jobs, []);
    let second = t.page(&request.clone().after(first.next)).await;
    assert_eq!((ids(&second.jobs), second.next), (vec![rare], None));
    let oldest = t.page(&request.clone().in_order(JobOrder::Oldest).at_most(1)).await;
    assert_eq!(ids(&oldest.jobs), [rare]);
    // By due time it is found at once: the index begins with the executor.
    let due = t.page(&request.in_order(JobOrder::Due)).await;
    assert_eq!((ids(&due.jobs), due.is_partial), (vec![rare], false));
}

/// A day long ago is found without a walk to it.
pub async fn a_time_range_is_found_in_the_middle_of_a_long_table(t: &Harness) {
    if t.observe().is_none() {
        return;
    }
    t.enqueue_all(vec![job("mail"); 20_000]).await;
    t.wait(60).await;
    let wanted = t.enqueue(job("mail")).await;
    t.wait(60).await;
    for _ in 0..8 {
        t.enqueue_all(vec![job("mail"); 10_000]).await;
    }
    let minute = |ago: i64| t.now() - TimeDelta::seconds(ago);
    let range = Filter::InsertedAfter(minute(61)).and(Filter::InsertedBefore(minute(59)));
    for order in [JobOrder::Newest, JobOrder::Oldest] {
        let page = t.page(&JobsRequest::new(range.clone()).in_order(order)).await;
        assert_eq!((ids(&page.jobs), page.next, page.is_partial), (vec![wanted], None, false), "{order:?}");
    }
}

/// By executor and status. A cap that is met says that there may be more.
pub async fn counts_are_exact_while_small_and_capped_beyond(t: &Harness) {
    let Some(observe) = t.observe() else { return };
    t.of_all_kinds().await;
    let counts = observe.counts(10_000).await.expect("jobs can be counted");
    let all = t.all().await;
    for status in JobStatus::ALL {
        let mut total = 0;
        for executor in ["mail", "print", "nobody"] {
            let of = |row: &&JobRow| row.status == *status && row.executor.as_str() == executor;
            let number = all.iter().filter(of).count();
            let count = counts.of(&ExecutorName::from(executor), *status);
            assert_eq!((count.jobs, count.is_least), (number as u64, false), "{executor} {status}");
            total += number;
        }
        assert_eq!(counts.total(*status).to_string(), total.to_string(), "{status}");
    }
    t.enqueue_all(vec![job("mail"); 700]).await;
    let capped = observe.counts(3).await.expect("jobs can be counted");
    for status in [JobStatus::Scheduled, JobStatus::Complete, JobStatus::Discarded] {
        let (capped, number) = (capped.total(status), t.query(Filter::StatusIn(vec![status])).await.len());
        assert!(capped.jobs == number as u64 || (capped.is_least && capped.jobs < number as u64), "{status} {capped}");
    }
}

/// Also one whose jobs are still stored as its own though it is no member any more.
pub async fn the_cluster_has_every_node_with_its_runs(t: &Harness) {
    let Some(observe) = t.observe() else { return };
    let joined_at = t.now();
    let mut about = AboutNode::default();
    (about.host, about.pid) = (Some("ho\u{0}st".to_owned()), Some(7));
    (about.version, about.slots) = (Some("1.2.3".to_owned()), Some(20));
    about.executor_slots.insert("mail".to_owned(), 2);
    let node = Node::new("<b>worker</b>", super::harness::TIMEOUT).with_about(about.clone());
    let node = t.backend.join(&node).await.expect("a node can join");
    let gone = t.join().await;
    t.enqueue_all(vec![job("mail"), job("mail"), job("print")]).await;
    assert_eq!(t.claim(node, "mail", 2).await.len(), 2);
    assert_eq!(t.claim(gone, "print", 1).await.len(), 1);
    t.backend.leave(gone).await.expect("a node can leave");
    t.wait(5).await;
    t.backend.heartbeat(node).await.expect("heartbeats work");
    t.wait(3).await;
    let cluster = observe.cluster().await.expect("the cluster can be read");
    let [seen] = &cluster.nodes[..] else { panic!("{:?}", cluster.nodes) };
    assert_eq!((seen.node, seen.label.as_str(), &seen.about), (node, "<b>worker</b>", &about));
    assert_eq!(
        (seen.since, seen.seen_at, seen.timeout),
        (joined_at, joined_at + TimeDelta::seconds(5), super::harness::TIMEOUT)
    );
    assert_eq!((seen.executors.as_ref(), cluster.now), (None, t.now()));
    let runs: Vec<_> = cluster.runs.iter().map(|((node, name), jobs)| (*node, name.as_str(), *jobs)).collect();
    assert_eq!(runs, [(node, "mail", 2), (gone, "print", 1)]);
    assert_eq!((cluster.running_on(node), seen.is_silent(cluster.now)), (2, false));
    t.wait(8).await;
    let later = observe.cluster().await.expect("the cluster can be read");
    assert!(later.nodes[0].is_silent(later.now));
    if let Some(survey) = t.backend.survey() {
        survey.unserved(node, &["mail".into()]).await.expect("executors can be told");
        let told = observe.cluster().await.expect("the cluster can be read");
        assert_eq!(told.nodes[0].executors, Some(vec!["mail".into()]));
    }
}

/// Their pauses, limits, rates, what waits, and for how long.
pub async fn executors_have_their_limits_and_their_queues(t: &Harness) {
    let Some(observe) = t.observe() else { return };
    let node = t.join().await;
    t.enqueue_all(vec![job("mail"); 3]).await;
    t.wait(7).await;
    let later = Due::In(TimeDelta::seconds(90));
    t.enqueue_all(vec![
        job("mail"),
        NewJob::new("mail", "1").with_due(later),
        NewJob::new("calm", "1").with_due(later),
    ])
    .await;
    let rate = Rate::new(2, std::time::Duration::from_secs(60));
    let limits = ClusterLimits::NONE.with_concurrency(Some(4)).with_per_key(Some(2)).with_rate(Some(rate));
    // The limits that executors share are none themselves.
    static STRIPE: Limit = Limit::new("stripe").cluster_concurrency(9);
    static SHARED: [&Limit; 1] = [&STRIPE];
    let limits = limits.with_shared(&SHARED);
    let is_limited = t.backend.control().is_some();
    let demand = Demand::new("mail", 1);
    let demand = if is_limited { demand.with_cluster_limits(limits) } else { demand };
    assert_eq!(t.backend.claim(node, [demand].into()).await.expect("jobs can be claimed").jobs.len(), 1);
    if let Some(control) = t.backend.control() {
        control.pause(&Scope::Executor("idle".into()), Pause::new("a reason").by("ann")).await.expect("it is paused");
        let soon = t.now() + TimeDelta::seconds(1);
        control.pause(&Scope::Executor("past".into()), Pause::new("over").until(soon)).await.expect("it is paused");
        control.pause(&Scope::Cluster, Pause::new("all")).await.expect("it is paused");
    }
    t.wait(2).await;
    let cluster = observe.cluster().await.expect("the cluster can be read");
    let of = |name: &'static str| cluster.executor(&name.into());
    let mail = of("mail").expect("it has jobs");
    let queue = &mail.queue;
    assert_eq!((mail.running, queue.waiting.to_string(), queue.due.to_string()), (1, "4".into(), "3".into()));
    assert_eq!(mail.oldest_wait(cluster.now), Some(TimeDelta::seconds(9)));
    let calm = of("calm").expect("it has jobs");
    assert_eq!((calm.queue.due.to_string(), calm.oldest_wait(cluster.now)), ("0".into(), None));
    if is_limited {
        let concurrency = mail.controls.concurrency.expect("it has a limit");
        assert_eq!((concurrency.limit, concurrency.running, mail.controls.per_key), (4, 1, Some(2)));
        let bucket = mail.controls.bucket.expect("it has a rate");
        assert_eq!(bucket.tokens(cluster.now), 1);
        let idle = of("idle").and_then(|idle| idle.paused.as_ref()).expect("it is paused");
        assert_eq!((idle.pause.by.as_deref(), idle.pause.reason.as_str()), (Some("ann"), "a reason"));
        assert_eq!(idle.since, t.now() - TimeDelta::seconds(2));
        assert_eq!(
            (of("past"), cluster.paused.as_ref().map(|paused| paused.pause.reason.as_str())),
            (None, Some("all"))
        );
    }
    let names: Vec<&str> = cluster.executors.iter().map(|standing| standing.executor.as_str()).collect();
    assert_eq!(names, if is_limited { vec!["calm", "idle", "mail"] } else { vec!["calm", "mail"] });
}
