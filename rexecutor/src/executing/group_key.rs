//! The key that a job belongs to.

use serde::Serialize;

use crate::{json, limits::MAX_KEY_BYTES, validate::InvalidJob};

/// The key that a job belongs to, for limits of so many a key: a customer, an account, a host.
///
/// Anything that encodes as JSON is one. A text is stored as it is, anything else as its JSON, in which the fields of a map are
/// sorted; it may have 255 bytes. `None` is a key like any other.
///
/// ```
/// use rexecutor::executor::GroupKey;
///
/// assert_eq!(GroupKey::of("acme").as_str(), Some("acme"));
/// assert_eq!(GroupKey::of(&("acme", 7)).as_str(), Some(r#"["acme",7]"#));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupKey(Result<String, &'static str>);

impl GroupKey {
    /// The key that this value stands for. A value that is none is told when a job is enqueued with it.
    pub fn of<K: Serialize + ?Sized>(key: &K) -> Self {
        let Ok(value) = serde_json::to_string(key) else { return Self(Err("the key does not encode as JSON")) };
        // A text as it is: people look for it in the database.
        let text = serde_json::from_str::<String>(&value).ok().or_else(|| json::canonical(&value));
        Self(text.ok_or("the key does not encode as JSON"))
    }

    /// As it is stored; `None` if it does not encode.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref().ok()
    }

    /// What is stored.
    pub(crate) fn checked(self) -> Result<String, InvalidJob> {
        let invalid = |problem: String| InvalidJob::new("group_key", problem);
        let key = self.0.map_err(|problem| invalid(problem.to_owned()))?;
        match key.len() {
            bytes if bytes > MAX_KEY_BYTES => {
                Err(invalid(format!("the key has {bytes} bytes; the limit is {MAX_KEY_BYTES}")))
            }
            _ if key.contains('\0') => {
                Err(invalid("the key contains U+0000, which PostgreSQL cannot store".to_owned()))
            }
            _ => Ok(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_can_be_stored() {
        assert_eq!(GroupKey::of(&7).checked().as_deref(), Ok("7"));
        assert_eq!(GroupKey::of(&None::<String>).checked().as_deref(), Ok("null"));
        assert_eq!(GroupKey::of(&"x".repeat(255)).checked().map(|key| key.len()), Ok(255));
        for (key, problem) in [
            (GroupKey::of(&"x".repeat(256)), "256 bytes"),
            (GroupKey::of("a\0b"), "U+0000"),
            (GroupKey::of(&std::collections::HashMap::from([((1, 2), 3)])), "does not encode"),
        ] {
            let error = key.checked().unwrap_err();
            assert!(error.field() == "group_key" && error.to_string().contains(problem), "{error}");
        }
    }
}
