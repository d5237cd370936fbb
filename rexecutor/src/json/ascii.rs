//! JSON in ASCII, for a database that cannot store other characters.

use std::fmt::Write;

/// The same JSON with its other characters as escapes: they stand in strings alone.
pub(crate) fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 4);
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}
