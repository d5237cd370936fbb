//! Enums.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Verdict::{Breaks, Fits, FitsByDecoder},
    check, pairs,
};

pairs! {
    a_new_variant {
        pub(crate) enum Data { A, B(u8) }
    } to {
        pub(crate) enum Data { A, B(u8), C { x: u8 } }
    } [Data::A, Data::B(1)] => Fits;

    a_variant_that_is_gone {
        pub(crate) enum Data { A, B }
    } to {
        pub(crate) enum Data { A }
    } [Data::A, Data::B] => Breaks(&[""]);

    a_variant_with_data_that_is_gone {
        pub(crate) enum Data { A, B(u8) }
    } to {
        pub(crate) enum Data { A, C(u8) }
    } [Data::A, Data::B(1)] => Breaks(&[""]);

    a_renamed_variant_with_an_alias {
        pub(crate) enum Data { A, B(u8) }
    } to {
        pub(crate) enum Data { A, #[serde(alias = "B")] C(u8) }
    } [Data::A, Data::B(1)] => FitsByDecoder(&[""]);

    a_variant_for_all_others {
        pub(crate) enum Data { A, B }
    } to {
        pub(crate) enum Data { A, #[serde(other)] Unknown }
    } [Data::A, Data::B] => FitsByDecoder(&[""]);

    a_variant_that_has_data_now {
        pub(crate) enum Data { A, B }
    } to {
        pub(crate) enum Data { A, B(u8) }
    } [Data::A, Data::B] => Breaks(&[""]);

    a_field_in_a_variant {
        pub(crate) enum Data { A, B { x: u8 } }
    } to {
        pub(crate) enum Data { A, B { x: u8, y: u8 } }
    } [Data::A, Data::B { x: 1 }] => Breaks(&["B.y"]);

    a_field_in_an_internally_tagged_variant {
        #[serde(tag = "kind")] pub(crate) enum Data { A, B { x: u8 } }
    } to {
        #[serde(tag = "kind")] pub(crate) enum Data { A, B { x: u8, y: u8 } }
    } [Data::A, Data::B { x: 1 }] => Breaks(&["y"]);

    an_internally_tagged_variant_that_is_gone {
        #[serde(tag = "kind")] pub(crate) enum Data { A, B { x: u8 } }
    } to {
        #[serde(tag = "kind")] pub(crate) enum Data { A, C { x: u8 } }
    } [Data::A, Data::B { x: 1 }] => Breaks(&[""]);

    an_adjacently_tagged_variant_of_another_type {
        #[serde(tag = "t", content = "c")] pub(crate) enum Data { A, B(u32) }
    } to {
        #[serde(tag = "t", content = "c")] pub(crate) enum Data { A, B(String) }
    } [Data::A, Data::B(1)] => Breaks(&["c"]);

    another_tag {
        #[serde(tag = "kind")] pub(crate) enum Data { A { x: u8 } }
    } to {
        #[serde(tag = "type")] pub(crate) enum Data { A { x: u8 } }
    } [Data::A { x: 1 }] => Breaks(&["type"]);

    an_untagged_enum_that_reads_the_old_form {
        pub(crate) struct Data { pub(crate) a: u8 }
    } to {
        #[serde(untagged)] pub(crate) enum Data { New { b: u8 }, Old { a: u8 } }
    } [Data { a: 1 }] => Fits;

    an_untagged_enum_that_does_not {
        #[serde(untagged)] pub(crate) enum Data { Number(u8), Text(String) }
    } to {
        #[serde(untagged)] pub(crate) enum Data { Number(u8), Flag(bool) }
    } [Data::Number(1), Data::Text("x".to_owned())] => Breaks(&[""]);
}
