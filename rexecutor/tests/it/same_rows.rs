//! Rows and keys that are the same in every build, whatever features of `serde_json` are on: the package `feature-tests` runs
//! this file again with those that change what a `serde_json::Value` is.

use std::collections::BTreeMap;

use rexecutor::{
    backend::{Json, NewJob},
    job::uniqueness_criteria::UniqueKey,
    prelude::*,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    number: u128,
    balance: i128,
    price: f64,
    rate: f32,
    lines: BTreeMap<String, Line>,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Line {
    Goods { weight: u64 },
    Service,
}

#[job(executor = OrderJob, name = "order", unique(by = data))]
async fn order(_order: Job<Order, serde_json::Value>) {}

#[job(name = "any", unique(by = data))]
async fn any(_value: serde_json::Value) {}

fn an_order() -> Order {
    let lines = [("z", Line::Goods { weight: u64::MAX }), ("a", Line::Service)];
    Order {
        number: u128::MAX,
        balance: i128::MIN,
        price: 0.1 + 0.2,
        rate: 0.1,
        lines: lines.map(|(name, line)| (name.to_owned(), line)).into(),
        note: Some("\"é\"\n".to_owned()),
    }
}

fn hex(job: &NewJob) -> String {
    let UniqueKey(key) = job.unique.as_ref().unwrap().key;
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Case 29: the row's text and the key are written down here, and the same with other features of `serde_json`.
#[test]
fn case_29_rows_and_keys_are_the_same_in_every_build() {
    let job = OrderJob::builder().with_data(an_order()).encode().unwrap();
    assert_eq!(
        job.data,
        r#"{"number":340282366920938463463374607431768211455,"balance":-170141183460469231731687303715884105728,"price":0.30000000000000004,"rate":0.1,"lines":{"a":{"kind":"Service"},"z":{"kind":"Goods","weight":18446744073709551615}},"note":"\"é\"\n"}"#
    );
    assert_eq!(hex(&job), "0eb1a3e97d248835fc40965bbf3b56e7");
    let keyed = OrderJob::builder().with_data(an_order()).unique(UniquenessCriteria::by_key(&an_order()));
    assert_eq!(hex(&keyed.encode().unwrap()), "c14670aaeac5f1e8e8cb4a8cbfedf67c");
    let row = rexecutor::backend::JobRow::new(JobId::from(1), job, rexecutor_testing::TestClock::START);
    assert_eq!(Job::<Order, serde_json::Value>::decode(row).unwrap().data, an_order());
}

/// Case 29: a `serde_json::Value` keeps the order of its keys with one of the features; what is compared does not.
#[test]
fn case_29_values_have_the_same_keys_in_every_build() {
    let value: serde_json::Value = serde_json::from_str(r#"{"b":[1,2.5,{"d":null,"c":"x"}],"a":7}"#).unwrap();
    let job = Any::builder().with_data(value.clone()).encode().unwrap();
    assert_eq!(hex(&job), "49dcf71072a45ff564f3a876059cec5b");
    assert_eq!(Json::of(&value).unwrap().as_str(), r#"{"a":7,"b":[1,2.5,{"c":"x","d":null}]}"#);
    assert!(Json::from(value).equals(&job.data));
}
