//! Testing tools for rexecutor: a clock that you move, and the suite that every backend passes.

mod clock;
pub mod conformance;
mod faulty;

pub use rexecutor::assert_enqueued;

pub use self::{
    clock::TestClock,
    faulty::{Fault, Faulty, Operation},
};
