//! What of an encoded value cannot be stored.

/// What the engine must know of an encoded value before it is stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How deep arrays and objects nest.
    pub(crate) depth: usize,
    /// Whether a string holds U+0000, which PostgreSQL's text cannot.
    pub(crate) has_nul: bool,
}

/// Reads the shape of valid JSON in one pass, without decoding it.
pub(crate) fn shape(json: &str) -> Shape {
    let mut shape = Shape::default();
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut rest = json.as_bytes();
    while let [byte, ahead @ ..] = rest {
        rest = ahead;
        match byte {
            b'"' => in_string = !in_string,
            // An escape takes the next byte with it, so that `\\u0000` is a backslash and five letters.
            b'\\' => {
                shape.has_nul |= ahead.starts_with(b"u0000");
                rest = ahead.get(1..).unwrap_or_default();
            }
            b'[' | b'{' if !in_string => {
                depth += 1;
                shape.depth = shape.depth.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert_eq!(shape("1").depth, 0);
        assert_eq!(shape(r#"{"a":[1,[2]],"b":"[[[[\"[["}"#).depth, 3);
    }

    #[test]
    fn nul_is_seen_and_a_written_backslash_is_not_taken_for_it() {
        let nul = |value: Value| shape(&value.to_string()).has_nul;
        assert!(nul(json!("a\0b")));
        assert!(nul(json!({ "\0": 1 })));
        assert!(!nul(json!("\\u0000")));
        assert!(!nul(json!("\u{1}")));
    }
}
