//! What an executor declares for all nodes together to keep to.

use super::rate::Rate;

/// What an executor declares for all nodes together to keep to.
///
/// Each claim of its jobs says it, so that every node of the cluster learns of it, whatever version its program has. Where the
/// programs of two nodes declare different limits, as during a deploy, the strictest holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterLimits {
    /// The most of its jobs that run at once; `None`: any number.
    pub concurrency: Option<usize>,
    /// How many of its jobs start in how much time; `None`: any number.
    pub rate: Option<Rate>,
}

impl ClusterLimits {
    /// None.
    pub const NONE: Self = Self { concurrency: None, rate: None };

    /// The most of its jobs that run at once, at least 1.
    #[must_use]
    pub const fn with_concurrency(self, concurrency: Option<usize>) -> Self {
        Self { concurrency, ..self }
    }

    /// How many of its jobs start in how much time.
    #[must_use]
    pub const fn with_rate(self, rate: Option<Rate>) -> Self {
        Self { rate, ..self }
    }

    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        *self != Self::NONE
    }
}
