//! The schemas of a program's jobs, as a file.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value, json};

use super::{
    change::{BreakingChange, Part},
    check,
    normal::ANNOTATIONS,
};
use crate::{
    executing::Executor,
    registry::{Decode, JobSchemas, TypeSchema, registered},
};

/// The version of the file's form.
const VERSION: u64 = 1;

/// The JSON Schemas of a program's jobs: of the data, the metadata and the output of each.
///
/// Its [`Display`](fmt::Display) is the content of the file: sorted JSON, the same on every machine, without descriptions and default values.
///
/// # Examples
///
/// ```standalone_crate
/// use rexecutor::{prelude::*, schema::Snapshot};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// struct Image {
///     path: String,
///     width: u32,
/// }
///
/// #[job]
/// async fn resize(image: Image) {
///     println!("{} to {}", image.path, image.width);
/// }
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let snapshot = Snapshot::from_registry();
///     let old = snapshot.to_string().replace("\"width\"", "\"size\"");
///     for change in snapshot.breaking_changes(&Snapshot::parse(&old)?) {
///         println!("{change}");
///     }
///     Ok(())
/// }
/// ```
///
/// ```text
/// job `resize`, data, field `width`: it is new, and stored jobs lack it; if it was called `size`, write `#[serde(alias = "size")]` on it, else `#[serde(default)]`
/// ```
#[derive(Debug, Clone, Default)]
pub struct Snapshot(BTreeMap<String, Job>);

#[derive(Debug, Clone, Default)]
pub(super) struct Job {
    pub(super) aliases: Vec<String>,
    /// Those that are not `()`.
    pub(super) parts: BTreeMap<Part, Described>,
}

/// A type of a job.
#[derive(Debug, Clone)]
pub(super) enum Described {
    /// It has no schema; its name.
    Unknown(String),
    Known(Schemas),
}

/// How a type is written and read.
#[derive(Debug, Clone)]
pub(super) struct Schemas {
    pub(super) read: Value,
    pub(super) written: Value,
    /// Of a type of this program.
    pub(super) decode: Option<Decode>,
}

/// Why a text is not a [`Snapshot`].
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is not JSON.
    #[error("the snapshot of job schemas is not JSON; restore it from version control, or delete it and write it anew")]
    NotJson(#[source] serde_json::Error),
    /// It is some other JSON.
    #[error("the snapshot of job schemas has {0}; expected what `rexecutor::schema::Snapshot` writes")]
    Form(String),
    /// A later version of rexecutor wrote it.
    #[error(
        "the snapshot of job schemas has version {0}, and this rexecutor reads version {VERSION}; update rexecutor"
    )]
    Version(u64),
}

crate::debug_as_sentence!(SnapshotError);

impl Snapshot {
    /// One without jobs.
    pub fn new() -> Self {
        Self::default()
    }

    /// The snapshot of every `#[job]` that is linked into this program.
    ///
    /// The linker leaves out a library that the program does not name: write `use the_crate as _;`.
    pub fn from_registry() -> Self {
        registered().into_iter().fold(Self::new(), |snapshot, registration| match registration.payload().schemas() {
            Some(schemas) => snapshot.and(registration.name(), registration.settings().aliases, schemas),
            None => snapshot,
        })
    }

    /// Adds an executor that is written by hand: its data and metadata, which must have schemas, and not its output.
    #[must_use]
    pub fn with_executor<E: Executor>(self) -> Self
    where
        E::Data: schemars::JsonSchema,
        E::Metadata: schemars::JsonSchema,
    {
        use crate::registry::{DecodedAndDescribed as _, TypeOf};
        let data = (&&&TypeOf::<E::Data>::NEW).schema();
        let metadata = (&&&TypeOf::<E::Metadata>::NEW).schema();
        self.and(E::NAME, E::ALIASES, JobSchemas { data, metadata, output: TypeSchema::Nothing })
    }

