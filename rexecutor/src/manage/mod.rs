//! What can be done with the stored jobs of an executor: cancelling, rerunning, releasing, finding and updating them, and
//! pausing all of them.

mod change;
mod control;
mod error;
mod executor_ext;
mod find;

pub(crate) use self::control::{pause, set_limits};
pub use self::{error::JobsError, executor_ext::ExecutorExt};
