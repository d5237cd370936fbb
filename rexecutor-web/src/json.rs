//! JSON as people read it.

/// Puts line breaks and spaces into JSON, and changes nothing else: names stay in their order, and numbers as they are written. What is no
/// JSON is left as it is.
pub fn pretty(text: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return text.to_owned();
    }
    let (mut shown, mut depth, mut is_text, mut is_escaped) =
        (String::with_capacity(text.len() * 2), 0_usize, false, false);
    let line = |shown: &mut String, depth: usize| {
        shown.push('\n');
        // Deeper is not read more easily.
        (0..depth.min(40)).for_each(|_| shown.push_str("  "));
    };
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if is_text {
            shown.push(character);
            (is_text, is_escaped) = (is_escaped || character != '"', !is_escaped && character == '\\');
            continue;
        }
        match character {
            space if space.is_ascii_whitespace() => {}
            '"' => {
                shown.push('"');
                is_text = true;
            }
            '{' | '[' => {
                shown.push(character);
                while characters.next_if(char::is_ascii_whitespace).is_some() {}
                match characters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => shown.push(end),
                    None => {
                        depth += 1;
                        line(&mut shown, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut shown, depth);
                shown.push(character);
            }
            ',' => {
                shown.push(',');
                line(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            other => shown.push(other),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_order_and_numbers_their_digits() {
        let text = r#"{"b":[1.0,18446744073709551617,{}],"a" : "x, \\\"{y}" , "c":[ ]}"#;
        let expected = "{\n  \"b\": [\n    1.0,\n    18446744073709551617,\n    {}\n  ],\n  \"a\": \"x, \\\\\\\"{y}\",\n  \"c\": []\n}";
        assert_eq!(pretty(text), expected);
        for text in ["7", "\"a\"", "no { json", "", "{\"a\":}"] {
            assert_eq!(pretty(text), text);
        }
    }
}
