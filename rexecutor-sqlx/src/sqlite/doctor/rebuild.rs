//! Making a table anew: SQLite changes hardly anything of one that is there.

use super::{
    catalog::{Catalog, Column, Table},
    compare::with_parts,
};

/// Under which name it is made.
const NEW: &str = "rexecutor_repaired";

/// The statements that make the table as it should be, with the rows of the one that is there. What others refer to is its name, which
/// is the same before and after: so references are not followed meanwhile, neither in keys nor in triggers.
pub(super) fn rebuild(name: &str, wanted: &Table, found: &Table, expected: &Catalog) -> String {
    let names = wanted.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    let value = |column: &Column| match found.columns.iter().find(|there| there.name == column.name) {
        None if column.is_required => column.filler(),
        None => column.initial.clone().unwrap_or_else(|| "NULL".to_owned()),
        Some(_) => {
            let cast = format!("CAST({} AS {})", column.name, column.kind);
            let is_filled = column.is_required && column.place_in_key == 0;
            if is_filled { format!("coalesce({cast}, {})", column.filler()) } else { cast }
        }
    };
    let values = wanted.columns.iter().map(value).collect::<Vec<_>>().join(", ");
    let create = wanted.sql.replacen(name, NEW, 1);
    let rename = with_parts(&format!("ALTER TABLE {NEW} RENAME TO {name}"), name, expected);
    // The largest number that was ever given out.
    let number = match wanted.traits.contains("AUTOINCREMENT") && found.traits.contains("AUTOINCREMENT") {
        true => format!(
            "INSERT INTO sqlite_sequence (name, seq) SELECT '{NEW}', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE \
             name = '{NEW}');\n\
             UPDATE sqlite_sequence SET seq = coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name IN ('{name}', \
             '{NEW}')), 0) WHERE name = '{NEW}';\n"
        ),
        false => String::new(),
    };
    format!(
        "PRAGMA foreign_keys = OFF;\nPRAGMA legacy_alter_table = ON;\nBEGIN IMMEDIATE;\n{create};\n\
         INSERT INTO {NEW} ({names}) SELECT {values} FROM {name};\n{number}DROP TABLE {name};\n{rename}\nCOMMIT;\n\
         PRAGMA legacy_alter_table = OFF;\nPRAGMA foreign_keys = ON;"
    )
}
