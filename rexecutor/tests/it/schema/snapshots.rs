//! The file, and what is said of a job as a whole.

use rexecutor::{
    prelude::*,
    schema::{BreakingChange, ChangeKind, Part, Snapshot, SnapshotError},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Of no interest to a decoder.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Image {
    /// Nor is this.
    path: String,
    #[serde(default)]
    title: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Thumbnail {
    bytes: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Opaque;

#[derive(Serialize, JsonSchema)]
struct OnlyWritten {
    bytes: u8,
}

#[job(name = "schema_resize", aliases = ["schema_shrink"])]
async fn resize(job: Job<Image, Thumbnail>) -> Result<Thumbnail, String> {
    let _ = (job.data.path, job.data.title);
    Ok(Thumbnail { bytes: vec![] })
}

#[job(name = "schema_opaque", executor = TakeOpaque)]
async fn opaque(_data: Opaque) -> Result<OnlyWritten, String> {
    Ok(OnlyWritten { bytes: 1 })
}

#[job(name = "schema_nothing")]
async fn nothing() {}

fn snapshot() -> Snapshot {
    Snapshot::from_registry().retain(|name| ["schema_resize", "schema_opaque", "schema_nothing"].contains(&name))
}

/// The file, changed.
fn old(change: impl FnOnce(&mut Value)) -> Snapshot {
    let mut file: Value = serde_json::from_str(&snapshot().to_string()).unwrap();
    change(&mut file["jobs"]);
    Snapshot::parse(&file.to_string()).unwrap()
}

fn said(changes: &[BreakingChange]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_job_has_the_schemas_of_its_data_metadata_and_output_and_no_words_for_people() {
    let thumbnail = json!({
        "type": "object",
        "properties": {
            "bytes": {"type": "array", "items": {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255}},
        },
        "required": ["bytes"],
    });
    let image = |required: Value| {
        json!({
            "type": "object",
            "properties": {"path": {"type": "string"}, "title": {"type": ["string", "null"]}},
            "required": required,
        })
    };
    let expected = json!({
        "version": 1,
        "jobs": {
            "schema_nothing": {},
            "schema_opaque": {"data": "Opaque"},
            "schema_resize": {
                "aliases": ["schema_shrink"],
                "data": image(json!(["path"])),
                "data_as_written": image(json!(["path", "title"])),
                "metadata": thumbnail,
                "output": thumbnail,
            },
        },
    });
    let text = snapshot().to_string();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    assert_eq!(Snapshot::parse(&text).unwrap().to_string(), text, "it is read as it was written");
    assert!(text.find("schema_nothing") < text.find("schema_resize") && text.contains("\n  \"jobs\""), "{text}");
    let not_described: Vec<_> =
        snapshot().not_described().map(|(job, part, name)| format!("{job} {part} {name}")).collect();
    assert_eq!(not_described, ["schema_opaque data Opaque"]);
    assert_eq!(snapshot().jobs().collect::<Vec<_>>(), ["schema_nothing", "schema_opaque", "schema_resize"]);
}

#[test]
fn nothing_is_said_where_nothing_has_changed_and_of_new_jobs() {
    assert_eq!(snapshot().breaking_changes(&old(|_| {})), []);
    let without = old(|jobs| drop(jobs.as_object_mut().unwrap().remove("schema_resize")));
    assert_eq!(snapshot().breaking_changes(&without), []);
}

#[test]
fn a_job_that_is_gone_is_told_of_unless_it_is_an_alias() {
    let with = old(|jobs| {
        jobs["schema_shrink"] = jobs["schema_resize"].clone();
        jobs["schema_gone"] = json!({"data": {"type": "string"}});
    });
    let changes = snapshot().breaking_changes(&with);
    assert_eq!(changes.iter().map(|change| &change.kind).collect::<Vec<_>>(), [&ChangeKind::JobRemoved]);
    let sentence = "job `schema_gone`: no job has this name any more, so its stored jobs would wait for ever; write \
                    `aliases = [\"schema_gone\"]` in the `#[job]` that took its place, or keep it until none of its jobs is stored";
    assert_eq!(said(&changes), [sentence]);
    // What is stored under a former name is compared with the job that has it.
    let with = old(|jobs| jobs["schema_shrink"] = json!({"data": {"type": "string"}}));
    let changes = snapshot().breaking_changes(&with);
    assert_eq!(
        changes.iter().map(|change| (change.job.as_str(), change.part)).collect::<Vec<_>>(),
        [("schema_shrink", Some(Part::Data))]
    );
}

#[test]
fn each_part_of_a_job_is_compared() {
    let changes = snapshot().breaking_changes(&old(|jobs| {
        let job = &mut jobs["schema_resize"];
        job["data"]["properties"]["path"] = json!({"type": "integer", "format": "uint32"});
        job["data_as_written"] = job["data"].clone();
        job["metadata"] = json!({"type": "null"});
        job["output"]["properties"] = json!({"data": job["output"]["properties"]["bytes"]});
        job["output"]["required"] = json!(["data"]);
    }));
    assert_eq!(
        said(&changes),
        [
            "job `schema_resize`, data, field `path`: it was `u32`, and is `String`; keep its type, or give the changed field a new \
         name and `#[serde(default)]`, or give the job a new name and keep the old one until none of its jobs is stored",
            "job `schema_resize`, metadata: it was `()`, and is a struct with the field `bytes`; keep its type, or give the job a new \
         name and keep the old one until none of its jobs is stored",
            "job `schema_resize`, output, field `bytes`: it is new, and stored jobs lack it; if it was called `data`, write \
         `#[serde(alias = \"data\")]` on it, else `#[serde(default)]`",
        ]
    );
}

#[test]
fn what_older_jobs_may_lack_is_told_as_such() {
    // The last version wrote `path` always, and read jobs of one before it that did not have it.
    let changes = snapshot().breaking_changes(&old(|jobs| {
        let job = &mut jobs["schema_resize"];
        job["data"]["required"] = json!([]);
    }));
    let sentence = "job `schema_resize`, data, field `path` (in jobs that are older than the snapshot): it could be missing, and is \
                    required now; write `#[serde(default)]` on it, or keep the `Option`";
    assert_eq!(said(&changes), [sentence]);
}

#[test]
fn what_is_not_understood_or_has_no_schema_any_more_is_not_taken_for_granted() {
    let changes = snapshot().breaking_changes(&old(|jobs| {
        jobs["schema_resize"]["output"]["if"] = json!({"required": ["bytes"]});
        jobs["schema_opaque"]["data"] = json!({"type": "null"});
    }));
    assert_eq!(
        changes.iter().map(|change| &change.kind).collect::<Vec<_>>(),
        [
            &ChangeKind::NotDescribed { type_name: "Opaque".to_owned() },
            &ChangeKind::CannotTell { about: "`if`".to_owned() },
        ]
    );
}

#[test]
fn what_is_not_understood_is_told_of_where_its_definitions_alone_have_changed() {
    let file = |kind: &str| {
        let data = json!({
            "if": {}, "properties": {"part": {"$ref": "#/$defs/Part"}}, "$defs": {"Part": {"type": kind}}
        });
        Snapshot::parse(&json!({"version": 1, "jobs": {"a": {"data": data}}}).to_string()).unwrap()
    };
    assert_eq!(file("string").breaking_changes(&file("string")), []);
    let changes = file("string").breaking_changes(&file("integer"));
    let sentence = "job `a`, data: its schema has changed, and uses `if`, which cannot be compared; decode a stored job with the new \
                    program, and accept the new schema if that works";
    assert_eq!(said(&changes), [sentence]);
}

#[test]
fn data_of_a_job_that_had_none_are_new() {
    let none = old(|jobs| drop(jobs["schema_resize"].as_object_mut().unwrap().remove("data")));
    let changes = snapshot().breaking_changes(&none);
    assert!(matches!(changes.as_slice(), [change] if change.part == Some(Part::Data)), "{changes:?}");
}

#[test]
fn another_file_is_no_snapshot() {
    let error = |text: &str| Snapshot::parse(text).unwrap_err();
    assert!(matches!(error("{"), SnapshotError::NotJson(_)));
    assert_eq!(
        error("{}").to_string(),
        "the snapshot of job schemas has no `version`; expected what `rexecutor::schema::Snapshot` writes"
    );
    assert!(error(r#"{"version":1}"#).to_string().contains("no object `jobs`"));
    assert!(error(r#"{"version":1,"jobs":{"a":7}}"#).to_string().contains("no object for the job `a`"));
    assert!(
        error(r#"{"version":2}"#)
            .to_string()
            .ends_with("has version 2, and this rexecutor reads version 1; update rexecutor")
    );
}
