//! What an executor declares for all nodes together to keep to.

use std::time::Duration;

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
    /// In how much time of waiting one of its jobs rises by one priority; `None`: it does not.
    pub aging: Option<Duration>,
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
        aging: None,
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

    /// In how much time of waiting one of its jobs rises by one priority: from a millisecond to [366 days](Self::MAX_AGING).
    #[must_use]
    pub const fn with_aging(self, aging: Option<Duration>) -> Self {
        Self { aging, ..self }
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

    /// The longest time in which a job may rise by one priority.
    pub const MAX_AGING: Duration = Duration::from_secs(366 * 24 * 60 * 60);

    /// Whether its jobs can rise in priority as it says.
    pub(crate) fn check_aging(&self) -> Result<(), &'static str> {
        let Some(aging) = self.aging else { return Ok(()) };
        match () {
            () if aging < Duration::from_millis(1) => {
                Err("it is under a millisecond, so that priorities would decide nothing")
            }
            () if aging > Self::MAX_AGING => Err("it is over 366 days"),
            () if self.per_key.is_some() || self.key_rate.is_some() || self.ordered => {
                Err("keys are served in rotation, whatever the priorities of their jobs")
            }
            () => Ok(()),
        }
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
