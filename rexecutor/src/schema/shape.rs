//! One alternative of a schema, as the decoders that `serde` derives look at it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a value may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Any,
    Null,
    Bool,
    Integer(Integer),
    Number,
    Text(Text),
    /// One value, as a variant's name.
    Literal(Value),
    List(List),
    Object(Object),
}

/// A whole number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Integer {
    /// The format, as `uint8`.
    pub(super) format: Option<String>,
    pub(super) least: i128,
    /// Beyond `i128::MAX` lies `u128` alone.
    pub(super) most: u128,
    pub(super) has_zero: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) format: Option<String>,
    pub(super) is_char: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct List {
    /// Of a tuple, its parts.
    pub(super) parts: Vec<Value>,
    /// What follows the parts; `None`: nothing.
    pub(super) items: Option<Value>,
    pub(super) least: usize,
    /// `None`: any number.
    pub(super) most: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object {
    pub(super) fields: BTreeMap<String, Field>,
    /// Other keys, by the pattern that they have.
    pub(super) patterns: BTreeMap<String, Value>,
    pub(super) others: Others,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) schema: Value,
    pub(super) is_required: bool,
}

/// Keys that are neither fields nor have a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Others {
    /// They are ignored, and never written.
    Ignored,
    Refused,
    /// They are those of a map.
    Kept(Value),
}

impl Shape {
    /// The shape of one alternative.
    pub(super) fn of(schema: &Map<String, Value>) -> Self {
        if let Some(value) = schema.get("const") {
            return Self::Literal(value.clone());
        }
        let has = |keys: &[&str]| keys.iter().any(|key| schema.contains_key(*key));
        match schema.get("type").and_then(Value::as_str) {
            Some("null") => Self::Null,
            Some("boolean") => Self::Bool,
            Some("integer") => Self::Integer(Integer::of(schema)),
            Some("number") => Self::Number,
            Some("string") => {
                Self::Text(Text { format: text(schema, "format"), is_char: number(schema, "maxLength") == Some(1) })
            }
            Some("array") => Self::List(List::of(schema)),
            Some("object") => Self::Object(Object::of(schema)),
            _ if has(&["properties", "required", "patternProperties"]) => Self::Object(Object::of(schema)),
            _ if has(&["items", "prefixItems"]) => Self::List(List::of(schema)),
            _ => Self::Any,
        }
    }

    /// The name of the only field of a struct.
    pub(super) fn only_field(&self) -> Option<&str> {
        let Self::Object(object) = self else { return None };
        let mut names = object.fields.keys();
        names.next().filter(|_| names.next().is_none()).map(String::as_str)
    }

    /// What a variant of an enum is told by.
    pub(super) fn tag(&self) -> Option<Tag> {
        match self {
            Self::Literal(Value::String(name)) => Some(Tag { field: None, name: name.clone() }),
            Self::Object(object) => object.tag(),
            _ => None,
        }
    }
}

/// What tells a variant of an enum from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// The field that names it; `None`: it is the only key, or the value itself.
    pub(super) field: Option<String>,
    pub(super) name: String,
}

impl Integer {
    fn of(schema: &Map<String, Value>) -> Self {
        let format = text(schema, "format");
        let (mut least, most) = match format.as_deref() {
            Some("int8") => (i8::MIN.into(), 0x7F),
            Some("int16") => (i16::MIN.into(), 0x7FFF),
            Some("int32") => (i32::MIN.into(), 0x7FFF_FFFF),
            Some("int128") => (i128::MIN, i128::MAX.unsigned_abs()),
            Some("uint8") => (0, u8::MAX.into()),
            Some("uint16") => (0, u16::MAX.into()),
            Some("uint32") => (0, u32::MAX.into()),
            Some("uint64" | "uint") => (0, u64::MAX.into()),
            Some("uint128") => (0, u128::MAX),
            _ => (i64::MIN.into(), i64::MAX.unsigned_abs().into()),
        };
        // `NonZeroU8` starts at 1, and `NonZeroI8` says that it is not 0. Other bounds no decoder checks.
        let is_not_zero = schema.contains_key("not") || (least == 0 && number(schema, "minimum") == Some(1));
        if is_not_zero && least == 0 {
            least = 1;
        }
        Self { format, least, most, has_zero: !is_not_zero }
    }
}

