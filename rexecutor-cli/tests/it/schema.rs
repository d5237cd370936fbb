//! `schema diff`: two snapshots that programs have written.

use std::fs;

use serde_json::json;

use crate::support::{command, ran};

fn snapshot(fields: &str, required: &str) -> String {
    format!(
        r#"{{"version":1,"jobs":{{"resize":{{"data":{{"type":"object","properties":{{{fields}}},"required":[{required}]}}}}}}}}"#
    )
}

#[test]
fn a_change_that_breaks_stored_jobs_closes_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("old.json", &snapshot(r#""path":{"type":"string"}"#, r#""path""#));
    write("more.json", &snapshot(r#""path":{"type":"string"},"width":{"type":"integer"}"#, r#""path""#));
    write("new.json", &snapshot(r#""file":{"type":"string"}"#, r#""file""#));
    write("later.json", r#"{"version":9}"#);
    let diff = |options: &[&str], old: &str, new: &str| {
        ran(command().current_dir(&folder).args(options).args(["schema", "diff", old, new]))
    };
    for (old, new) in [("old.json", "old.json"), ("old.json", "more.json"), ("more.json", "old.json")] {
        assert_eq!(diff(&[], old, new).ends(0).out, "ok: no change breaks stored jobs\n");
    }
    assert_eq!(diff(&["--json"], "old.json", "more.json").ends(0).json(), json!({ "breaking": [] }));

    let sentence = "job `resize`, data, field `file`: it is new, and stored jobs lack it; if it was called `path`, write \
                    `#[serde(alias = \"path\")]` on it, else `#[serde(default)]`";
    assert_eq!(diff(&[], "old.json", "new.json").ends(1).out, format!("{sentence}\n"));
    let expected =
        json!({ "breaking": [{ "job": "resize", "part": "data", "path": "file", "older": false, "what": sentence }] });
    assert_eq!(diff(&["--json"], "old.json", "new.json").ends(1).json(), expected);

    assert!(diff(&[], "old.json", "none.json").ends(2).err.contains("cannot read none.json"));
    assert!(
        diff(&[], "later.json", "new.json")
            .ends(2)
            .err
            .contains("later.json: the snapshot of job schemas has version 9")
    );
}
