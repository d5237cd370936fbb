//! What `main` prints of an error that it returns: `Debug`.

use std::{
    collections::BTreeSet,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use rexecutor::{
    ExtractError, GlobalBackendIsSet, NoGlobalBackend,
    backend::{AmendError, BackendError},
    executor::JobFailure,
    job::{JobId, JobStatus, builder::EnqueueError},
    node::StartError,
    prelude::*,
};

/// Every error that users meet, by its name.
const ERRORS: &[&str] = &[
    "AmendError",
    "BackendError",
    "BatchError",
    "CompleteError",
    "ConnectError",
    "CopyError",
    "DecodeError",
    "EmitError",
    "EnqueueError",
    "EventsError",
    "ExtractError",
    "FilterError",
    "FlowError",
    "GlobalBackendIsSet",
    "GraphError",
    "ImportError",
    "InvalidJob",
    "InvalidSearch",
    "JobFailure",
    "JobsError",
    "Mismatch",
    "NoGlobalBackend",
    "NoOutput",
    "OpenError",
    "OutputError",
    "ParseOffsetError",
    "RexecutorError",
    "ScheduleError",
    "SchedulesError",
    "SnapshotError",
    "StartError",
    "StepError",
    "TokenError",
    "UnknownPosition",
    "UnknownStatus",
    "UnknownTimeZone",
    "UrlError",
    "WorkflowError",
];

#[test]
fn case_03_every_public_error_of_every_crate_shows_its_sentence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut errors, mut shown) = (BTreeSet::new(), BTreeSet::new());
    for folder in
        ["rexecutor/src", "rexecutor-schedule/src", "rexecutor-sqlx/src", "rexecutor-testing/src", "rexecutor-web/src"]
    {
        for file in files(&root.join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            errors.extend(public_errors(&text));
            for list in text.split("debug_as_sentence!(").skip(1) {
                shown.extend(list.split(')').next().unwrap().split(',').map(|name| name.trim().to_owned()));
            }
        }
    }
    assert_eq!(errors.iter().collect::<Vec<_>>(), ERRORS, "the list names every public error");
    let missing: Vec<_> = errors.difference(&shown).collect();
    assert!(missing.is_empty(), "`debug_as_sentence!` is missing for {missing:?}");
}

/// The public types of a file that are errors, by derive or by hand.
pub(crate) fn public_errors(text: &str) -> BTreeSet<String> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut found = BTreeSet::new();
    for item in ["pub struct ", "pub enum "] {
        for (at, _) in text.match_indices(item) {
            let name: String = text[at + item.len()..].chars().take_while(|character| is_word(*character)).collect();
            // Its attributes begin where the item before it ends.
            let attributes = text[..at].rsplit_once("\n\n").map_or("", |(_, attributes)| attributes);
            if attributes.contains("thiserror::Error") || text.contains(&format!("Error for {name} {{")) {
                found.insert(name);
            }
        }
    }
    found
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nested = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    nested.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn driver() -> BackendError {
    BackendError::transient("could not store jobs", "connection refused")
}

#[test]
fn case_03_debug_is_the_sentence_and_its_causes_each_once() {
    let refused = AmendError::Refused { id: JobId::from(7), status: JobStatus::Complete, verb: "cancelled" };
    let errors: [(Box<dyn Error>, &str); 8] = [
        (driver().into(), "could not store jobs: connection refused"),
        (EnqueueError::Backend(driver()).into(), "could not store the job: could not store jobs: connection refused"),
        (refused.into(), "job 7 is complete and cannot be cancelled"),
        (JobFailure::discard("the card has expired").into(), "the card has expired"),
        (ExtractError::new("no tenant").into(), "no tenant"),
        (GlobalBackendIsSet.into(), "the global backend is already set"),
        (
            "x".parse::<JobStatus>().unwrap_err().into(),
            "`x` is no job status; expected blocked, scheduled, executing, ",
        ),
        (StartError::Invalid(vec!["a".into(), "b".into()]).into(), "the node cannot start:\n  - a\n  - b"),
    ];
    for (error, text) in errors {
        assert!(format!("{error:?}").starts_with(text), "{error:?} is not {text}");
        assert_eq!(format!("{error:?}"), format!("{error:#?}"));
    }
}

/// What the first error of most users says.
#[tokio::test]
async fn case_03_a_program_without_a_backend_is_told_what_to_write() {
    let error: Box<dyn Error> = Rexecutor::builder().start().await.map(drop).unwrap_err().into();
    assert_eq!(format!("{error:?}"), error.to_string());
    assert!(error.to_string().contains("write `.with_backend(backend)`"), "{error}");
    let error: Box<dyn Error> = NoGlobalBackend.into();
    assert!(format!("{error:?}").contains("`rexecutor::set_global_backend(backend)`"), "{error:?}");
}
