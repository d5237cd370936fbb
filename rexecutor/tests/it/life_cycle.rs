//! The life cycle: what every event does to a job in every status.

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{
        AmendError, Deadline, Failure, JobChange, JobRow, Marks, NewJob, OnDiscard, Outcome, Unique,
        lifecycle::{self, Effects},
    },
    job::{
        ErrorType, JobId, JobStatus, Lease, NodeId,
        uniqueness_criteria::{Replace, Statuses, UniqueKey},
    },
};

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
const SOON: TimeDelta = TimeDelta::seconds(5);

/// What happens to a job.
type Event = fn(&mut JobRow) -> Result<Option<Effects>, AmendError>;

/// `(event, what it does to it, the status that follows on each)`, where a dot says that it is refused, and changes nothing.
///
/// The columns are: blocked, scheduled, executing, retryable, complete, cancelled, discarded.
#[rustfmt::skip]
const TABLE: &[(&str, Event, &str)] = &[
    //                                                                                             b s e r c x d
    ("claim",                    |row| { claim(row); Ok(None) },                                  ". e . e . . ."),
    ("complete",                 |row| Ok(settle(row, Outcome::complete(true))),                  ". . c . . . ."),
    ("complete and delete",      |row| Ok(settle(row, Outcome::complete(false))),                 ". . c . . . ."),
    ("complete with an output",  |row| Ok(settle(row, Outcome::complete_with("1".to_owned()))),   ". . c . . . ."),
    ("retry",                    |row| Ok(settle(row, Outcome::retry(SOON, failure()))),          ". . r . . . ."),
    ("retry after the last",     |row| Ok(settle(last(row), Outcome::retry(SOON, failure()))),    ". . d . . . ."),
    ("discard",                  |row| Ok(settle(row, Outcome::discard(failure()))),              ". . d . . . ."),
    ("cancel itself",            |row| Ok(settle(row, Outcome::cancel("enough"))),                ". . x . . . ."),
    ("snooze",                   |row| Ok(settle(row, Outcome::snooze(SOON))),                    ". . r . . . ."),
    ("snooze the first attempt", |row| Ok(settle(first(row), Outcome::snooze(SOON))),             ". . s . . . ."),
    ("throttle",                 |row| Ok(settle(row, Outcome::throttle(SOON))),                   ". . r . . . ."),
    ("give back",                |row| Ok(settle(row, Outcome::GiveBack)),                        ". . r . . . ."),
    ("give back the first",      |row| Ok(settle(first(row), Outcome::GiveBack)),                 ". . s . . . ."),
    ("defer",                    |row| Ok(settle(row, Outcome::defer(SOON, failure()))),          ". . r . . . ."),
    ("defer the first attempt",  |row| Ok(settle(first(row), Outcome::defer(SOON, failure()))),   ". . s . . . ."),
    ("sleep",                    |row| Ok(settle(row, Outcome::suspend(Some(NOW + SOON), false))), ". . r . . . ."),
    ("sleep in the first",       |row| Ok(settle(first(row), Outcome::suspend(Some(NOW + SOON), false))),
                                                                                                  ". . s . . . ."),
    ("wait for a while",         |row| Ok(settle(row, Outcome::suspend(Some(NOW + SOON), true))), ". . r . . . ."),
    ("wait for ever",            |row| Ok(settle(row, Outcome::suspend(None, true))),             ". . b . . . ."),
    ("wait when signalled",      |row| Ok(settle(signalled(row), Outcome::suspend(None, true))),  ". . r . . . ."),
    ("stop, then wait",          |row| Ok(settle(stopping(row), Outcome::suspend(None, true))),   ". . x . . . ."),
    ("signal",                   |row| lifecycle::signal(row, NOW).map(|_| None),                 ". . e . . . ."),
    // Due at once and waiting for nothing, as it was before it waited.
    ("signal one that waits",    |row| lifecycle::signal(waiting(row), NOW).map(|_| None),        "s . e . . . ."),
    ("an old lease",             |row| Ok(lifecycle::settle(row, Lease(1), &Outcome::complete(true), NOW)),
                                                                                                  ". . . . . . ."),
    ("lose its node",            |row| { lifecycle::rescue(row, NOW); Ok(None) },                 ". . r . . . ."),
    ("miss its deadline",        |row| { lifecycle::expire(late(row), NOW); Ok(None) },           "d d . d . . ."),
    ("stop, then complete",      |row| Ok(settle(stopping(row), Outcome::complete(true))),        ". . x . . . ."),
    ("stop, then retry",         |row| Ok(settle(stopping(row), Outcome::retry(SOON, failure()))), ". . x . . . ."),
    ("stop, then discard",       |row| Ok(settle(stopping(row), Outcome::discard(failure()))),    ". . x . . . ."),
    ("stop, then cancel itself", |row| Ok(settle(stopping(row), Outcome::cancel("enough"))),      ". . x . . . ."),
    ("stop, then snooze",        |row| Ok(settle(stopping(row), Outcome::snooze(SOON))),          ". . x . . . ."),
    ("stop, then defer",         |row| Ok(settle(stopping(row), Outcome::defer(SOON, failure()))), ". . x . . . ."),
    ("stop, then give back",     |row| Ok(settle(stopping(row), Outcome::GiveBack)),              ". . x . . . ."),
    ("stop, then lose its node", |row| { lifecycle::rescue(stopping(row), NOW); Ok(None) },       ". . x . . . ."),
    ("release",                  |row| lifecycle::release(row, NOW).map(|()| None),               "s . . . . . ."),
    ("cancel",                   |row| lifecycle::cancel(row, "asked".to_owned(), NOW).map(|()| None), "x x e x . . ."),
    ("rerun",                    |row| lifecycle::rerun(row, NOW).map(|()| None),                 ". s . s s s s"),
    ("rerun unless complete",    |row| lifecycle::rerun_unless_complete(row, NOW).map(|()| None), ". s . s . s s"),
    ("update",                   |row| lifecycle::update(row, change()).map(|()| None),           "b s . r c x d"),
    ("replace",                  |row| { replace(row); Ok(None) },                                "b s . r c x d"),
];

