//! Compile-time tests of the `#[job]` attribute.
