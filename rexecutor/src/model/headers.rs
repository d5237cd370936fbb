//! What travels with a job beside its data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Named texts that travel with a job and are no part of its data: a trace's context, a tenant, a locale.
///
/// They decide nothing: two jobs that differ in their headers alone are equal to every uniqueness.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    pub(super) const NONE: Self = Self(BTreeMap::new());

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets a value, in place of one of the same name.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text that is stored: a JSON object of strings, or nothing where there are none.
    ///
    /// # Errors
    ///
    /// When they do not encode, which no strings are known to do.
    pub fn encode(&self) -> serde_json::Result<Option<String>> {
        (!self.is_empty()).then(|| serde_json::to_string(self)).transpose()
    }

    /// What a stored text says.
    ///
    /// # Errors
    ///
    /// When it is no JSON object of strings.
    pub fn decode(stored: Option<&str>) -> serde_json::Result<Self> {
        stored.map_or_else(|| Ok(Self::default()), serde_json::from_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        Self(headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