impl List {
    fn of(schema: &Map<String, Value>) -> Self {
        let parts = schema.get("prefixItems").and_then(Value::as_array).cloned().unwrap_or_default();
        let items = schema.get("items").filter(|items| **items != Value::Bool(false)).cloned();
        let (least, most) = (number(schema, "minItems").unwrap_or(0), number(schema, "maxItems"));
        if parts.is_empty() {
            // Bounds of a `Vec` are checked by no decoder; an array has a fixed length.
            let fixed = most.filter(|most| *most == least);
            return Self { parts, items: items.or(Some(Value::Bool(true))), least: fixed.unwrap_or(0), most: fixed };
        }
        let most = most.or(items.is_none().then_some(parts.len()));
        Self { parts, items, least, most }
    }

    /// The schema of the element at this place.
    pub(super) fn at(&self, place: usize) -> Option<&Value> {
        self.parts.get(place).or(self.items.as_ref())
    }
}

impl Object {
    fn of(schema: &Map<String, Value>) -> Self {
        let of = |keyword: &str| schema.get(keyword).and_then(Value::as_object).cloned().unwrap_or_default();
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let is_required = |name: &String| required.iter().any(|one| one.as_str() == Some(name));
        let fields = of("properties").into_iter().map(|(name, schema)| {
            let is_required = is_required(&name);
            (name, Field { schema, is_required })
        });
        let others = match schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties")) {
            None => Others::Ignored,
            Some(Value::Bool(false)) => Others::Refused,
            Some(schema) => Others::Kept(schema.clone()),
        };
        let mut fields: BTreeMap<String, Field> = fields.collect();
        for name in required.iter().filter_map(Value::as_str) {
            fields.entry(name.to_owned()).or_insert(Field { schema: Value::Bool(true), is_required: true });
        }
        Self { fields, patterns: of("patternProperties").into_iter().collect(), others }
    }

    /// The schema of a key that is no field.
    pub(super) fn other(&self, key: &str) -> Option<&Value> {
        let pattern = self.patterns.iter().find(|(pattern, _)| fits(pattern, key)).map(|(_, schema)| schema);
        pattern.or(match &self.others {
            Others::Kept(schema) => Some(schema),
            Others::Ignored | Others::Refused => None,
        })
    }

    fn tag(&self) -> Option<Tag> {
        let constant = |schema: &Value| schema.get("const").and_then(Value::as_str).map(ToOwned::to_owned);
        let tagged = self.fields.iter().filter(|(_, field)| field.is_required);
        let mut tagged = tagged.filter_map(|(name, field)| Some((name, constant(&field.schema)?)));
        if let Some((field, name)) = tagged.next() {
            return Some(Tag { field: Some(field.clone()), name });
        }
        let mut fields = self.fields.iter();
        match (fields.next(), fields.next(), &self.others) {
            (Some((name, field)), None, Others::Refused) if field.is_required && self.patterns.is_empty() => {
                Some(Tag { field: None, name: name.clone() })
            }
            _ => None,
        }
    }
}

/// Whether a key has a pattern, of those that `schemars` writes for numbers.
fn fits(pattern: &str, key: &str) -> bool {
    let digits = match pattern {
        r"^\d+$" => key,
        r"^-?\d+$" => key.strip_prefix('-').unwrap_or(key),
        _ => return false,
    };
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn text(schema: &Map<String, Value>, keyword: &str) -> Option<String> {
    schema.get(keyword).and_then(Value::as_str).map(ToOwned::to_owned)
}

fn number(schema: &Map<String, Value>, keyword: &str) -> Option<usize> {
    schema.get(keyword).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok())
}
