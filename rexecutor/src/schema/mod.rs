//! Which changes of a program's types the stored jobs do not survive. Needs the feature `schema`.
//!
//! Jobs outlive the program that enqueued them: data that no longer decode make them wait, and in the end discard them. Two checks
//! find that before a deploy:
//!
//! - [`assert_schema!`](crate::assert_schema), in a test: a file beside the code says what the data of all jobs look like, and the test fails
//!   when a change of the types could break jobs that were stored before. It needs no database. Types take part that
//!   implement `schemars::JsonSchema`.
//! - [`StoredCheck`], against a database: it decodes the jobs that are stored. It needs no schemas.
//!
//! # What is checked
//!
//! The data, the metadata and the output of every `#[job]`. The output is that of a function that returns it in `Ok`, if its type can be
//! decoded; so is what a task takes as an [`Upstream`](crate::workflows::Upstream), because that is the output of another job. Signals and
//! the results of steps have no schema here: use a new name for a [step](crate::steps) that gives another type.
//!
//! What a decoder checks beside its type is not seen: a `deserialize_with` or a `TryFrom` that refuses what it took before.

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
