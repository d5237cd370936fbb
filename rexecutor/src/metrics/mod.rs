#![doc = include_str!("../docs/metrics.md")]

mod queues;

pub use self::queues::{QueueMetrics, watch_queues};
pub use crate::meters::{METRICS, Metric, MetricKind, describe};
