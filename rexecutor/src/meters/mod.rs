//! Where things are counted for monitoring: without the feature `metrics`, each of these does nothing.

#[cfg(not(feature = "metrics"))]
mod disabled;
#[cfg(feature = "metrics")]
mod enabled;
#[cfg(feature = "metrics")]
mod names;

#[cfg(not(feature = "metrics"))]
pub(crate) use self::disabled::{Enqueuing, ended, failed, rescued, started};
#[cfg(feature = "metrics")]
pub(crate) use self::enabled::{Depth, Enqueuing, Gauges, ended, failed, rescued, started};
#[cfg(feature = "metrics")]
pub use self::names::{METRICS, Metric, MetricKind, describe};
