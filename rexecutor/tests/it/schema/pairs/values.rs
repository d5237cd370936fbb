//! Numbers, texts and any JSON.

use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Verdict::{Breaks, Fits},
    check, pairs,
};

pairs! {
    a_wider_number {
        pub(crate) struct Data { pub(crate) a: i32 }
    } to {
        pub(crate) struct Data { a: i64 }
    } [Data { a: i32::MIN }, Data { a: i32::MAX }] => Fits;

    a_narrower_number {
        pub(crate) struct Data { pub(crate) a: u64 }
    } to {
        pub(crate) struct Data { a: u8 }
    } [Data { a: u64::MAX }] => Breaks(&["a"]);

    a_number_without_its_sign {
        pub(crate) struct Data { pub(crate) a: i32 }
    } to {
        pub(crate) struct Data { a: u64 }
    } [Data { a: -1 }] => Breaks(&["a"]);

    a_number_that_is_not_zero_any_more {
        pub(crate) struct Data { pub(crate) a: u16 }
    } to {
        pub(crate) struct Data { a: NonZeroU16 }
    } [Data { a: 0 }] => Breaks(&["a"]);

    a_fraction_of_a_whole_number {
        pub(crate) struct Data { pub(crate) a: u64 }
    } to {
        pub(crate) struct Data { a: f64 }
    } [Data { a: 7 }] => Fits;

    a_whole_number_of_a_fraction {
        pub(crate) struct Data { pub(crate) a: f64 }
    } to {
        pub(crate) struct Data { a: u64 }
    } [Data { a: 1.5 }] => Breaks(&["a"]);

    a_number_as_text {
        pub(crate) struct Data { pub(crate) a: u64 }
    } to {
        pub(crate) struct Data { a: String }
    } [Data { a: 7 }] => Breaks(&["a"]);

    bounds_that_no_decoder_checks {
        pub(crate) struct Data { pub(crate) a: u8, pub(crate) b: String, pub(crate) c: Vec<u8> }
    } to {
        pub(crate) struct Data {
            #[schemars(range(min = 5, max = 9))] a: u8,
            #[schemars(length(min = 1, max = 3), regex(pattern = "^x"))] b: String,
            #[schemars(length(min = 1, max = 3))] c: Vec<u8>,
        }
    } [Data { a: 0, b: "several".to_owned(), c: vec![] }] => Fits;

    a_text_of_one_letter_by_its_schema {
        pub(crate) struct Data { pub(crate) a: String }
    } to {
        pub(crate) struct Data { #[schemars(length(equal = 1))] a: String }
    } [Data { a: "several".to_owned() }] => Fits;

    a_date_that_was_any_text {
        pub(crate) struct Data { pub(crate) a: String }
    } to {
        pub(crate) struct Data { a: chrono::NaiveDate }
    } [Data { a: "soon".to_owned() }] => Breaks(&["a"]);

    any_text_that_was_a_date {
        pub(crate) struct Data { pub(crate) a: chrono::NaiveDate }
    } to {
        pub(crate) struct Data { a: String }
    } [Data { a: chrono::NaiveDate::MIN }] => Fits;

    any_json_of_what_had_a_type {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        pub(crate) struct Data { a: serde_json::Value }
    } [Data { a: 1 }] => Fits;

    a_type_of_what_was_any_json {
        pub(crate) struct Data { pub(crate) a: serde_json::Value }
    } to {
        pub(crate) struct Data { a: u8 }
    } [Data { a: serde_json::json!("x") }] => Breaks(&["a"]);
}
