//! `Enqueue`.

use chrono::TimeDelta;
use rexecutor::{
    backend::{Deadline, Due, Enqueued, Headers, ScheduleKey, Unique},
    job::{
        FlowId, JobId, JobStatus,
        uniqueness_criteria::{Replace, Resolution, Statuses, UniqueKey},
    },
};

use super::harness::{COMPLETE, Harness, ids, job, unique};

fn key(key: u8) -> Unique {
    let statuses =
        Statuses::of(&[JobStatus::Scheduled, JobStatus::Executing, JobStatus::Retryable, JobStatus::Complete]);
    Unique::new(UniqueKey([key; 16]), statuses)
}

/// An enqueued job is scheduled with all that was given, and nothing else.
pub async fn an_enqueued_job_is_scheduled_with_all_that_was_given(t: &Harness) {
    let at = t.now() + TimeDelta::hours(1);
    let new = job("mail")
        .with_data(r#"{"to":"bob"}"#.to_owned())
        .with_metadata("[1]".to_owned())
        .with_max_attempts(65_535)
        .with_priority(65_535)
        .with_tags(vec!["b".to_owned(), "a".to_owned()])
        .with_due(Due::At(at));
    let row = t.row(t.enqueue(new.clone()).await).await;
    assert_eq!(row, rexecutor::backend::JobRow::new(row.id, new, t.now()));
    assert_eq!((row.status, row.attempt, row.scheduled_at, row.inserted_at), (JobStatus::Scheduled, 0, at, t.now()));
}

/// What few jobs have is stored with them, and comes back with a claim and with a query, beside jobs that have nothing of it.
pub async fn what_few_jobs_have_comes_back_as_it_was(t: &Harness) {
    let headers: Headers = [("traceparent", "00-\"🦀\"-01"), ("tenant", "")].into_iter().collect();
    let special =
        job("mail").with_headers(headers.clone()).with_group_key("customer 7".to_owned()).with_flow(FlowId(9));
    let later = TimeDelta::minutes(5);
    let jobs = vec![
        job("mail"),
        special.clone().with_deadline(Deadline::In(later)),
        special.with_deadline(Deadline::At(t.now() + TimeDelta::days(1))),
        job("mail").with_group_key(String::new()),
        job("mail").with_tick_at(t.now() - TimeDelta::microseconds(1)),
    ];
    let stored: Vec<JobId> = t.enqueue_all(jobs).await.into_iter().map(Enqueued::id).collect();
    let claimed = t.claim(t.join().await, "mail", 10).await;
    assert_eq!(ids(&claimed), stored);
    let deadlines = [None, Some(later), Some(TimeDelta::days(1)), None, None];
    for ((row, claimed), deadline) in t.all().await.iter().zip(&claimed).zip(deadlines) {
        assert_eq!(row, claimed);
        assert_eq!(row.extras.deadline, deadline.map(|delay| Deadline::At(t.now() + delay)));
    }
    assert_eq!((&claimed[1].extras.headers, claimed[1].extras.flow), (&headers, Some(FlowId(9))));
    assert_eq!(claimed[1].extras.group_key.as_deref(), Some("customer 7"));
    assert_eq!(
        (&claimed[0].extras.headers, &claimed[0].extras.group_key, claimed[0].extras.flow),
        (&Headers::default(), &None, None)
    );
    assert_eq!(claimed[3].extras.group_key.as_deref(), Some(""));
    assert_eq!(claimed[4].extras.tick_at, Some(t.now() - TimeDelta::microseconds(1)));
    assert_eq!(claimed[0].extras.tick_at, None);
}

/// Answers, and the numbers in them, are in the order of the jobs.
pub async fn answers_and_numbers_are_in_the_order_of_the_jobs(t: &Harness) {
    let jobs = (0..50).map(|n| job("mail").with_data(n.to_string()).with_priority(50 - n)).collect();
    let answers = t.enqueue_all(jobs).await;
    assert!(answers.is_sorted_by_key(|answer| answer.id()));
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(t.row(answer.id()).await.data, n.to_string());
    }
}

/// A delay counts from the backend's present, not the caller's.
pub async fn a_delay_counts_from_the_backends_present(t: &Harness) {
    t.wait(1_000).await;
    let row = t.row(t.enqueue(job("mail").with_due(Due::In(TimeDelta::seconds(5)))).await).await;
    assert_eq!(row.scheduled_at, t.now() + TimeDelta::seconds(5));
}

