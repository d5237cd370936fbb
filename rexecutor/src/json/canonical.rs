//! One text for all texts of one JSON value.
//!
//! It is made from the encoded text, not from a `serde_json::Value`, for two reasons: a `Value` has no room for most numbers of
//! more than 64 bits, which become doubles and then equal their neighbours; and what a `Value` does with numbers and with the
//! order of keys depends on features of `serde_json` that any crate in the program may switch on.

use serde::de::IgnoredAny;

use super::shape::shape;
use crate::limits::MAX_DEPTH;

/// Writes a value so that equal values give equal text: keys in the order of their bytes, the last of two equal keys, no
/// spaces, strings as `serde_json` writes them, and numbers as they are written.
///
/// `None` if `text` is no JSON, or nests deeper than what can be stored.
pub(crate) fn canonical(text: &str) -> Option<String> {
    rewritten(text, false)
}

/// … and so that lists of the same values in another order give equal text, too: an encoded `HashSet` has another one each
/// time.
pub(crate) fn unordered(text: &str) -> Option<String> {
    rewritten(text, true)
}

fn rewritten(text: &str, sorts_lists: bool) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    if shape(text).depth > MAX_DEPTH {
        return None;
    }
    let (mut reader, mut out) = (Reader { rest: text, sorts_lists }, String::with_capacity(text.len()));
    reader.value(&mut out)?;
    Some(out)
}

/// What is left of a text that is known to be JSON.
struct Reader<'a> {
    rest: &'a str,
    sorts_lists: bool,
}

impl<'a> Reader<'a> {
    fn value(&mut self, out: &mut String) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(out),
            b'[' => self.array(out),
            b'"' => {
                out.push_str(&self.string()?);
                Some(())
            }
            _ => {
                out.push_str(self.scalar());
                Some(())
            }
        }
    }

    fn array(&mut self, out: &mut String) -> Option<()> {
        self.skip(1);
        let mut values = Vec::new();
        while self.peek()? != b']' {
            if self.peek()? == b',' {
                self.skip(1);
            }
            let mut value = String::new();
            self.value(&mut value)?;
            values.push(value);
        }
        self.skip(1);
        if self.sorts_lists {
            values.sort_unstable();
        }
        out.push('[');
        out.push_str(&values.join(","));
        out.push(']');
        Some(())
    }

    fn object(&mut self, out: &mut String) -> Option<()> {
        self.skip(1);
        let mut entries: Vec<Entry> = Vec::new();
        while self.peek()? != b'}' {
            if self.peek()? == b',' {
                self.skip(1);
                self.peek()?;
            }
            let key = self.string()?;
            let name = serde_json::from_str(&key).ok()?;
            self.peek()?;
            // The colon.
            self.skip(1);
            let mut value = String::new();
            self.value(&mut value)?;
            entries.push(Entry { name, key, value });
        }
        self.skip(1);
        // A stable sort: of two equal keys the last one counts, as for whoever decodes it into a map.
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        let is_last = |nth: usize| entries.get(nth + 1).is_none_or(|next| entries[nth].name != next.name);
        out.push('{');
        for (count, nth) in (0..entries.len()).filter(|nth| is_last(*nth)).enumerate() {
            out.push_str(if count == 0 { "" } else { "," });
            out.push_str(&entries[nth].key);
            out.push(':');
            out.push_str(&entries[nth].value);
        }
        out.push('}');
        Some(())
    }

    /// A string with its quotes, as `serde_json` writes it.
    fn string(&mut self) -> Option<String> {
        let bytes = self.rest.as_bytes();
        let (mut end, mut has_escape) = (1, false);
        while *bytes.get(end)? != b'"' {
            has_escape |= bytes[end] == b'\\';
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let written = self.rest.get(..=end)?;
        self.skip(end + 1);
        match has_escape {
            true => serde_json::to_string(&serde_json::from_str::<String>(written).ok()?).ok(),
            false => Some(written.to_owned()),
        }
    }

    /// A number, or one of the three words.
    fn scalar(&mut self) -> &'a str {
        let ends = |c: char| matches!(c, ',' | ']' | '}') || c.is_ascii_whitespace();
        let scalar = &self.rest[..self.rest.find(ends).unwrap_or(self.rest.len())];
        self.skip(scalar.len());
        scalar
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.as_bytes().first().copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// A member of an object.
struct Entry {
    name: String,
    /// The name as it is written.
    key: String,
    value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn equal_objects_are_written_alike() {
        check(r#"{"b":{"d":1,"c":[2]},"a":"é"}"#, r#"{"a":"é","b":{"c":[2],"d":1}}"#);
        check(r#" { "a": "é", "b": { "c": [ 2 ] , "d": 1 } } "#, r#"{"a":"é","b":{"c":[2],"d":1}}"#);
        check(r#"{"a\u0062":1,"a\"":"\u00e9\/","aa":[ ],"a":{ }}"#, r#"{"a":{},"a\"":"é/","aa":[],"ab":1}"#);
        check(r#"{"a":1,"b":2,"a":[true,null,"x,]}"]}"#, r#"{"a":[true,null,"x,]}"],"b":2}"#);
        check("[1,[],[[2],{}],\"\"]", "[1,[],[[2],{}],\"\"]");
    }

    #[test]
    fn case_25_lists_of_the_same_values_are_alike_where_their_order_does_not_count() {
        let check = |text: &str, expected: &str| assert_eq!(unordered(text).as_deref(), Some(expected), "{text}");
        check(
            r#"{"b":["y","x",["d","c"]],"a":[2,10,{"z":[1,0]}]}"#,
            r#"{"a":[10,2,{"z":[0,1]}],"b":["x","y",["c","d"]]}"#,
        );
        check("[]", "[]");
        assert_ne!(canonical("[1,2]"), canonical("[2,1]"));
    }

    /// Case 24: numbers of more than 64 bits became doubles, and so equal to their neighbours.
    #[test]
    fn case_24_numbers_are_kept_as_they_are_written() {
        let numbers =
            ["340282366920938463463374607431768211455", "-170141183460469231731687303715884105728", "1.0", "-0.0"];
        for number in numbers.into_iter().chain(["1e300", "0.1", "1180591620717411303424", "1180591620717411303425"]) {
            check(number, number);
            check(&format!("[{number} ,{{\"a\":{number} }}]"), &format!("[{number},{{\"a\":{number}}}]"));
        }
    }

    #[test]
    fn what_is_no_json_or_too_deep_has_no_canonical_text() {
        for text in ["", "{", "[1,", "nul", "\"\\x\"", "1 2", "{\"a\" 1}", "\"\\ud800\""] {
            assert_eq!(canonical(text), None, "{text}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(canonical(&nested(MAX_DEPTH)).is_some());
        assert_eq!(canonical(&nested(MAX_DEPTH + 1)), None);
        assert_eq!(canonical(&nested(1_000_000)), None);
    }
}
