//! A node that is to leave once nothing is left to run.
//!
//! # Invariant
//!
//! It leaves only after a claim that asked for jobs of all its executors, that began when nothing ran, waited or was still
//! to be settled, and that gave none: what any job of this node has enqueued was there to be claimed by then.

use super::{phase::Phase, state::Dispatcher};

/// What is known of whether anything is left to run.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum Idle {
    /// Nothing.
    Unknown,
    /// Nothing was in hand when the claim under way began.
    Asked,
    /// … and it gave nothing.
    Yes,
}

impl Dispatcher {
    /// Shuts down, or asks whether it can, if the node is to leave once it is idle.
    pub(super) fn leave_if_idle(&mut self) {
        let is_busy = !self.running.is_empty() || self.queues.waiting() > 0 || !self.settlements.is_idle();
        match self.idle {
            Some(_) if self.phase != Phase::Open => {}
            Some(Idle::Unknown | Idle::Yes) if is_busy => self.idle = Some(Idle::Unknown),
            Some(Idle::Yes) => self.shut_down(),
            Some(_) if self.queues.is_empty() => self.shut_down(),
            // What limits of the cluster keep back is still to be run.
            Some(Idle::Unknown) if self.claiming.is_none() && self.held.is_none() => {
                self.queues.all_ready();
                self.claim();
                if self.claiming.is_some() {
                    self.idle = Some(Idle::Asked);
                }
            }
            Some(Idle::Unknown | Idle::Asked) | None => {}
        }
    }

    /// Takes in what a claim says about it. An executor that was not asked for yet is ready still, and asked for next.
    pub(super) fn note_idle(&mut self, gave_nothing: bool) {
        if self.idle == Some(Idle::Asked) {
            self.idle = Some(match gave_nothing {
                false => Idle::Unknown,
                true if self.queues.any_ready() => Idle::Asked,
                true => Idle::Yes,
            });
        }
    }
}
