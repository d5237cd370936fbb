//! Decoding what is stored.

use rexecutor::{
    backend::{Enqueue, NewJob, memory::InMemoryBackend},
    prelude::*,
    schema::StoredCheck,
};
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Serialize, Deserialize)]
struct Address {
    street: String,
}

/// It has no schema: none is needed.
#[derive(Serialize, Deserialize)]
struct Parcel {
    to: Vec<Address>,
}

#[job(name = "stored_parcel", executor = SendParcel, aliases = ["stored_packet"])]
async fn parcel(job: Job<Parcel, u8>) {
    let _ = job.data.to.into_iter().map(|address| address.street);
}

#[derive(Serialize)]
struct Panics;

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("no such thing")
    }
}

#[job(name = "stored_panics", executor = RunPanics)]
async fn panics(_data: Panics) {}

async fn store(backend: &InMemoryBackend, jobs: Vec<NewJob>) {
    drop(backend.enqueue(jobs).await.unwrap());
}

#[tokio::test]
async fn each_job_is_decoded_and_what_fails_is_told_with_its_field() {
    let backend = InMemoryBackend::new();
    let job = |name: &'static str, data: &str| NewJob::new(name, data.to_owned());
    store(
        &backend,
        vec![
            job("stored_parcel", r#"{"to":[{"street":"x"}]}"#),
            job("stored_parcel", r#"{"to":[{"street":"x"},{"road":"x"}]}"#).with_blocked(true),
            job("stored_packet", r#"{"to":[{"street":7}]}"#),
            job("stored_parcel", r#"{"to":[]}"#).with_metadata("300".to_owned()),
            job("stored_panics", "1"),
            job("stored_elsewhere", "1"),
        ],
    )
    .await;
    let report = StoredCheck::from_registry().run(&backend).await.unwrap();
    assert!(!report.is_ok());
    assert_eq!((report.jobs(), report.undecoded()), (6, 4));
    assert_eq!(report.executors["stored_parcel"].decoded, 1);
    let expected = "\
stored_packet: 1 of 1 job does not decode
  job 3, data, at `to[0].street`: invalid type: integer `7`, expected a string at line 1 column 18; keep the type of the field, or give \
                    the changed one a new name and `#[serde(default)]`
stored_panics: 1 of 1 job does not decode
  job 5, data: its decoder panicked: no such thing
stored_parcel: 2 of 3 jobs do not decode
  job 2, data, at `to[1]`: missing field `street` at line 1 column 34; write `#[serde(default)]` on the field, or `#[serde(alias = \
                    \"..\")]` if it was renamed
  job 4, metadata: invalid value: integer `300`, expected u8 at line 1 column 3; keep the type of the field, or give the changed one a \
                    new name and `#[serde(default)]`
stored_elsewhere: 1 job stored, and no executor of this program has that name";
    assert_eq!(report.to_string(), expected);
}

#[tokio::test]
async fn many_jobs_are_read_in_pages_and_few_of_them_named() {
    let backend = InMemoryBackend::new();
    for _ in 0..5 {
        store(&backend, (0..101).map(|_| NewJob::new("stored_parcel", "7")).collect()).await;
    }
    let report = StoredCheck::from_registry().run(&backend).await.unwrap();
    let executor = &report.executors["stored_parcel"];
    assert_eq!((executor.undecoded, executor.examples.len()), (505, 20));
    assert_eq!(executor.examples[19].id, 20.into(), "the oldest ones");
    assert!(report.to_string().ends_with("\n  and 485 more"), "{report}");
}

#[tokio::test]
async fn finished_jobs_are_decoded_where_that_is_asked_for() {
    let backend = InMemoryBackend::new();
    store(&backend, vec![NewJob::new("stored_parcel", "7"), NewJob::new("stored_parcel", r#"{"to":[]}"#)]).await;
    SendParcel::cancel_job_on_backend(1, Box::new("not needed"), &backend).await.unwrap();
    let report = StoredCheck::from_registry().run(&backend).await.unwrap();
    assert!(report.is_ok());
    assert_eq!(report.to_string(), "ok: 1 job decoded");
    let report = StoredCheck::from_registry().with_finished().run(&backend).await.unwrap();
    assert_eq!((report.jobs(), report.undecoded()), (2, 1));
}

#[tokio::test]
async fn an_executor_can_be_given_by_hand() {
    let backend = InMemoryBackend::new();
    store(&backend, vec![NewJob::new("stored_parcel", "7"), NewJob::new("stored_panics", "7")]).await;
    let report = StoredCheck::new().with_executor::<SendParcel>().run(&backend).await.unwrap();
    assert_eq!(report.undecoded(), 1);
    assert_eq!(report.unknown.get("stored_panics"), Some(&1));
}
