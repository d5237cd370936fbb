//! Old and new types: what is said of a change is what their decoders do.

use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
    num::NonZeroU16,
};

use rexecutor::{prelude::*, schema::Snapshot};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// An executor of any type.
struct Takes<T>(PhantomData<fn() -> T>);

#[async_trait::async_trait]
impl<T: Serialize + DeserializeOwned + Send + 'static> Executor for Takes<T> {
    type Data = T;
    type Metadata = ();
    const NAME: &'static str = "takes";

    async fn execute(_job: Job<T, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

/// What is said of a change.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// Stored values decode.
    Fits,
    /// They decode, which the schemas alone do not tell: the decoder does.
    FitsByDecoder(&'static [&'static str]),
    /// Some do not, at these fields.
    Breaks(&'static [&'static str]),
    /// Some do not, at these fields; by the schemas alone it would be these.
    BreaksByDecoder(&'static [&'static str], &'static [&'static str]),
}

use Verdict::{Breaks, BreaksByDecoder, Fits, FitsByDecoder};

fn snapshot<T: JsonSchema + Serialize + DeserializeOwned + Send + 'static>() -> Snapshot {
    Snapshot::new().with_executor::<Takes<T>>()
}

/// Compares the verdict with what the decoder does with values of the old type.
#[track_caller]
fn check<Old, New>(values: &[Old], verdict: &Verdict)
where
    Old: JsonSchema + Serialize + DeserializeOwned + Send + 'static,
    New: JsonSchema + Serialize + DeserializeOwned + Send + 'static,
{
    let stored = values.iter().map(|value| serde_json::to_string(value).unwrap());
    let decoded: Vec<_> = stored.map(|json| (serde_json::from_str::<New>(&json).map(drop), json)).collect();
    let all_decode = decoded.iter().all(|(decoded, _)| decoded.is_ok());
    let (old, new) = (snapshot::<Old>(), snapshot::<New>());
    let parsed = |snapshot: &Snapshot| Snapshot::parse(&snapshot.to_string()).unwrap();
    let said = new.breaking_changes(&parsed(&old));
    let said: Vec<String> = said.iter().map(|change| change.path.clone()).collect();
    let by_files = parsed(&new).breaking_changes(&parsed(&old));
    let by_files: Vec<String> = by_files.iter().map(|change| change.path.clone()).collect();
    let (wanted, wanted_of_files): (&[&str], &[&str]) = match verdict {
        Fits => (&[], &[]),
        FitsByDecoder(files) => (&[], files),
        Breaks(paths) => (paths, paths),
        BreaksByDecoder(paths, files) => (paths, files),
    };
    assert_eq!(all_decode, wanted.is_empty(), "what the decoder does: {decoded:?}\n{old}\n{new}");
    assert_eq!(said, wanted, "{old}\n{new}");
    assert_eq!(by_files, wanted_of_files, "by files alone\n{old}\n{new}");
}

macro_rules! pairs {
    ($($name:ident { $($old:item)* } to { $($new:item)* } $values:expr => $verdict:expr;)*) => {
        $(
            #[test]
            fn $name() {
                #![allow(dead_code)]
                mod old {
                    #![allow(unused_imports)]
                    use super::*;
                    $(#[derive(Serialize, Deserialize, JsonSchema)] $old)*
                }
                mod new {
                    #![allow(unused_imports)]
                    use super::*;
                    $(#[derive(Serialize, Deserialize, JsonSchema)] $new)*
                }
                #[allow(unused_imports)]
                use old::*;
                check::<old::Data, new::Data>(&$values, &$verdict);
            }
        )*
    };
}

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

    a_transparent_type {
        pub(crate) struct Data { pub(crate) a: String }
    } to {
        #[serde(transparent)] pub(crate) struct Name(String);
        pub(crate) struct Data { a: Name }
    } [Data { a: "ada".to_owned() }] => Fits;

    a_flattened_part {
        pub(crate) struct Data { pub(crate) a: u8, pub(crate) b: u8 }
    } to {
        pub(crate) struct Part { b: u8 }
        pub(crate) struct Data { a: u8, #[serde(flatten)] part: Part }
    } [Data { a: 1, b: 2 }] => Fits;

    a_flattened_part_with_more {
        pub(crate) struct Data { pub(crate) a: u8, pub(crate) b: u8 }
    } to {
        pub(crate) struct Part { b: u8, c: u8 }
        pub(crate) struct Data { a: u8, #[serde(flatten)] part: Part }
    } [Data { a: 1, b: 2 }] => Breaks(&["c"]);

    a_flattened_map_that_takes_another_type {
        pub(crate) struct Data { pub(crate) a: u8, pub(crate) b: String }
    } to {
        pub(crate) struct Data { a: u8, #[serde(flatten)] rest: HashMap<String, u8> }
    } [Data { a: 1, b: "x".to_owned() }] => Breaks(&["b"]);

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

    a_longer_tuple {
        pub(crate) struct Data(pub(crate) u8, pub(crate) String);
    } to {
        pub(crate) struct Data(u8, String, u8);
    } [Data(1, "x".to_owned())] => Breaks(&[""]);

    a_part_of_a_tuple {
        pub(crate) struct Data(pub(crate) u8, pub(crate) u64);
    } to {
        pub(crate) struct Data(u8, u8);
    } [Data(1, 1_000)] => Breaks(&["[1]"]);

    an_array_of_what_was_a_list {
        pub(crate) struct Data { pub(crate) a: Vec<u8> }
    } to {
        pub(crate) struct Data { a: [u8; 3] }
    } [Data { a: vec![1] }] => Breaks(&["a"]);

    a_list_of_what_was_an_array {
        pub(crate) struct Data { pub(crate) a: [u8; 3] }
    } to {
        pub(crate) struct Data { a: Vec<u16> }
    } [Data { a: [1, 2, 3] }] => Fits;

    a_tuple_as_a_struct {
        pub(crate) struct Data(pub(crate) u8, pub(crate) String);
    } to {
        pub(crate) struct Data { a: u8, b: String }
    } [Data(1, "x".to_owned())] => FitsByDecoder(&[""]);

    other_keys_of_a_map {
        pub(crate) struct Data { pub(crate) a: BTreeMap<String, u8> }
    } to {
        pub(crate) struct Data { a: BTreeMap<u32, u8> }
    } [Data { a: BTreeMap::from([("x".to_owned(), 1)]) }] => Breaks(&["a"]);

    other_values_of_a_map {
        pub(crate) struct Data { pub(crate) a: BTreeMap<u32, u64> }
    } to {
        pub(crate) struct Data { a: BTreeMap<String, u8> }
    } [Data { a: BTreeMap::from([(7, 1_000)]) }] => Breaks(&["a.*"]);

    a_recursive_type {
        pub(crate) struct Node { pub(crate) value: u8, pub(crate) next: Option<Box<Node>> }
        pub(crate) struct Data { pub(crate) node: Node }
    } to {
        pub(crate) struct Node { value: u16, next: Option<Box<Node>> }
        pub(crate) struct Data { node: Node }
    } [Data { node: Node { value: 1, next: Some(Box::new(Node { value: 2, next: None })) } }] => Fits;

    a_recursive_type_with_more {
        pub(crate) struct Node { pub(crate) value: u8, pub(crate) children: Vec<Node> }
        pub(crate) struct Data { pub(crate) node: Node }
    } to {
        pub(crate) struct Node { value: u8, children: Vec<Node>, name: String }
        pub(crate) struct Data { node: Node }
    } [Data { node: Node { value: 1, children: vec![] } }] => Breaks(&["node.name"]);

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
