//! The databases that the configuration has names for.

use serde_json::json;

use crate::{
    args::Global,
    failure::Failure,
    output::table,
    target::{Config, shown},
};

pub(crate) fn list(global: &Global) -> Result<(), Failure> {
    let config = Config::read(global)?;
    let is_default = |name: &str| config.default.as_deref() == Some(name);
    let database = |context: &crate::target::Context| context.url().map(|url| shown(&url));
    let json: Vec<_> = config
        .contexts
        .iter()
        .map(|(name, context)| {
            json!({ "name": name, "database": database(context), "schema": context.schema,
                "production": context.production, "default": is_default(name) })
        })
        .collect();
    global.output().answer(&json!({ "contexts": json }), || {
        let rows = config.contexts.iter().map(|(name, context)| {
            let marks = [(context.production, "production"), (is_default(name), "default")];
            let marks: Vec<&str> = marks.into_iter().filter_map(|(is_so, mark)| is_so.then_some(mark)).collect();
            let database = database(context).unwrap_or_else(|| "(not set)".to_owned());
            vec![name.clone(), database, context.schema.clone().unwrap_or_default(), marks.join(", ")]
        });
        table(&["name", "database", "schema", ""], rows)
    })
}
