//! Enums.

use rexecutor::schema::Snapshot;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Verdict::{Breaks, Fits, FitsByDecoder},
    check, pairs, snapshot,
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

    a_result_of_another_type {
        pub(crate) struct Data { pub(crate) a: Result<u8, String> }
    } to {
        pub(crate) struct Data { a: Result<String, String> }
    } [Data { a: Ok(1) }, Data { a: Err("x".to_owned()) }] => Breaks(&["a.Ok"]);

    a_tag_of_what_had_none {
        pub(crate) enum Data { A { x: u8 }, B }
    } to {
        #[serde(tag = "kind")] pub(crate) enum Data { A { x: u8 }, B }
    } [Data::A { x: 1 }, Data::B] => Breaks(&["kind"]);

    no_tag_any_more {
        #[serde(tag = "kind")] pub(crate) enum Data { A { x: u8 }, B }
    } to {
        pub(crate) enum Data { A { x: u8 }, B }
    } [Data::A { x: 1 }, Data::B] => Breaks(&[""]);
}

/// What is a variant's own has no field that could have another name or a default.
#[test]
fn what_is_said_of_a_variant_can_be_written() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Plain {
        a: Result<u8, String>,
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct OtherOk {
        a: Result<String, String>,
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    enum ByKind {
        A { x: u8 },
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "type")]
    enum ByType {
        A { x: u8 },
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    enum Untold {
        A { x: u8 },
    }
    let said = |old: Snapshot, new: Snapshot| {
        let changes = new.breaking_changes(&old);
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let end = "or give the job a new name and keep the old one until none of its jobs is stored";
    assert_eq!(
        said(snapshot::<Plain>(), snapshot::<OtherOk>()),
        "job `takes`, data, field `a.Ok`: in the variant `Ok` it was `u8`, and is `String`; keep its type, or add a variant \
         with another name and keep this one until none of its jobs is stored"
    );
    assert_eq!(
        said(snapshot::<ByKind>(), snapshot::<ByType>()),
        format!(
            "job `takes`, data, field `type`: the variants of this enum were told apart by the field `kind`, and are by the \
             field `type`; write `#[serde(tag = \"kind\")]` as before, {end}"
        )
    );
    assert_eq!(
        said(snapshot::<Untold>(), snapshot::<ByKind>()),
        format!(
            "job `takes`, data, field `kind`: the variants of this enum were told apart by their names alone, and are by the \
             field `kind`; leave the attribute `#[serde(tag = ..)]` out, {end}"
        )
    );
    assert_eq!(
        said(snapshot::<ByKind>(), snapshot::<Untold>()),
        format!(
            "job `takes`, data: the variants of this enum were told apart by the field `kind`, and are by their names alone; \
             write `#[serde(tag = \"kind\")]` as before, {end}"
        )
    );
}
