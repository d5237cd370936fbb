//! The executor of which few jobs may run at once: how many, programs declare, and somebody sets while they run.

use rexecutor::{
    Executor,
    backend::{Backend, LimitChange, Result, control},
};

use super::{
    Planted,
    audit::Audit,
    jobs::{SCARCE, Scarce},
};

impl Audit {
    /// Sets how many may run; `None`: as programs declare.
    pub(super) async fn set_scarce(&self, most: Option<usize>) -> Result<()> {
        // What leaks are slots of the limit that programs declare: a limit that somebody has set would hide it.
        if self.planted == Some(Planted::LeaksSlots) {
            return Ok(());
        }
        let change = most.map(|most| LimitChange::new("the simulator").cluster_concurrency(most));
        if self.planted != Some(Planted::ForgetsSetLimits) {
            control(self as &dyn Backend)?.set_limits(&Scarce::NAME.into(), change).await?;
        }
        let running = self.running(Scarce::NAME);
        let mut known = self.record.known();
        (known.scarce, known.left_of_scarce) = (most, running);
        Ok(())
    }

    /// How many may begin now.
    pub(super) fn room_for_scarce(&self) -> usize {
        self.most_scarce().saturating_sub(self.running(Scarce::NAME))
    }

    /// No more run than may, but for those that ran before fewer might.
    pub(super) fn check_scarce(&self) {
        let (running, most) = (self.running(Scarce::NAME), self.most_scarce());
        if running > most.max(self.record.known().left_of_scarce) {
            self.record.broken(format_args!("{running} of {} run on all nodes, and {most} may", Scarce::NAME));
        }
    }

    fn most_scarce(&self) -> usize {
        self.record.known().scarce.unwrap_or(SCARCE)
    }
}