fn claim(row: &mut JobRow) {
    if lifecycle::is_due(row, NOW) {
        lifecycle::claim(row, NodeId(7), NOW);
    }
}

fn settle(row: &mut JobRow, outcome: Outcome) -> Option<Effects> {
    lifecycle::settle(row, row.lease, &outcome, NOW)
}

fn failure() -> Failure {
    Failure::new(ErrorType::Panic, "no")
}

fn change() -> JobChange {
    let mut change = JobChange::of(&job(JobStatus::Scheduled));
    change.data = "9".to_owned();
    change
}

fn replace(row: &mut JobRow) {
    let all = Replace::data().for_statuses(JobStatus::ALL);
    let _ = lifecycle::replace(row, &all, NewJob::new("mail", "9"), NOW);
}

fn late(row: &mut JobRow) -> &mut JobRow {
    if matches!(letter(row.status), "b" | "s" | "r") {
        row.extras.set(|extra| &mut extra.deadline, Some(Deadline::At(NOW)));
    }
    row
}

fn last(row: &mut JobRow) -> &mut JobRow {
    only_a_run(row, |row| row.attempt = row.max_attempts)
}

fn first(row: &mut JobRow) -> &mut JobRow {
    only_a_run(row, |row| row.attempt = 1)
}

fn stopping(row: &mut JobRow) -> &mut JobRow {
    only_a_run(row, |row| row.marks = Marks::STOPPING)
}

fn signalled(row: &mut JobRow) -> &mut JobRow {
    only_a_run(row, |row| row.marks = Marks::SIGNALLED)
}

