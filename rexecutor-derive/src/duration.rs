//! Durations, written as `30s` or `1h30m`.

use syn::LitStr;

/// The longest that an engine accepts: 1,000 years.
const MAX_MILLIS: u64 = 365_000 * 86_400_000;

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// The milliseconds of a duration, over zero.
pub(crate) fn millis(literal: &LitStr) -> syn::Result<u64> {
    let text = literal.value();
    let error = |message: String| Err(syn::Error::new_spanned(literal, message));
    match parse(&text) {
        None => error(format!(
            "`{text}` is not a duration; write a whole number and a unit, as \"30s\" or \"1h30m\" (ms, s, m, h, d, w)"
        )),
        Some(0) => error("the duration must be over zero".to_owned()),
        Some(millis) if millis > MAX_MILLIS => error(format!("`{text}` is longer than 1,000 years")),
        Some(millis) => Ok(millis),
    }
}

fn parse(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut smallest = u64::MAX;
    while !rest.is_empty() || smallest == u64::MAX {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let millis = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        // From the largest unit to the smallest, each once: `30m1h` and `5s5s` are slips.
        if millis >= smallest {
            return None;
        }
        smallest = millis;
        total = total.saturating_add(number.parse::<u64>().ok()?.saturating_mul(millis));
        rest = tail;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn units_add_up() {
        assert_eq!(parse("250ms"), Some(250));
        assert_eq!(parse("1h30m"), Some(5_400_000));
        assert_eq!(parse("2w1d"), Some(15 * 86_400_000));
        assert_eq!(parse("99999999999999999999s"), None);
        assert_eq!(parse("9999999999999999999s"), Some(u64::MAX));
    }

    #[test]
    fn slips_are_no_durations() {
        for slip in ["", "s", "30", "30 s", "-5s", "1.5h", "30m1h", "5s5s", "5S", "5sec", "½h"] {
            assert_eq!(parse(slip), None, "{slip}");
        }
    }
}
