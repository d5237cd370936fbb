//! What users test with, tested.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod clock;
mod drain;
mod faulty;
mod isolation;
mod perform;
mod simulation;
mod waiting;