fn waiting(row: &mut JobRow) -> &mut JobRow {
    if matches!(letter(row.status), "b" | "s" | "r") {
        (row.marks, row.scheduled_at) = (Marks::WAITING, NOW + SOON);
    }
    row
}

fn only_a_run(row: &mut JobRow, change: impl FnOnce(&mut JobRow)) -> &mut JobRow {
    if row.status == JobStatus::Executing {
        change(row);
    }
    row
}

/// In its second of three attempts, under its fifth lease.
fn job(status: JobStatus) -> JobRow {
    let mut row = JobRow::new(JobId::from(1), NewJob::new("mail", "8").with_max_attempts(3), NOW);
    (row.status, row.attempt, row.lease) = (status, 2, Lease(5));
    row.node = (status == JobStatus::Executing).then_some(NodeId(3));
    row
}

fn letter(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Blocked => "b",
        JobStatus::Scheduled => "s",
        JobStatus::Executing => "e",
        JobStatus::Retryable => "r",
        JobStatus::Complete => "c",
        JobStatus::Cancelled => "x",
        JobStatus::Discarded => "d",
        _ => panic!("{status} has no column in the table"),
    }
}

#[test]
fn every_event_does_to_a_job_in_every_status_what_the_table_says() {
    for (name, event, expected) in TABLE {
        let mut found = Vec::new();
        for status in JobStatus::ALL {
            let before = job(*status);
            let mut row = before.clone();
            let refused = event(&mut row).is_err();
            assert!(!refused || row == before, "{name} is refused and changes a {status} job: {row:?}");
            found.push(if row == before { "." } else { letter(row.status) });
            check(name, &row);
        }
        assert_eq!(found.join(" "), *expected, "{name}");
    }
}

/// What holds for every job, whatever has happened to it.
fn check(event: &str, row: &JobRow) {
    assert_eq!(row.node.is_some(), row.status == JobStatus::Executing, "{event}: {row:?}");
    let may_have = match row.status {
        JobStatus::Blocked => Marks::WAITING,
        status if status.is_pending() => Marks::UNDECODED.with(Marks::WAITING),
        _ => Marks::NONE,
    };
    assert!(row.marks.without(may_have).is_plain() || row.status == JobStatus::Executing, "{event}: {row:?}");
    assert!(row.attempt <= row.max_attempts, "{event}: {row:?}");
}

#[test]
fn the_end_of_a_run_says_what_else_has_to_happen() {
    let effects = |outcome: Outcome| settle(&mut job(JobStatus::Executing), outcome).unwrap();
    let said = |outcome| {
        let effects = effects(outcome);
        (effects.delete, effects.wake, effects.output)
    };
    assert_eq!(said(Outcome::complete(true)), (false, false, false));
    assert_eq!(said(Outcome::complete(false)), (true, false, false));
    assert_eq!(said(Outcome::complete_with("1".to_owned())), (false, false, true));
    assert_eq!(said(Outcome::retry(SOON, failure())), (false, true, false));
    assert_eq!(said(Outcome::snooze(SOON)), (false, true, false));
    assert_eq!(said(Outcome::defer(SOON, failure())), (false, true, false));
    assert_eq!(said(Outcome::GiveBack), (false, true, false));
    assert_eq!(said(Outcome::discard(failure())), (false, false, false));
    assert_eq!(said(Outcome::cancel("enough")), (false, false, false));
    let mut row = job(JobStatus::Executing);
    assert!(!settle(stopping(&mut row), Outcome::complete(false)).unwrap().delete, "a cancelled job is kept");
}

