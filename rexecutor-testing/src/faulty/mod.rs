//! A backend that fails as it is told to.

mod entries;
mod events;
mod fault;
#[expect(clippy::module_inception, reason = "it is what the module is about")]
mod faulty;
mod flows;
mod operation;
mod roles;
mod steps;
mod streams;

pub use self::{fault::Fault, faulty::Faulty, operation::Operation};
