//! Fields that come, go and have other names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Verdict::{Breaks, BreaksByDecoder, Fits, FitsByDecoder},
    check, pairs,
};

pairs! {
    the_same_type {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { pub(crate) a: u8 }
    } [Data { a: 1 }] => Fits;

    a_new_field {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { a: u8, b: u8 }
    } [Data { a: 1 }] => Breaks(&["b"]);

    a_new_field_with_a_default {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { a: u8, #[serde(default)] b: u8 }
    } [Data { a: 1 }] => Fits;

    a_new_option {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { a: u8, b: Option<u8> }
    } [Data { a: 1 }] => Fits;

    a_field_that_is_gone {
        pub(crate) struct Data { pub(crate) a: u8, pub(crate) b: u8 }
    } to {
        pub(crate) struct Data { a: u8 }
    } [Data { a: 1, b: 2 }] => Fits;

    a_field_that_is_gone_and_refused {
        pub(crate) struct Data { pub(crate) a: u8, pub(crate) b: u8 }
    } to {
        #[serde(deny_unknown_fields)] pub(crate) struct Data { a: u8 }
    } [Data { a: 1, b: 2 }] => Breaks(&["b"]);

    a_renamed_field {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { b: u8 }
    } [Data { a: 1 }] => Breaks(&["b"]);

    a_renamed_field_with_an_alias {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { #[serde(alias = "a")] b: u8 }
    } [Data { a: 1 }] => FitsByDecoder(&["b"]);

    a_renamed_field_with_an_alias_where_unknown_ones_are_refused {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        #[serde(deny_unknown_fields)] pub(crate) struct Data { #[serde(alias = "a")] b: u8 }
    } [Data { a: 1 }] => FitsByDecoder(&["b", "a"]);

    an_alias_beside_a_new_field {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { #[serde(alias = "a")] b: u8, c: String }
    } [Data { a: 1 }] => BreaksByDecoder(&["c"], &["b", "c"]);

    an_alias_in_a_part {
        pub(crate) struct Part { pub(crate) a: u8 }
        pub(crate) struct Data { pub(crate) parts: Vec<Part> }
    } to {
        pub(crate) struct Part { #[serde(alias = "a")] b: u8 }
        pub(crate) struct Data { parts: Vec<Part> }
    } [Data { parts: vec![Part { a: 1 }] }] => FitsByDecoder(&["parts[].b"]);

    other_names_for_all_fields {
        pub(crate) struct Data { pub(crate) first_name: u8 }
    } to {
        #[serde(rename_all = "camelCase")] pub(crate) struct Data { first_name: u8 }
    } [Data { first_name: 1 }] => Breaks(&["firstName"]);

    a_name_for_each_direction {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { #[serde(rename(serialize = "b", deserialize = "a"))] c: u8 }
    } [Data { a: 1 }] => Fits;

    an_option_of_what_was_required {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { a: Option<u8> }
    } [Data { a: 1 }] => Fits;

    no_option_any_more {
        pub(crate) struct Data { pub(crate) a: Option<u8> }
    } to {
        pub(crate) struct Data { a: u8 }
    } [Data { a: None }, Data { a: Some(1) }] => Breaks(&["a"]);

    a_default_instead_of_an_option {
        pub(crate) struct Data { pub(crate) a: Option<u8> }
    } to {
        pub(crate) struct Data { #[serde(default)] a: u8 }
    } [Data { a: None }] => Breaks(&["a"]);

    a_field_that_is_left_out_and_required_now {
        pub(crate) struct Data { #[serde(default, skip_serializing_if = "Vec::is_empty")] pub(crate) a: Vec<u8> }
    } to {
        pub(crate) struct Data { a: Vec<u8> }
    } [Data { a: vec![] }] => Breaks(&["a"]);

    two_aliases {
        pub(crate) struct Data { pub(crate) a: u8, pub(crate) b: String }
    } to {
        pub(crate) struct Data { #[serde(alias = "a")] c: u8, #[serde(alias = "b")] d: String }
    } [Data { a: 1, b: "x".to_owned() }] => FitsByDecoder(&["c", "d"]);

    two_mistakes {
        pub(crate) struct Data { pub(crate) a: u64, pub(crate) b: u8 }
    } to {
        pub(crate) struct Data { a: u8, c: u8 }
    } [Data { a: 1_000, b: 1 }] => Breaks(&["c", "a"]);
}
