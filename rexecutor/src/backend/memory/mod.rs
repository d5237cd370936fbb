//! Jobs in the memory of one process: for tests, and for work that may be lost with the process.

mod admit;
mod audit;
mod backend;
mod breakers;
mod control;
mod ends;
mod entries;
mod events;
mod flows;
mod history;
mod indexes;
mod inspect;
mod keys;
mod lines;
mod maintain;
mod observe;
mod reports;
mod roles;
mod rotation;
mod steps;
mod store;
mod streams;
mod tags;
mod tasks;

pub use self::backend::InMemoryBackend;
