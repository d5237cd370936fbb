//! What is measured.

/// One value that one run has given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Which part of the workload; empty, where it has only one.
    pub(crate) case: String,
    /// What was measured, and in what unit.
    pub(crate) measure: &'static str,
    pub(crate) value: f64,
}

impl Sample {
    pub(crate) fn new(case: impl Into<String>, measure: &'static str, value: f64) -> Self {
        Self { case: case.into(), measure, value }
    }
}
