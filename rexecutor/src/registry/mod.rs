//! The jobs that `#[job]` has registered, and what they take from the node that runs them.
//!
//! Every `#[job]` submits a [`Registration`] that the linker collects, so that
//! [`Rexecutor::from_registry`](crate::Rexecutor::from_registry) finds all jobs linked into the program.
//!
//! # Jobs in libraries
//!
//! A linker leaves out an object file that nothing refers to, with the jobs in it. If a library crate holds jobs and the
//! program never names the crate, write `use the_crate as _;` in `main.rs`.

mod extract;
mod parameter;
mod payload;
mod registration;

#[doc(hidden)]
pub use self::parameter::{Extracted, NotExtracted, Parameter, is_extracted};
#[cfg(feature = "schema")]
pub(crate) use self::payload::{Decode, Payload, payload_of};
#[cfg(feature = "schema")]
#[doc(hidden)]
pub use self::payload::{DecodedAndDescribed, Described, JobSchemas, NotDescribed, TypeOf, TypeSchema, Undecodable};
pub use self::{
    extract::{Extension, Extract, ExtractError, Requirements, State},
    registration::{CronEntry, Registration, Settings, registered},
};
pub use crate::context::StateMap;