/// Unicode, large data and deep JSON come back as they were.
pub async fn unicode_large_data_and_deep_json_come_back_as_they_were(t: &Harness) {
    let large = serde_json::json!("x".repeat(1_000_000)).to_string();
    let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    let numbers = "[18446744073709551615,-9223372036854775808,1.5,1e300,0.1]".to_owned();
    for data in ["\"żółć 漢字 🦀 \\u001f \\\" ' % \\\\\"".to_owned(), large, deep, numbers, "null".to_owned()] {
        let job = job("żółć").with_data(data.clone()).with_metadata(data.clone()).with_tags(vec!["🦀'\"".to_owned()]);
        let row = t.row(t.enqueue(job).await).await;
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("it is JSON");
        assert_eq!(value(&row.data), value(&data));
        assert_eq!(value(&row.metadata.unwrap_or_default()), value(&data));
        assert_eq!((row.tags, row.executor.as_str()), (vec!["🦀'\"".to_owned()], "żółć"));
    }
}

/// Trap 40: timestamps lose their microseconds.
pub async fn instants_keep_their_microseconds(t: &Harness) {
    let at = t.now() + TimeDelta::microseconds(123_457);
    for at in [
        at,
        "0001-01-01T00:00:00.000001Z".parse().expect("valid"),
        "9999-12-31T23:59:59.999999Z".parse().expect("valid"),
    ] {
        let id = t.enqueue(job("mail").with_due(Due::At(at))).await;
        assert_eq!(t.row(id).await.scheduled_at, at);
    }
}

/// Trap 26: a conflict returns an id with nothing to say that the job was not inserted.
pub async fn trap_26_a_conflict_says_that_nothing_was_inserted(t: &Harness) {
    let first = t.enqueue_all(vec![unique(job("mail"), key(1))]).await;
    let second = t.enqueue_all(vec![unique(job("mail"), key(1))]).await;
    assert!(!first[0].is_duplicate());
    assert_eq!(second, [Enqueued::Existing(first[0].id())]);
    assert_eq!(t.all().await.len(), 1);
}

/// Trap 23: select, then insert; two enqueuers both see nothing.
pub async fn trap_23_of_sixteen_enqueuers_of_one_key_one_inserts(t: &Harness) {
    for round in 0..20 {
        let tasks = (0..16).map(|_| {
            let t = t.clone();
            tokio::spawn(async move { t.enqueue_all(vec![unique(job("mail"), key(round))]).await })
        });
        let mut inserted = 0;
        for task in tasks.collect::<Vec<_>>() {
            inserted += usize::from(!task.await.expect("no task panics")[0].is_duplicate());
        }
        assert_eq!(inserted, 1);
    }
    assert_eq!(t.all().await.len(), 20);
}

