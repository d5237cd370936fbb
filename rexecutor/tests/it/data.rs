//! Data on their way through JSON: what comes back is what was given, and what is found is what was asked for.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rexecutor::{assert_enqueued, backend::memory::InMemoryBackend, prelude::*};
use serde::{Deserialize, Serialize};

#[job(name = "wide", unique(by = data))]
async fn wide(_number: u128) {}

#[job(name = "signed", unique(by = data))]
async fn signed(_number: i128) {}

#[job(name = "float")]
async fn float(_numbers: Vec<f64>) {}

#[job(name = "single")]
async fn single(_number: f32) {}

/// Case 24: numbers of more than 64 bits were compared as doubles, or refused.
#[tokio::test]
async fn case_24_numbers_of_128_bits_are_unique_and_found_in_full() {
    let backend = InMemoryBackend::new().paused();
    for number in [u128::MAX, u128::MAX - 1, 1 << 70, (1 << 70) + 1] {
        assert!(
            !Wide::builder().with_data(number).enqueue_to_backend(&backend).await.unwrap().is_duplicate(),
            "{number}"
        );
        assert!(
            Wide::builder().with_data(number).enqueue_to_backend(&backend).await.unwrap().is_duplicate(),
            "{number}"
        );
        let found = Wide::query_jobs_on_backend(Where::data_equals(&number), &backend).await.unwrap();
        assert_eq!(found.iter().map(|job| job.data).collect::<Vec<_>>(), [number]);
        assert_enqueued!(1 job, to: &backend, for_executor: Wide, with_data: number);
        let key = || UniquenessCriteria::by_key(&number).and_executor();
        let keyed = |number| Wide::builder().with_data(number).unique(key());
        assert!(!keyed(1).enqueue_to_backend(&backend).await.unwrap().is_duplicate(), "{number}");
        assert!(keyed(2).enqueue_to_backend(&backend).await.unwrap().is_duplicate(), "{number}");
    }
    for number in [i128::MIN, i128::MIN + 1] {
        assert!(
            !Signed::builder().with_data(number).enqueue_to_backend(&backend).await.unwrap().is_duplicate(),
            "{number}"
        );
    }
}

/// Case 27: 11 % of the doubles between 0 and 1 came back one bit off.
#[test]
fn case_27_doubles_come_back_to_the_last_bit() {
    let mut random = StdRng::seed_from_u64(27);
    let mut numbers: Vec<f64> = (0..10_000).map(|_| random.random()).collect();
    let any = std::iter::repeat_with(|| f64::from_bits(random.random())).filter(|number| number.is_finite());
    numbers.extend(any.take(10_000));
    numbers.extend([f64::MIN_POSITIVE, f64::MAX, -0.0, f64::from_bits(1)]);
    let job = Float::builder().with_data(numbers.clone()).encode().unwrap();
    let row = rexecutor::backend::JobRow::new(JobId::from(1), job, rexecutor_testing::TestClock::START);
    let read = Job::<Vec<f64>, ()>::decode(row).unwrap().data;
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read), bits(&numbers));
}

