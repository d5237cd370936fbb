//! Whatever stands in the attribute, the macro says what is wrong with it.

use proc_macro2::TokenStream;
use proptest::prelude::*;

use super::item;
use crate::job_tokens;

/// Words that are more likely to go far than random ones.
fn tokens() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "name",
        "cron",
        "timeout",
        "unique",
        "backoff",
        "data",
        "tags",
        "replace",
        "exponential",
        "=",
        ",",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "|",
        "|d|",
        "\"30s\"",
        "\"\"",
        "\"0 0 * * *\"",
        "\"1-5 * * * * 1-5\"",
        "0",
        "-1",
        "99999999999999999999",
        "1.5",
        "::",
        "<",
        ">",
        "'a",
        "#",
        "r#fn",
        "crate",
        "b\"x\"",
        "0x_",
        "retain",
        "statuses",
        "on_conflict",
        "key",
        "by",
        "within",
        "complete",
        "timezone",
        "\"Europe/Lundon\"",
        "blocking",
        "true",
        "&",
        "$",
        "async",
    ]);
    prop_oneof![4 => prop::collection::vec(word, 0..24).prop_map(|words| words.join(" ")), 1 => ".{0,60}"]
}

/// How many inputs the test below tries: `PROPTEST_CASES=1000000` tries a million.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(2_000), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_tokens_panic(args in tokens(), item in prop_oneof![3 => Just(item().to_string()), 1 => tokens()]) {
        if let (Ok(args), Ok(item)) = (args.parse::<TokenStream>(), item.parse::<TokenStream>()) {
            let _ = job_tokens(args, item, || None);
        }
    }
}
