//! Which nodes are dead: by what this node has seen itself, and by no clock that anybody may set.
//!
//! A member that was heard has one beat more. One that has as many as before, for its whole timeout, is dead, if the backend
//! answered all the while: where it did not, nobody could be heard. So after an outage, after a standstill of this process,
//! or when it has just started, a node looks for a whole timeout before it judges; and a step of the database's clock, or of
//! this machine's, makes nobody older.

use std::{collections::BTreeMap, time::Duration};

use crate::model::{Member, NodeId};

/// At how many looks in a row a member must have been silent at least, however far they are apart.
const LEAST_LOOKS: u32 = 4;

/// What a node has seen of the others.
#[derive(Debug)]
pub(super) struct FailureDetector {
    /// The longest time between two looks that may have seen all there was.
    longest_gap: Duration,
    /// When it has last looked.
    last: Option<Duration>,
    seen: BTreeMap<NodeId, Silence>,
}

/// How long a member has been silent.
#[derive(Debug)]
struct Silence {
    beats: i64,
    lasts: Duration,
}

impl FailureDetector {
    pub(super) fn new(longest_gap: Duration) -> Self {
        Self { longest_gap, last: None, seen: BTreeMap::new() }
    }

    /// Takes in the members, as they were heard at `now`; returns the dead.
    pub(super) fn look(&mut self, now: Duration, members: &[Member]) -> Vec<Member> {
        let since = self.last.map_or(Duration::ZERO, |last| now.saturating_sub(last));
        // A process that stood still was not watching.
        if since > self.longest_gap {
            self.forget();
        }
        self.last = Some(now);
        let mut before = std::mem::take(&mut self.seen);
        let mut dead = Vec::new();
        for member in members {
            let mut silence = Silence { beats: member.beats, lasts: Duration::ZERO };
            if let Some(known) = before.remove(&member.node).filter(|known| known.beats == member.beats) {
                silence.lasts = known.lasts.saturating_add(since.min(member.timeout / LEAST_LOOKS));
            }
            if silence.lasts >= member.timeout {
                dead.push(*member);
            }
            self.seen.insert(member.node, silence);
        }
        dead
    }

    /// Forgets all: the backend did not answer, so others may not have been heard either.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.longest_gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: u64 = 15;

    fn member(beats: i64) -> Member {
        Member::new(NodeId(1), beats, Duration::from_secs(TIMEOUT))
    }

    fn detector() -> FailureDetector {
        FailureDetector::new(Duration::from_secs(11))
    }

    fn is_dead(detector: &mut FailureDetector, now: u64, beats: i64) -> bool {
        !detector.look(Duration::from_secs(now), &[member(beats)]).is_empty()
    }

    #[test]
    fn case_42_who_is_silent_for_the_timeout_is_dead_and_who_is_heard_is_not() {
        let (mut detector, mut other) = (detector(), detector());
        for now in (100..100 + TIMEOUT).step_by(3) {
            assert!(!is_dead(&mut detector, now, 7), "{now}");
            assert!(!is_dead(&mut other, now, now.cast_signed()), "{now}");
        }
        assert!(is_dead(&mut detector, 100 + TIMEOUT, 7));
        assert!(!is_dead(&mut detector, 103 + TIMEOUT, 8), "it was heard");
        assert!(!is_dead(&mut other, 100 + TIMEOUT, 1));
    }

    #[test]
    fn case_42_an_outage_and_a_standstill_are_no_silence() {
        let mut detector = detector();
        for now in [0, 3, 6, 9, 12] {
            assert!(!is_dead(&mut detector, now, 7));
        }
        detector.forget();
        for now in [60, 63, 66, 69, 72] {
            assert!(!is_dead(&mut detector, now, 7), "the backend was away: {now}");
        }
        for now in [7_200, 7_203, 7_206, 7_209, 7_212] {
            assert!(!is_dead(&mut detector, now, 7), "this process stood still: {now}");
        }
        assert!(is_dead(&mut detector, 7_215, 7));
    }

    #[test]
    fn a_node_that_looks_seldom_looks_several_times() {
        let mut detector = FailureDetector::new(Duration::from_secs(440));
        for now in [0, 120, 240, 360] {
            assert!(!is_dead(&mut detector, now, 7), "{now}");
        }
        assert!(is_dead(&mut detector, 480, 7));
    }

    #[test]
    fn who_has_left_is_forgotten_and_who_is_eternal_never_dies() {
        let mut detector = FailureDetector::new(Duration::MAX);
        let eternal = Member::new(NodeId(1), 0, Duration::MAX);
        for now in 0..1_000 {
            assert!(detector.look(Duration::from_secs(now * 100_000_000), &[eternal]).is_empty());
        }
        assert!(detector.look(Duration::ZERO, &[]).is_empty());
        assert!(detector.seen.is_empty());
    }
}
