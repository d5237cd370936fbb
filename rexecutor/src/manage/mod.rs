//! What can be done with the stored jobs of an executor: cancelling, rerunning, releasing, finding and updating them, and
//! pausing all of them.

mod change;
mod control;
mod error;
mod executor_ext;
mod find;
mod names;

pub(crate) use self::{
    control::{pause, set_limits},
    names::{name_of, stored},
};
pub use self::{error::JobsError, executor_ext::ExecutorExt};