/// Case 27: a number of 32 bits was looked for as the double next to it, and not found.
#[tokio::test]
async fn case_27_numbers_of_32_bits_are_found() {
    let backend = InMemoryBackend::new().paused();
    for number in [0.1_f32, 1e-7, 16_777_216.0, f32::MAX, f32::MIN_POSITIVE] {
        let _ = Single::builder().with_data(number).enqueue_to_backend(&backend).await.unwrap();
        let found = Single::query_jobs_on_backend(Where::data_equals(&number), &backend).await.unwrap();
        assert_eq!(found.iter().map(|job| job.data).collect::<Vec<_>>(), [number]);
        assert_enqueued!(1 job, to: &backend, for_executor: Single, with_data: number);
    }
    assert_enqueued!(to: &backend, for_executor: Single, with_data: 0.1f32);
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Lossy {
    prices: HashMap<String, Vec<Option<f64>>>,
    ratio: f32,
    nested: Option<Option<u8>>,
    unit: Option<()>,
    choice: Choice,
}

#[derive(Debug, Default, Serialize, Deserialize)]
enum Choice {
    #[default]
    None,
    One(f64),
    Two(u8, f64),
    Three {
        x: f64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Wide { id: u128 },
    Keys { counts: HashMap<u32, u8> },
    Plain,
}

#[derive(Debug, Serialize, Deserialize)]
struct Flattened {
    name: String,
    #[serde(flatten)]
    rest: HashMap<String, u8>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FlattenedKeys {
    #[serde(flatten)]
    rest: HashMap<u32, u8>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Secret {
    #[serde(skip_serializing)]
    #[expect(dead_code, reason = "what is read back is not looked at")]
    secret: String,
}

#[job(executor = LossyJob, name = "lossy")]
async fn lossy(_data: Job<Lossy, Option<f64>>) {}

#[job(executor = TaggedJob, name = "tagged")]
async fn tagged(_data: Tagged) {}

#[job(executor = FlattenedJob, name = "flattened")]
async fn flattened(_data: Flattened) {}

#[job(executor = FlattenedKeysJob, name = "flattened_keys")]
async fn flattened_keys(_data: FlattenedKeys) {}

#[job(executor = SecretJob, name = "secret")]
async fn secret(_data: Secret) {}

/// Case 26: NaN and infinities are written as `null`, and so is `Some` of nothing.
#[test]
fn case_26_what_would_be_lost_is_refused_with_its_place() {
    let prices = |price| Lossy { prices: [("a".to_owned(), vec![None, Some(price)])].into(), ..Lossy::default() };
    let choice = |choice| Lossy { choice, ..Lossy::default() };
    let cases = [
        (prices(f64::NAN), "data: `prices.a[1]` is NaN"),
        (prices(f64::INFINITY), "data: `prices.a[1]` is inf"),
        (Lossy { ratio: f32::NEG_INFINITY, ..Lossy::default() }, "data: `ratio` is -inf"),
        (Lossy { nested: Some(None), ..Lossy::default() }, "data: `nested` is `Some` of what is stored as `null`"),
        (Lossy { unit: Some(()), ..Lossy::default() }, "data: `unit` is `Some` of what is stored as `null`"),
        (choice(Choice::One(f64::NAN)), "data: `choice.One` is NaN"),
        (choice(Choice::Two(1, f64::NAN)), "data: `choice.Two[1]` is NaN"),
        (choice(Choice::Three { x: f64::NAN }), "data: `choice.Three.x` is NaN"),
    ];
    for (data, message) in cases {
        let error = LossyJob::builder().with_data(data).encode().unwrap_err().to_string();
        assert!(error.starts_with(message), "{message}: {error}");
    }
    let metadata = LossyJob::builder().with_data(Lossy::default()).with_metadata(Some(f64::NAN));
    assert_eq!(metadata.encode().unwrap_err().to_string(), "metadata: the value is NaN, which JSON cannot hold");
    let kept = Lossy { nested: Some(Some(1)), choice: Choice::Two(1, 2.5), ..prices(0.5) };
    assert!(LossyJob::builder().with_data(kept).with_metadata(Some(1.0)).encode().is_ok());
}

/// Case 26: what encodes and does not decode failed in each of its attempts.
#[test]
fn case_26_what_does_not_decode_is_refused() {
    let counts = || [(1, 2)].into();
    let flat = |name: &str| Flattened { name: "a".to_owned(), rest: [(name.to_owned(), 1)].into() };
    let cases = [
        (TaggedJob::builder().with_data(Tagged::Wide { id: 1 }).encode(), "`id` has 128 bits"),
        (TaggedJob::builder().with_data(Tagged::Keys { counts: counts() }).encode(), "string \"1\", expected u32"),
        (
            FlattenedKeysJob::builder().with_data(FlattenedKeys { rest: counts() }).encode(),
            "string \"1\", expected u32",
        ),
        (FlattenedJob::builder().with_data(flat("name")).encode(), "duplicate field `name`"),
        (SecretJob::builder().with_data(Secret { secret: String::new() }).encode(), "missing field `secret`"),
    ];
    for (result, message) in cases {
        let error = result.unwrap_err().to_string();
        assert!(
            error.starts_with("data: encoded as JSON, they do not decode again") && error.contains(message),
            "{error}"
        );
    }
    assert!(TaggedJob::builder().with_data(Tagged::Plain).encode().is_ok());
    assert!(FlattenedJob::builder().with_data(flat("b")).encode().is_ok());
}

/// Case 26: nor can it be brought in by an update.
#[tokio::test]
async fn case_26_an_update_is_refused_too() {
    let backend = InMemoryBackend::new().paused();
    let id = LossyJob::builder().with_data(Lossy::default()).enqueue_to_backend(&backend).await.unwrap().id();
    let query = || LossyJob::query_jobs_on_backend(Where::id_equals(id), &backend);
    let mut job = query().await.unwrap().remove(0);
    job.data.ratio = f32::NAN;
    let error = LossyJob::update_job_on_backend(job, &backend).await.unwrap_err();
    assert_eq!(error.to_string(), "data: `ratio` is NaN, which JSON cannot hold");
    assert_eq!(query().await.unwrap()[0].data.ratio, 0.0);
}

/// Case 30: a `Where` of any length and depth can be built, shown and dropped; what is too long or too deep is an error.
#[tokio::test]
async fn case_30_long_and_deep_conditions_are_answered_or_refused() {
    let backend = InMemoryBackend::new().paused();
    let _ = Wide::builder().with_data(2_999).enqueue_to_backend(&backend).await.unwrap();
    let numbers: Vec<u128> = (0..20_000).collect();
    let chain = |length: usize| numbers[..length].iter().map(Where::data_equals).reduce(Where::or).unwrap();
    let ask = async |query| Wide::query_jobs_on_backend(query, &backend).await;
    assert!(format!("{:?}", chain(20_000)).len() > 20_000);
    assert_eq!(ask(chain(3_000)).await.unwrap().len(), 1);
    assert!(ask(chain(20_000)).await.unwrap_err().to_string().starts_with("a query of more than 10000 conditions"));
    let other = || Where::status_equal(JobStatus::Complete);
    let nested = |depth| {
        (0..depth).fold(other(), |query, nth| if nth % 2 == 0 { query.or(Where::any()) } else { query.and(other()) })
    };
    assert!(ask(nested(98)).await.is_ok());
    let error = ask(nested(500_000)).await.unwrap_err().to_string();
    assert!(error.contains("nested more than 100 levels deep"), "{error}");
    let ids = (0..20_000).map(|id| Where::id_equals(JobId::from(id))).reduce(Where::or).unwrap();
    assert_eq!(ask(ids).await.unwrap().len(), 1, "a list of ids is one condition");
    assert_eq!(ask((0..500_000).fold(Where::any(), |query, _| !query)).await.unwrap().len(), 1);
}
