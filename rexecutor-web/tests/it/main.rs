//! The dashboard through its router.

mod api;
mod changes;
mod hostile;
mod pages;
mod rights;
mod support;
