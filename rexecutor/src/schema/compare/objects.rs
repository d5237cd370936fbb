//! Structs and maps.

use serde_json::{Map, Value, json};

use super::{Comparison, Finding};
use crate::schema::{
    change::ChangeKind,
    sample::sample,
    shape::{Object, Others, Shape},
};

impl Comparison<'_> {
    pub(super) fn objects(&mut self, old: &Object, new: &Object) -> Vec<Finding> {
        let whole = match self.sample_of(&Shape::Object(old.clone())) {
            Some(Value::Object(whole)) => whole,
            _ => Map::new(),
        };
        // What decodes: an old value, with all its fields, and all that is wrong with it set right. So each witness has one mistake.
        let mut right = whole.clone();
        let (mut inside, mut refused) = (Vec::new(), Vec::new());
        for (name, field) in &old.fields {
            let known = new.fields.get(name).map(|field| &field.schema).or_else(|| new.other(name));
            match known {
                Some(schema) => {
                    let found = self.values(&field.schema, schema);
                    if let Some(value) = sample(self.new, schema).filter(|_| !found.is_empty()) {
                        right.insert(name.clone(), value);
                    }
                    inside.extend(found.into_iter().map(|finding| (name, finding)));
                }
                None if refuses(new) => {
                    right.remove(name);
                    refused.push(name);
                }
                None => {}
            }
        }
        let missing = self.missing(old, new);
        for (name, _) in &missing {
            if let Some(value) = sample(self.new, &new.fields[name].schema) {
                right.insert(name.clone(), value);
            }
        }
        let control = Some(Value::Object(right.clone()));
        let put = |name: &str, value| Some(with(&right, name, value));
        let mut found = Vec::new();
        // A field that is gone may be read by another name: then one of these decodes.
        let is_new = |kind: &ChangeKind| matches!(kind, ChangeKind::NewField { .. });
        let without: Vec<Map<String, Value>> = missing
            .iter()
            .filter(|(_, kind)| is_new(kind))
            .map(|(name, _)| {
                let mut value = right.clone();
                value.remove(name);
                value
            })
            .collect();
        for (name, kind) in missing {
            let mut witness = right.clone();
            witness.remove(&name);
            let renamed = refused.iter().filter_map(|old| Some(with(&witness, old, whole.get(*old)?.clone())));
            let renamed: Vec<Value> = renamed.chain([Value::Object(whole.clone())]).filter(|_| is_new(&kind)).collect();
            found.push(Finding::new(kind, Some(Value::Object(witness))).or(renamed).within(&name, Some));
        }
        for (name, finding) in inside {
            found.push(finding.within(name, |value| put(name, value)));
        }
        for name in refused {
            let Some(value) = whole.get(name) else { continue };
            let renamed = without.iter().map(|right| with(right, name, value.clone()));
            let renamed = renamed.chain([Value::Object(whole.clone())]);
            found.push(Finding::new(ChangeKind::FieldRefused, put(name, value.clone())).or(renamed).within(name, Some));
        }
        found.extend(self.other_keys(old, new, &right));
        found.into_iter().map(|finding| Finding { control: finding.control.or(control.clone()), ..finding }).collect()
    }

    /// Fields that must be there, and may not be.
    fn missing(&mut self, old: &Object, new: &Object) -> Vec<(String, ChangeKind)> {
        let mut missing = Vec::new();
        for (name, field) in new.fields.iter().filter(|(_, field)| field.is_required) {
            let kind = match old.fields.get(name) {
                Some(was) if was.is_required => continue,
                Some(_) => ChangeKind::NowRequired,
                None => ChangeKind::NewField { renamed_from: self.renamed(old, new, &field.schema) },
            };
            missing.push((name.clone(), kind));
        }
        missing
    }

    /// The field that a new one may have been: the only one that is gone and has its type.
    fn renamed(&mut self, old: &Object, new: &Object, schema: &Value) -> Option<String> {
        let gone: Vec<_> = old.fields.iter().filter(|(name, _)| !new.fields.contains_key(*name)).collect();
        let mut same = gone.into_iter().filter(|(_, field)| self.values(&field.schema, schema).is_empty());
        let first = same.next().map(|(name, _)| name.clone());
        first.filter(|_| same.next().is_none())
    }

    /// The keys of maps.
    fn other_keys(&mut self, old: &Object, new: &Object, right: &Map<String, Value>) -> Vec<Finding> {
        let mut keys: Vec<(&str, &Value)> = old
            .patterns
            .iter()
            .map(|(pattern, schema)| (if pattern.starts_with("^-") { "-1" } else { "1" }, schema))
            .collect();
        if let Others::Kept(schema) = &old.others {
            keys.push(("key", schema));
        }
        let mut found = Vec::new();
        for (key, schema) in keys {
            let put = |value: Value| Some(with(right, key, value));
            if let Some(is) = new.other(key) {
                let inside = self.values(schema, is);
                found.extend(inside.into_iter().map(|finding| finding.within("*", put)));
            } else if refuses(new) {
                let kind = ChangeKind::Type { was: "a map with other keys".to_owned(), is: keys_of(new) };
                let value = self.sample(schema).unwrap_or(json!(null));
                found.push(Finding::new(kind, Some(value)).within("", put));
            }
        }
        found
    }
}

/// Whether keys are refused that are neither fields nor have a pattern.
fn refuses(object: &Object) -> bool {
    object.others == Others::Refused
}

fn keys_of(object: &Object) -> String {
    match object.patterns.is_empty() {
        true => {
            let names: Vec<&str> = object.fields.keys().map(String::as_str).collect();
            format!("one with the keys `{}` alone", names.join("`, `"))
        }
        false => "one whose keys are numbers".to_owned(),
    }
}

fn with(whole: &Map<String, Value>, name: &str, value: Value) -> Value {
    let mut whole = whole.clone();
    whole.insert(name.to_owned(), value);
    Value::Object(whole)
}
