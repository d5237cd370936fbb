//! A JSON Schema as a list of alternatives: without references, and of one type each.

use serde_json::{Map, Value, json};

/// What a schema says to people, and what `serde` does not look at.
pub(super) const ANNOTATIONS: &[&str] =
    &["$schema", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"];

/// What bounds values and is checked by no decoder that `serde` derives.
const UNCHECKED: &[&str] = &[
    "pattern",
    "minLength",
    "uniqueItems",
    "multipleOf",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minProperties",
    "maxProperties",
    "contentEncoding",
    "contentMediaType",
];

/// What [`shape`](super::shape) understands.
const UNDERSTOOD: &[&str] = &[
    "type",
    "const",
    "format",
    "minimum",
    "maximum",
    "maxLength",
    "not",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "properties",
    "required",
    "additionalProperties",
    "unevaluatedProperties",
    "patternProperties",
];

/// The most alternatives of one value that are looked at.
const MOST: usize = 500;

/// A document that holds the definitions of a schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a>(pub(super) &'a Value);

impl<'a> Document<'a> {
    /// The alternatives of a schema of this document, or what is not understood of it.
    pub(super) fn alternatives(self, schema: &Value) -> Result<Vec<Map<String, Value>>, String> {
        self.expand(schema, 0)
    }

    fn expand(self, schema: &Value, depth: usize) -> Result<Vec<Map<String, Value>>, String> {
        let schema = match schema {
            Value::Bool(true) => return Ok(vec![Map::new()]),
            Value::Bool(false) => return Ok(Vec::new()),
            Value::Object(schema) if depth < 64 => schema,
            _ => return Err("a reference to itself".to_owned()),
        };
        let mut own = Map::new();
        let mut all = Vec::new();
        for (keyword, value) in schema {
            match keyword.as_str() {
                "$ref" => all.push(self.expand(self.resolve(value)?, depth + 1)?),
                "allOf" => {
                    for part in list(value) {
                        all.push(self.expand(part, depth + 1)?);
                    }
                }
                "oneOf" | "anyOf" => {
                    let mut any = Vec::new();
                    for one in list(value) {
                        any.extend(self.expand(one, depth + 1)?);
                    }
                    all.push(any);
                }
                "enum" => all.push(list(value).iter().map(constant).collect()),
                "type" if value.is_array() => all.push(list(value).iter().map(typed).collect()),
                "$defs" | "definitions" => {}
                word if word.starts_with("x-") || ANNOTATIONS.contains(&word) || UNCHECKED.contains(&word) => {}
                word if UNDERSTOOD.contains(&word) => drop(own.insert(keyword.clone(), value.clone())),
                word => return Err(format!("`{word}`")),
            }
        }
        let mut alternatives = vec![own];
        for others in all {
            alternatives = crossed(&alternatives, &others);
            if alternatives.len() > MOST {
                return Err(format!("more than {MOST} alternatives"));
            }
        }
        Ok(alternatives)
    }

    fn resolve(self, reference: &Value) -> Result<&'a Value, String> {
        let text = reference.as_str().unwrap_or_default();
        let found = text.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer));
        found.ok_or_else(|| format!("the reference `{text}`"))
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn constant(value: &Value) -> Map<String, Value> {
    Map::from_iter([("const".to_owned(), value.clone())])
}

fn typed(name: &Value) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), name.clone())])
}

/// What both sides say, for each pair that does not contradict itself.
fn crossed(these: &[Map<String, Value>], those: &[Map<String, Value>]) -> Vec<Map<String, Value>> {
    these.iter().flat_map(|this| those.iter().filter_map(move |that| merged(this, that))).collect()
}

fn merged(this: &Map<String, Value>, that: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut all = this.clone();
    for (keyword, value) in that {
        match (keyword.as_str(), all.get_mut(keyword)) {
            ("properties" | "patternProperties", Some(Value::Object(known))) => {
                known.extend(value.as_object().cloned().unwrap_or_default());
            }
            ("required", Some(Value::Array(known))) => known.extend(list(value).iter().cloned()),
            ("type" | "const", Some(known)) if known != value => return None,
            (_, Some(_)) => {}
            (_, None) => drop(all.insert(keyword.clone(), value.clone())),
        }
    }
    // The literals of an `enum` have a type beside them.
    match (all.get("type"), all.get("const")) {
        (Some(kind), Some(value)) if *kind != type_of(value) && *kind != json!("number") => None,
        (Some(kind), None) => Some(of_type(kind.as_str().unwrap_or_default(), &all)),
        _ => Some(all),
    }
}

/// Without what belongs to other types: `{"type": ["integer", "null"], "format": "uint8"}` has a `null` without a format.
fn of_type(kind: &str, schema: &Map<String, Value>) -> Map<String, Value> {
    if kind != "null" {
        return schema.clone();
    }
    schema.iter().filter(|(keyword, _)| *keyword == "type").map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn type_of(value: &Value) -> Value {
    json!(match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}