/// Trap 25: two batches with the same keys in different orders deadlock.
pub async fn trap_25_batches_with_the_same_keys_in_other_orders_do_not_deadlock(t: &Harness) {
    let tasks = (0..16).map(|task| {
        let t = t.clone();
        tokio::spawn(async move {
            let mut jobs: Vec<_> = (0..20).map(|n| unique(job("mail"), key(n))).collect();
            jobs.rotate_left(task);
            if task % 2 == 0 {
                jobs.reverse();
            }
            t.enqueue_all(jobs).await
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert_eq!(task.await.expect("no task panics").len(), 20);
    }
    assert_eq!(t.all().await.len(), 20);
}

/// A later job of a batch conflicts with an earlier one, and answers keep the order.
pub async fn a_later_job_of_a_batch_conflicts_with_an_earlier_one(t: &Harness) {
    let jobs = vec![job("mail"), unique(job("mail"), key(1)), job("mail"), unique(job("mail"), key(1)), job("mail")];
    let answers = t.enqueue_all(jobs).await;
    assert_eq!(
        answers.iter().map(|answer| answer.is_duplicate()).collect::<Vec<_>>(),
        [false, false, false, true, false]
    );
    assert_eq!(answers[3].id(), answers[1].id());
}

/// Uniqueness ends with its time, counted from when the other was enqueued, and with its statuses.
pub async fn uniqueness_ends_with_its_time_and_with_its_statuses(t: &Harness) {
    let within = || key(1).with_within(TimeDelta::seconds(60));
    let first = t.enqueue(unique(job("mail"), within())).await;
    t.wait(59).await;
    assert_eq!(t.enqueue(unique(job("mail"), within())).await, first);
    t.wait(1).await;
    assert_ne!(t.enqueue(unique(job("mail"), within())).await, first);

    let waiting = || key(2).with_statuses(Statuses::of(&[JobStatus::Scheduled]));
    let run = t.running(unique(job("other"), waiting())).await;
    let second = t.enqueue(unique(job("other"), waiting())).await;
    assert_ne!(second, run.id, "an executing job does not count");
    assert!(t.settle(&run, COMPLETE).await);
    assert_eq!(t.enqueue(unique(job("other"), waiting())).await, second);
}

/// A conflict replaces each field that was named, and no other.
pub async fn a_conflict_replaces_each_field_that_was_named_and_no_other(t: &Harness) {
    let all = [
        Replace::priority(),
        Replace::data(),
        Replace::metadata(),
        Replace::scheduled_at(),
        Replace::max_attempts(),
        Replace::tags(),
        Replace::priority().and_data().and_metadata().and_scheduled_at().and_max_attempts().and_tags(),
    ];
    for (number, replace) in (10..).zip(all) {
        let first = t.enqueue(unique(job("mail"), key(number))).await;
        let before = t.row(first).await;
        let on_conflict = Resolution::Replace(replace);
        let new = unique(job("mail"), key(number).with_on_conflict(on_conflict))
            .with_data("2")
            .with_metadata("3".to_owned())
            .with_max_attempts(9)
            .with_priority(8)
            .with_tags(vec!["new".to_owned()])
            .with_due(Due::In(TimeDelta::hours(1)));
        assert_eq!(t.enqueue_all(vec![new.clone()]).await, [Enqueued::Replaced(first)]);
        let mut expected = before;
        assert!(rexecutor::backend::lifecycle::replace(&mut expected, &replace, new, t.now()));
        assert_eq!(t.row(first).await, expected, "{replace:?}");
    }
}

/// A conflict replaces nothing in statuses that were not named, and nothing while the job is executing.
pub async fn a_conflict_replaces_nothing_in_other_statuses_or_while_executing(t: &Harness) {
    let only_complete = Replace::priority().for_statuses(&[JobStatus::Complete, JobStatus::Executing]);
    let again = || unique(job("mail"), key(1).with_on_conflict(Resolution::Replace(only_complete))).with_priority(5);
    let id = t.enqueue(again()).await;
    assert_eq!(t.enqueue_all(vec![again().with_priority(7)]).await, [Enqueued::Existing(id)]);
    let node = t.join().await;
    let run = t.claim(node, "mail", 1).await.remove(0);
    assert_eq!(t.enqueue_all(vec![again().with_priority(7)]).await, [Enqueued::Existing(id)]);
    assert_eq!(t.row(id).await.priority, 5);
    assert!(t.settle(&run, COMPLETE).await);
    assert_eq!(t.enqueue_all(vec![again().with_priority(7)]).await, [Enqueued::Replaced(id)]);
    assert_eq!(t.row(id).await.priority, 7);
}

/// Trap 17: a tick fires on every node. Trap 19: it is moved and enqueued in one step.
pub async fn trap_17_of_many_nodes_one_enqueues_a_tick(t: &Harness) {
    let key = ScheduleKey("nightly".to_owned());
    t.backend.schedules(std::slice::from_ref(&key)).await.expect("schedules can be read");
    for tick in 1..=10 {
        let at = t.now() + TimeDelta::seconds(tick);
        let tasks = (0..8).map(|_| {
            let (t, key) = (t.clone(), key.clone());
            tokio::spawn(async move {
                t.backend.tick(&key, at.into(), vec![job("nightly")]).await.expect("ticks can be enqueued")
            })
        });
        let mut ours = 0;
        for task in tasks.collect::<Vec<_>>() {
            ours += usize::from(task.await.expect("no task panics"));
        }
        assert_eq!(ours, 1);
    }
    assert_eq!(t.all().await.len(), 10);
    let earlier = t.backend.tick(&key, (t.now() + TimeDelta::seconds(5)).into(), vec![job("nightly")]).await;
    assert!(!earlier.expect("ticks can be enqueued"), "a tick that is past is not enqueued again");
    assert_eq!(t.all().await.len(), 10);
}

/// A schedule that is new owes nothing; one that is known keeps its last tick.
pub async fn a_new_schedule_owes_nothing_and_a_known_one_keeps_its_last_tick(t: &Harness) {
    let keys = ["a", "b"].map(|key| ScheduleKey(key.to_owned()));
    let start = t.now();
    let ticks = t.backend.schedules(&keys[..1]).await.expect("schedules can be read");
    assert_eq!((ticks.now, ticks.last), (start, vec![start]));
    t.wait(60).await;
    let at = start + TimeDelta::seconds(30);
    assert!(t.backend.tick(&keys[0], at.into(), Vec::new()).await.expect("ticks can be enqueued"));
    let ticks = t.backend.schedules(&keys).await.expect("schedules can be read");
    assert_eq!((ticks.now, ticks.last), (t.now(), vec![at, t.now()]));
}

/// Many jobs in one call are stored in order.
pub async fn many_jobs_in_one_call(t: &Harness) {
    let jobs = (0..25_000).map(|n| job("mail").with_data(n.to_string())).collect();
    let answers = t.enqueue_all(jobs).await;
    assert_eq!(answers.len(), 25_000);
    assert!(answers.is_sorted_by_key(|answer| answer.id()));
    assert_eq!(t.row(answers[24_999].id()).await.data, "24999");
}
