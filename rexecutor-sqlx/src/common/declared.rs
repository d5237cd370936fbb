//! What a node's program declares, row by row.

use std::{collections::BTreeMap, time::Duration};

use rexecutor::backend::{Bucket, ClusterLimits, Demand};

/// What is declared of an executor, or of a limit that executors share.
pub(crate) struct Declared {
    pub(crate) most: Option<i64>,
    /// How many nanoseconds one token takes, and how many there may be.
    pub(crate) rate: Option<(i64, i64)>,
    pub(crate) per_key: Option<i64>,
    pub(crate) is_ordered: bool,
    /// As `rate`, of each key.
    pub(crate) key_rate: Option<(i64, i64)>,
    pub(crate) weighs: bool,
    /// In microseconds.
    pub(crate) aging: Option<i64>,
    /// The stored names of the limits that it shares, as a JSON array; `None`: it shares none.
    pub(crate) shared: Option<String>,
}

/// What these demands declare, by name: each name once, and in order.
pub(crate) fn declared(demands: &[Demand]) -> BTreeMap<String, Declared> {
    let as_number = |most: usize| i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = BTreeMap::new();
    for demand in demands {
        let ClusterLimits { concurrency, rate, per_key, key_rate, weighs, aging, ordered, shared, .. } = demand.cluster;
        let names: Vec<String> = shared.iter().map(|limit| limit.stored_name().to_string()).collect();
        let own = Declared {
            most: concurrency.map(as_number),
            rate: rate.map(Bucket::numbers),
            per_key: per_key.map(as_number),
            is_ordered: ordered,
            key_rate: key_rate.map(Bucket::numbers),
            weighs,
            aging: aging.map(aging_micros),
            shared: (!names.is_empty()).then(|| serde_json::json!(names).to_string()),
        };
        rows.insert(demand.executor.to_string(), own);
        for (name, limit) in names.into_iter().zip(shared) {
            rows.entry(name).or_insert_with(|| Declared {
                most: limit.max_running().map(as_number),
                rate: limit.max_rate().map(Bucket::numbers),
                per_key: None,
                is_ordered: false,
                key_rate: None,
                weighs: false,
                aging: None,
                shared: None,
            });
        }
    }
    rows
}

/// In how many microseconds of waiting a job rises by one priority.
pub(crate) fn aging_micros(aging: Duration) -> i64 {
    i64::try_from(aging.min(ClusterLimits::MAX_AGING).as_micros()).unwrap_or(i64::MAX)
}
