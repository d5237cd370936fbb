//! Finds changes to the types of jobs that break jobs stored before. Needs the feature `schema`.
//!
//! Jobs outlive the program that enqueued them. A job whose data no longer decode waits, and is discarded after 24 hours. Two checks find
//! this before a deploy:
//!
//! - [`assert_schema!`](crate::assert_schema) in a test compares the types with a snapshot file in the repository, and fails if a change could
//!   break stored jobs. It needs no database. It covers types that implement `schemars::JsonSchema`.
//! - [`StoredCheck`] decodes the jobs in a database with the types of the program. It needs no schemas.
//!
//! # What is checked
//!
//! The data, the metadata and the output of every `#[job]`. An output is checked if its type implements `Deserialize`. What a task takes as
//! an [`Upstream`](crate::workflows::Upstream) is the output of another job, and is checked there. Signals and the results of steps are not
//! checked: give a [step](crate::steps) that returns another type a new name.
//!
//! Schemas do not describe custom decoders: a `deserialize_with` or `TryFrom` that starts to refuse values is not found by the snapshot, only by
//! [`StoredCheck`].

mod assertion;
mod change;
mod check;
mod compare;
mod normal;
mod report;
mod sample;
mod shape;
mod snapshot;
mod stored;
mod words;

#[doc(hidden)]
pub use self::assertion::{assert_file, check_file};
pub use self::{
    change::{BreakingChange, ChangeKind, Part},
    report::{CheckedExecutor, StoredReport, UndecodedRow},
    snapshot::{Snapshot, SnapshotError},
    stored::StoredCheck,
};
