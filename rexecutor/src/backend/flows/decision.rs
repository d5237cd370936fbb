//! What follows for a task from how its predecessors have ended.

use crate::model::{RunWhen, TaskTally};

/// What becomes of a task whose job is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It waits on.
    Wait,
    /// Its job is released.
    Run,
    /// It is skipped.
    Skip,
    /// It is cancelled.
    Cancel,
}

/// Decides about a task by how many of its predecessors have ended how. It is asked whenever one has.
pub fn decide(run_when: RunWhen, tally: TaskTally) -> Decision {
    let have_all_ended = tally.open() == 0;
    match run_when {
        RunWhen::AllSucceeded | RunWhen::NoneFailed if tally.failed > 0 => Decision::Cancel,
        RunWhen::AllSucceeded if tally.skipped > 0 => Decision::Skip,
        _ if !have_all_ended => Decision::Wait,
        RunWhen::NoneFailed if tally.succeeded == 0 && tally.wanted > 0 => Decision::Skip,
        RunWhen::AnyFailed if tally.failed == 0 => Decision::Skip,
        RunWhen::AllSucceeded | RunWhen::NoneFailed | RunWhen::AllEnded | RunWhen::AnyFailed => Decision::Run,
    }
}

/// Why a task is cancelled or skipped, where the task `because` before it has not succeeded; `None`: all have that ended last.
pub fn reason(decision: Decision, because: Option<&str>) -> String {
    match (decision, because) {
        (Decision::Cancel, Some(name)) => format!("the task `{name}` before it has failed"),
        (Decision::Cancel, None) => "a task before it has failed".to_owned(),
        (_, Some(name)) => format!("the task `{name}` before it was skipped"),
        (_, None) => "no task before it has failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(wanted: u32, succeeded: u32, failed: u32, skipped: u32) -> TaskTally {
        TaskTally { wanted, succeeded, failed, skipped }
    }

    #[test]
    fn each_rule_says_what_becomes_of_a_task() {
        use Decision::{Cancel, Run, Skip, Wait};
        use RunWhen::{AllEnded, AllSucceeded, AnyFailed, NoneFailed};
        let cases = [
            // (wanted, succeeded, failed, skipped), then by rule: all succeeded, none failed, all ended, any failed.
            (tally(0, 0, 0, 0), [Run, Run, Run, Skip]),
            (tally(2, 0, 0, 0), [Wait, Wait, Wait, Wait]),
            (tally(2, 1, 0, 0), [Wait, Wait, Wait, Wait]),
            (tally(2, 0, 1, 0), [Cancel, Cancel, Wait, Wait]),
            (tally(2, 0, 0, 1), [Skip, Wait, Wait, Wait]),
            (tally(2, 2, 0, 0), [Run, Run, Run, Skip]),
            (tally(2, 1, 1, 0), [Cancel, Cancel, Run, Run]),
            (tally(2, 1, 0, 1), [Skip, Run, Run, Skip]),
            (tally(2, 0, 2, 0), [Cancel, Cancel, Run, Run]),
            (tally(2, 0, 1, 1), [Cancel, Cancel, Run, Run]),
            (tally(2, 0, 0, 2), [Skip, Skip, Run, Skip]),
            // Told once too often, it does not run twice: its job is not blocked any more.
            (tally(1, 2, 0, 0), [Run, Run, Run, Skip]),
        ];
        for (tally, expected) in cases {
            for (run_when, expected) in [AllSucceeded, NoneFailed, AllEnded, AnyFailed].into_iter().zip(expected) {
                assert_eq!(decide(run_when, tally), expected, "{run_when:?} of {tally:?}");
            }
        }
    }
}
