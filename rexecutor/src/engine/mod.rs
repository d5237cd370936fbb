//! The engine of a node: claims due jobs, runs them, and settles how they ended.

mod run;

pub(crate) use self::run::{Environment, Run, Runner, runner};
