//! What an executor declares for all nodes together to keep to.

use super::{rate::Rate, shared_limit::Limit};

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
    /// The most of its jobs of one [key](super::extras::Extra::group_key) that run at once; `None`: any number. If there is
    /// one, keys are served in rotation.
    pub per_key: Option<usize>,
    /// How many of its jobs of one key start in how much time; `None`: any number. If there is one, keys are served in rotation.
    pub key_rate: Option<Rate>,
    /// Whether its jobs cost as many tokens of each rate that they keep to as each of them [says](super::extras::Extra::weight), and
    /// not one each.
    pub weighs: bool,
    /// Whether its jobs of one key run one after another, in the order of their numbers. Keys are served in rotation then, too.
    pub ordered: bool,
    /// Limits that it shares with other executors.
    pub shared: &'static [&'static Limit],
}

impl ClusterLimits {
    /// None.
    pub const NONE: Self = Self {
        concurrency: None,
        rate: None,
        per_key: None,
        key_rate: None,
        weighs: false,
        ordered: false,
        shared: &[],
    };

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

    /// The most of its jobs of one key that run at once, at least 1.
    #[must_use]
    pub const fn with_per_key(self, per_key: Option<usize>) -> Self {
        Self { per_key, ..self }
    }

    /// How many of its jobs of one key start in how much time.
    #[must_use]
    pub const fn with_key_rate(self, key_rate: Option<Rate>) -> Self {
        Self { key_rate, ..self }
    }

    /// Whether each of its jobs costs as many tokens as it says.
    #[must_use]
    pub const fn with_weighs(self, weighs: bool) -> Self {
        Self { weighs, ..self }
    }

    /// Whether its jobs of one key run one after another.
    #[must_use]
    pub const fn with_ordered(self, ordered: bool) -> Self {
        Self { ordered, ..self }
    }

    /// Limits that it shares with other executors.
    #[must_use]
    pub const fn with_shared(self, shared: &'static [&'static Limit]) -> Self {
        Self { shared, ..self }
    }

    /// Whether the end of a run may let another one begin.
    pub(crate) fn counts_runs(&self) -> bool {
        let shares = || self.shared.iter().any(|limit| limit.max_running().is_some());
        self.concurrency.is_some() || self.per_key.is_some() || self.ordered || shares()
    }

    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        *self != Self::NONE
    }
}
