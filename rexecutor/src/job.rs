//! What a job is: its data, its status, and how it is built, found and told apart.

pub use crate::{
    context::{CompleteError, JobContext, StopReason},
    model::{
        ErrorType, ExecutorName, FlowId, Headers, JobError, JobHandle, JobId, JobStatus, Lease, NodeId, Statuses,
        UnknownStatus,
    },
    typed::{DecodeError, Job, UndecodedJob},
    validate::InvalidJob,
};

/// Building a job and enqueuing it.
pub mod builder {
    pub use crate::builder::{EnqueueError, JobBuilder, NoData, ReadyData, WithData};
}

/// Asking for stored jobs by what they are.
pub mod query {
    pub use crate::typed::Where;
}

/// Which jobs must not exist beside each other, and what happens when they would.
///
/// Uniqueness is decided inside the backend, in the same step that stores the job, so it holds under any concurrency and
/// across nodes.
pub mod uniqueness_criteria {
    pub use crate::{
        criteria::UniquenessCriteria,
        model::{Debounce, Fields, Replace, Resolution, Statuses, UniqueKey},
    };
}
