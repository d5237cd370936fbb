//! Jobs with the types of their executor: what a row decodes to, and how jobs are asked for.

mod job;
mod query;

pub use self::{
    job::{DecodeError, Job, UndecodedJob},
    query::Where,
};
