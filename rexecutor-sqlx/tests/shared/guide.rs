//! The statements of a page of the documentation.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

/// The blocks of SQL in `docs/<page>`, in order.
pub(crate) fn statements(page: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("\n```sql\n").skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().to_owned()).collect()
}
