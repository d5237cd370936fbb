//! Jobs in the memory of one process: for tests, and for work that may be lost with the process.

mod backend;
mod control;
mod entries;
mod indexes;
mod keys;
mod observe;
mod roles;
mod rotation;
mod store;

pub use self::backend::InMemoryBackend;
