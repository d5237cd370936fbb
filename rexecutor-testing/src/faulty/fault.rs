//! What goes wrong, and when.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::operation::Operation;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Error { transient: bool },
    LostAnswer,
    Delay(Duration),
    LateAnswer(Duration),
    Cut(usize),
}

/// Something that goes wrong, and when; see [`Faulty::inject`](crate::Faulty::inject).
///
/// Unless told otherwise, it happens to every call of every operation, for ever.
///
/// ```
/// use rexecutor_testing::{Fault, Operation};
///
/// // The third outcome that is to be stored is, but nobody hears so.
/// let lost = Fault::lost_answer().on([Operation::Settle]).nth(3);
/// // One claim in ten fails, always the same ones.
/// let shaky = Fault::error().on([Operation::Claim]).with_probability(0.1, 42);
/// ```
#[derive(Debug)]
#[must_use = "a fault does nothing until it is injected"]
pub struct Fault {
    effect: Effect,
    /// `None`: all.
    operations: Option<Vec<Operation>>,
    /// How many calls are still to be spared.
    spared: u64,
    /// How many calls are still to be met; `None`: any number.
    left: Option<u64>,
    chance: Option<(f64, StdRng)>,
}

impl Fault {
    fn new(effect: Effect) -> Self {
        Self { effect, operations: None, spared: 0, left: None, chance: None }
    }

    /// The call fails, and the backend never hears of it. The error is one that passes.
    pub fn error() -> Self {
        Self::new(Effect::Error { transient: true })
    }

    /// The same, with an error that the same call would meet again.
    pub fn permanent_error() -> Self {
        Self::new(Effect::Error { transient: false })
    }

    /// The backend does it, but the caller gets an error instead of the answer.
    pub fn lost_answer() -> Self {
        Self::new(Effect::LostAnswer)
    }

    /// The call reaches the backend only after this time.
    pub fn delay(by: Duration) -> Self {
        Self::new(Effect::Delay(by))
    }

    /// The backend does it at once, but its answer takes this time.
    pub fn late_answer(by: Duration) -> Self {
        Self::new(Effect::LateAnswer(by))
    }

    /// Of a batch, only the first `length` are done: a claim asks for no more jobs of each executor; of a call that
    /// settles outcomes the rest is not stored, and the caller gets an error. It spares all other operations, whose
    /// contract is all or nothing.
    pub fn cut(length: usize) -> Self {
        Self::new(Effect::Cut(length)).on([Operation::Claim, Operation::Settle])
    }

    /// Only calls of these operations.
    pub fn on(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.operations = Some(operations.into_iter().collect());
        self
    }

    /// Only the `n`-th of the calls that it could happen to, from when it is injected; the first is 1.
    pub fn nth(self, n: u64) -> Self {
        Self { spared: n.saturating_sub(1), left: Some(1), ..self }
    }

    /// Only the next `calls` of them.
    pub fn times(self, calls: u64) -> Self {
        Self { left: Some(calls), ..self }
    }

    /// Each of them with this probability, from 0 to 1. The same seed meets the same calls.
    pub fn with_probability(self, probability: f64, seed: u64) -> Self {
        Self { chance: Some((probability.clamp(0.0, 1.0), StdRng::seed_from_u64(seed))), ..self }
    }

    /// Whether it happens to this call, which it counts.
    pub(super) fn meets(&mut self, operation: Operation) -> Option<Effect> {
        if self.left == Some(0) || self.operations.as_ref().is_some_and(|named| !named.contains(&operation)) {
            return None;
        }
        if let Some((probability, random)) = &mut self.chance
            && !random.random_bool(*probability)
        {
            return None;
        }
        if self.spared > 0 {
            self.spared -= 1;
            return None;
        }
        self.left = self.left.map(|left| left - 1);
        Some(self.effect)
    }
}
