//! The dashboard through its router.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod api;
mod audit;
mod changes;
mod enqueue;
mod history;
mod hostile;
mod live;
mod pages;
mod rights;
mod support;
mod workflows;