/// Case 28: what no version of the program could read can still be told from what failed in other ways.
#[test]
fn case_28_a_job_that_is_discarded_because_it_does_not_decode_keeps_the_mark() {
    for (error_type, kept) in [(ErrorType::Decode, Marks::UNDECODED), (ErrorType::Panic, Marks::NONE)] {
        let mut row = job(JobStatus::Executing);
        row.marks = Marks::UNDECODED;
        let _ = settle(&mut row, Outcome::discard(Failure::new(error_type, "no"))).unwrap();
        assert_eq!((row.status, row.marks), (JobStatus::Discarded, kept));
        lifecycle::rerun(&mut row, NOW).unwrap();
        assert_eq!(row.marks, Marks::NONE);
    }
}

/// A discarded job that halts its line can be let go, or cancelled, and stands in it while it is not.
#[test]
fn case_14_3_a_discarded_job_that_halts_its_line_is_let_go_or_cancelled() {
    let halting = || {
        let mut row = job(JobStatus::Executing);
        row.extras.set(|extra| &mut extra.order, Some(OnDiscard::Halt));
        assert!(row.stands_in_line() && !row.halts_line());
        let _ = settle(&mut row, Outcome::discard(failure())).unwrap();
        assert!(row.stands_in_line() && row.halts_line());
        row
    };
    let mut row = halting();
    lifecycle::release(&mut row, NOW).unwrap();
    assert_eq!((row.status, row.stands_in_line()), (JobStatus::Discarded, false));
    assert!(lifecycle::release(&mut row, NOW).is_err() && lifecycle::cancel(&mut row, "no".to_owned(), NOW).is_err());
    let mut row = halting();
    lifecycle::cancel(&mut row, "enough".to_owned(), NOW + SOON).unwrap();
    assert_eq!((row.status, row.stands_in_line()), (JobStatus::Cancelled, false));
    assert_eq!((row.discarded_at, row.finished_at(), row.errors.len()), (None, Some(NOW + SOON), 1));
    let mut row = halting();
    lifecycle::rerun(&mut row, NOW).unwrap();
    assert!(row.stands_in_line() && !row.halts_line());
    let mut skipped = job(JobStatus::Discarded);
    skipped.extras.set(|extra| &mut extra.order, Some(OnDiscard::Skip));
    assert!(!skipped.stands_in_line() && lifecycle::release(&mut skipped, NOW).is_err());
}

#[test]
fn only_what_waits_and_whose_time_has_come_is_due() {
    for status in JobStatus::ALL {
        let mut row = job(*status);
        let waits = matches!(status, JobStatus::Scheduled | JobStatus::Retryable);
        assert_eq!(lifecycle::is_due(&row, NOW), waits, "{status}");
        row.scheduled_at = NOW + TimeDelta::microseconds(1);
        assert!(!lifecycle::is_due(&row, NOW), "{status}");
    }
}

#[test]
fn a_released_job_starts_when_it_is_due_and_not_before_its_release() {
    let mut early = job(JobStatus::Blocked);
    lifecycle::release(&mut early, NOW + SOON).unwrap();
    assert_eq!(early.scheduled_at, NOW + SOON);
    let mut late = JobRow::new(JobId::from(1), NewJob::new("mail", "8").with_blocked(true), NOW);
    late.scheduled_at = NOW + TimeDelta::days(1);
    lifecycle::release(&mut late, NOW).unwrap();
    assert_eq!((late.status, late.scheduled_at), (JobStatus::Scheduled, NOW + TimeDelta::days(1)));
}

#[test]
fn a_job_stands_in_the_way_in_the_statuses_that_are_named_and_in_no_other() {
    for status in JobStatus::ALL {
        let mut row = job(*status);
        row.unique_key = Some(UniqueKey([1; 16]));
        for named in JobStatus::ALL {
            let unique = Unique::new(UniqueKey([1; 16]), Statuses::of(&[*named]));
            assert_eq!(lifecycle::conflicts(&row, &unique, NOW), status == named, "{status}, {named}");
        }
        let other = Unique::new(UniqueKey([2; 16]), Statuses::of(JobStatus::ALL));
        assert!(!lifecycle::conflicts(&row, &other, NOW));
    }
}
