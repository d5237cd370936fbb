//! A JSON value to compare stored ones with.

use serde::{Serialize, ser::Error as _};

use super::{
    canonical::canonical,
    losses::{Loss, first_loss},
};
use crate::limits::MAX_DEPTH;

/// A JSON value that stored data or metadata are compared with, whatever the order of their keys.
///
/// Two numbers are equal when they are written alike: `1` is not `1.0`. Numbers of more than 64 bits are compared in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// The value, as it would be stored.
    ///
    /// # Errors
    ///
    /// When it does not encode as JSON: also where it holds NaN or an infinity, which `serde_json` would write as `null`, or
    /// nests deeper than [`MAX_DEPTH`](crate::limits::MAX_DEPTH).
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        if let Some(Loss::NotFinite(problem)) = first_loss(value) {
            return Err(serde_json::Error::custom(problem));
        }
        let text = serde_json::to_string(value)?;
        canonical(&text).map(Self).ok_or_else(too_deep)
    }

    /// The value as text: keys in order, no spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a stored text is this value. What is no JSON equals nothing.
    pub fn equals(&self, stored: &str) -> bool {
        // Most are written in the order of their keys by one and the same encoder.
        stored == self.0 || canonical(stored).is_some_and(|stored| stored == self.0)
    }
}

impl std::str::FromStr for Json {
    type Err = serde_json::Error;

    /// Reads a text of JSON.
    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<serde::de::IgnoredAny>(text)?;
        canonical(text).map(Self).ok_or_else(too_deep)
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        let text = value.to_string();
        // Too deep a value equals nothing that is stored.
        Self(canonical(&text).unwrap_or(text))
    }
}

fn too_deep() -> serde_json::Error {
    serde_json::Error::custom(format!("it nests deeper than {MAX_DEPTH} levels of JSON"))
}
