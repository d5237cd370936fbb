//! What can be done with the stored jobs of an executor: cancelling, rerunning, releasing, finding and updating them, and
//! pausing all of them.

mod change;
mod error;
mod executor_ext;
mod find;
mod pausing;

pub(crate) use self::pausing::pause;
pub use self::{error::JobsError, executor_ext::ExecutorExt};