    /// Keeps the jobs whose names `is_wanted` accepts, to leave out those that only tests define.
    #[must_use]
    pub fn retain(mut self, is_wanted: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| is_wanted(name));
        self
    }

    fn and(mut self, name: &str, aliases: &[&str], schemas: JobSchemas) -> Self {
        let JobSchemas { data, metadata, output } = schemas;
        let parts = [(Part::Data, data), (Part::Metadata, metadata), (Part::Output, output)];
        let parts = parts.into_iter().filter_map(|(part, schema)| Some((part, Described::of(schema)?)));
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        self.0.insert(name.to_owned(), Job { aliases, parts: parts.collect() });
        self
    }

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// When the text is not what [`Display`](fmt::Display) writes, or a later version of rexecutor wrote it.
    pub fn parse(text: &str) -> Result<Self, SnapshotError> {
        let file: Value = serde_json::from_str(text).map_err(SnapshotError::NotJson)?;
        match file.get("version").map(Value::as_u64) {
            Some(Some(VERSION)) => {}
            Some(Some(version)) => return Err(SnapshotError::Version(version)),
            _ => return Err(SnapshotError::Form("no `version`".to_owned())),
        }
        let jobs = file.get("jobs").and_then(Value::as_object);
        let jobs = jobs.ok_or_else(|| SnapshotError::Form("no object `jobs`".to_owned()))?;
        let jobs = jobs.iter().map(|(name, job)| {
            let job = job.as_object().ok_or_else(|| SnapshotError::Form(format!("no object for the job `{name}`")))?;
            Ok((name.clone(), Job::read(job)))
        });
        Ok(Self(jobs.collect::<Result<_, SnapshotError>>()?))
    }

    /// The names of its jobs, in order.
    pub fn jobs(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The types that have no schema, so that nothing can be said of them: a job, which of its types, and the type's name.
    pub fn not_described(&self) -> impl Iterator<Item = (&str, Part, &str)> {
        self.0.iter().flat_map(|(name, job)| {
            job.parts.iter().filter_map(move |(part, described)| match described {
                Described::Unknown(type_name) => Some((name.as_str(), *part, type_name.as_str())),
                Described::Known(_) => None,
            })
        })
    }

    /// The changes since `old` that break stored jobs: values that were stored under `old` may not decode under this snapshot.
    ///
    /// A schema does not show everything that `serde` does. If this snapshot comes from the program and not from a file, each finding is
    /// checked with the decoder: an example of a stored value is decoded, and if that succeeds, as it does with `#[serde(alias)]`, the
    /// finding is dropped. Two snapshots from files are compared by their schemas alone.
    pub fn breaking_changes(&self, old: &Self) -> Vec<BreakingChange> {
        check::changes(old, self)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Job)> {
        self.0.iter().map(|(name, job)| (name.as_str(), job))
    }

    /// The job that runs what is stored under this name.
    pub(super) fn runs(&self, name: &str) -> Option<&Job> {
        self.0.get(name).or_else(|| self.0.values().find(|job| job.aliases.iter().any(|alias| alias == name)))
    }
}

impl Job {
    fn read(job: &Map<String, Value>) -> Self {
        let texts = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let aliases = job.get("aliases").map(texts).unwrap_or_default();
        let part = |part: &Part| {
            let read = match job.get(part.as_str())? {
                Value::String(name) => return Some((*part, Described::Unknown(name.clone()))),
                schema => schema.clone(),
            };
            let written = job.get(&format!("{part}_as_written")).cloned().unwrap_or_else(|| read.clone());
            Some((*part, Described::Known(Schemas { read, written, decode: None })))
        };
        Self {
            aliases: aliases.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
            parts: Part::ALL.iter().filter_map(part).collect(),
        }
    }

    fn to_json(&self) -> Value {
        let mut job = Map::new();
        if !self.aliases.is_empty() {
            job.insert("aliases".to_owned(), json!(self.aliases));
        }
        for (part, described) in &self.parts {
            match described {
                Described::Unknown(name) => drop(job.insert(part.to_string(), json!(name))),
                Described::Known(Schemas { read, written, .. }) => {
                    job.insert(part.to_string(), read.clone());
                    if read != written {
                        job.insert(format!("{part}_as_written"), written.clone());
                    }
                }
            }
        }
        Value::Object(job)
    }
}

impl Described {
    fn of(schema: TypeSchema) -> Option<Self> {
        match schema {
            TypeSchema::Nothing => None,
            TypeSchema::Unknown(name) => Some(Self::Unknown(name)),
            TypeSchema::Known { written, read, decode } => {
                Some(Self::Known(Schemas { read: bare(&read), written: bare(&written), decode: Some(decode) }))
            }
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs: Map<String, Value> = self.0.iter().map(|(name, job)| (name.clone(), job.to_json())).collect();
        write!(f, "{:#}", sorted(json!({ "version": VERSION, "jobs": jobs })))
    }
}

/// A schema without what is told to people, so that a comment changes no file.
fn bare(schema: &Value) -> Value {
    match schema {
        Value::Object(schema) => {
            let kept = schema.iter().filter(|(keyword, _)| !ANNOTATIONS.contains(&keyword.as_str()));
            Value::Object(kept.map(|(key, value)| (key.clone(), fields(key, value))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(bare).collect()),
        other => other.clone(),
    }
}

/// What stands behind a keyword: in `properties` each key is the name of a field, which may be called `title`.
fn fields(keyword: &str, value: &Value) -> Value {
    match (keyword, value) {
        ("properties" | "patternProperties" | "$defs" | "definitions", Value::Object(fields)) => {
            Value::Object(fields.iter().map(|(name, schema)| (name.clone(), bare(schema))).collect())
        }
        ("const" | "enum" | "required", value) => value.clone(),
        (_, value) => bare(value),
    }
}

/// With its keys in order, whatever the features of `serde_json`.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let object: BTreeMap<String, Value> = object.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(object.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        other => other,
    }
}
