//! Testing tools for rexecutor.

mod clock;

pub use self::clock::TestClock;
