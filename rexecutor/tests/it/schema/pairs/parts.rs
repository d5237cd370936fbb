//! Types inside of types: tuples, lists, maps, flattened and recursive ones.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Verdict::{Breaks, Fits, FitsByDecoder},
    check, pairs,
};

pairs! {
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
}
