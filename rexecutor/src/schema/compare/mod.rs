//! Whether values that were written under one schema decode under another.
//!
//! What comes out are findings, each with a *witness*: a value of the old schema that the new one does not have. A schema does
//! not say all that a decoder does: `schemars` knows nothing of `#[serde(alias)]` and `#[serde(other)]`. So where the new type is
//! at hand its decoder has the last word, and a finding whose witness decodes is none.

mod lists;
mod objects;
mod values;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    change::ChangeKind,
    normal::Document,
    sample::{of_shape, sample},
    shape::Shape,
};

/// How many pairs of schemas are compared before it is given up.
const MOST_STEPS: usize = 100_000;

/// A place where values of the old schema may not decode.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    /// From the inside out.
    path: Vec<String>,
    pub(super) kind: ChangeKind,
    /// Values of the old schema that have this trouble; where one of them decodes, there is none.
    pub(super) witnesses: Vec<Value>,
    /// One that differs in nothing else, and has it not.
    pub(super) control: Option<Value>,
    /// Whether it is one only if the decoder says so, as the schema may say more than the decoder checks.
    pub(super) is_doubtful: bool,
}

impl Finding {
    fn new(kind: ChangeKind, witness: Option<Value>) -> Self {
        Self { path: Vec::new(), kind, witnesses: witness.into_iter().collect(), control: None, is_doubtful: false }
    }

    /// With more values that have this trouble.
    fn or(mut self, witnesses: impl IntoIterator<Item = Value>) -> Self {
        self.witnesses.extend(witnesses);
        self
    }

    /// Found within this part of a value, into which its witnesses are put.
    fn within(mut self, step: &str, put: impl Fn(Value) -> Option<Value>) -> Self {
        if !step.is_empty() {
            self.path.push(step.to_owned());
        }
        self.witnesses = self.witnesses.into_iter().filter_map(&put).collect();
        self.control = self.control.and_then(put);
        self
    }

    /// Found in this variant of an enum. What is a variant's own cannot simply have another name.
    fn of_variant(mut self, variant: &str) -> Self {
        if self.path.len() == 1
            && let ChangeKind::Type { was, is } = self.kind
        {
            self.kind = ChangeKind::VariantType { variant: variant.to_owned(), was, is };
        }
        self
    }

    /// Where, from the outside in.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in self.path.iter().rev() {
            if !path.is_empty() && !step.starts_with('[') {
                path.push('.');
            }
            path.push_str(step);
        }
        path
    }
}

/// What is wrong with reading under `new` what was written under `old`.
pub(super) fn compare(old: &Value, new: &Value) -> Vec<Finding> {
    let mut comparison = Comparison { old: Document(old), new: Document(new), under_way: BTreeSet::new(), steps: 0 };
    comparison.values(old, new)
}

struct Comparison<'a> {
    old: Document<'a>,
    new: Document<'a>,
    /// The pairs that are being compared: a recursive type meets itself.
    under_way: BTreeSet<(String, String)>,
    steps: usize,
}

impl Comparison<'_> {
    /// Compares two schemas.
    fn values(&mut self, old: &Value, new: &Value) -> Vec<Finding> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return vec![cannot_tell("more combinations than are looked at".to_owned())];
        }
        let pair = (old.to_string(), new.to_string());
        if !self.under_way.insert(pair.clone()) {
            return Vec::new();
        }
        let found = match (self.old.alternatives(old), self.new.alternatives(new)) {
            (Ok(was), Ok(is)) => {
                let shapes = |all: &[_]| all.iter().map(Shape::of).collect::<Vec<_>>();
                self.alternatives(&shapes(&was), &shapes(&is))
            }
            // The same words may refer to definitions that have changed.
            (Err(about), _) | (_, Err(about)) if old != new || self.old.0 != self.new.0 => vec![cannot_tell(about)],
            _ => Vec::new(),
        };
        self.under_way.remove(&pair);
        found
    }

    fn sample(&self, schema: &Value) -> Option<Value> {
        sample(self.old, schema)
    }

    fn sample_of(&self, shape: &Shape) -> Option<Value> {
        of_shape(self.old, shape)
    }
}

fn cannot_tell(about: String) -> Finding {
    Finding::new(ChangeKind::CannotTell { about }, None)
}
