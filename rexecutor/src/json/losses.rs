//! What a value loses on its way through JSON, without a word from `serde_json`.
//!
//! NaN and infinities are written as `null`, and `Some` of what is written as `null` comes back as `None`. Neither shows in the
//! text, so the value is looked at once more.

use std::fmt::{self, Display};

use serde::ser::{self, Serialize};

/// What is lost, with the place: `at.x is NaN, …`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// NaN or an infinity.
    NotFinite(String),
    /// `Some` of what is written as `null`.
    SomeNull(String),
    /// The value does not encode.
    Unencodable(String),
}

/// The first thing that a value loses.
pub(crate) fn first_loss<T: Serialize + ?Sized>(value: &T) -> Option<Loss> {
    match value.serialize(&mut Walk::default()) {
        Err(loss @ (Loss::NotFinite(_) | Loss::SomeNull(_))) => Some(loss),
        // The encoder says so itself, and better.
        Err(Loss::Unencodable(_)) | Ok(_) => None,
    }
}

/// Where the first number of 128 bits is: `serde` reads none inside of tagged, untagged and flattened types, and does not say
/// where.
pub(crate) fn first_wide<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    let mut walk = Walk::default();
    let _ = value.serialize(&mut walk);
    walk.wide
}

/// Walks over a value, and writes nothing.
#[derive(Default)]
struct Walk {
    /// Where it is: names, numbers and keys.
    path: Vec<String>,
    /// Where the first number of 128 bits is.
    wide: Option<String>,
}

/// How a value is written.
#[derive(PartialEq)]
enum Written {
    Null,
    Otherwise,
}

type Walked<T = Written> = Result<T, Loss>;

impl Walk {
    fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            let is_index = step.starts_with('[');
            place.push_str(if place.is_empty() || is_index { "" } else { "." });
            place.push_str(step);
        }
        if place.is_empty() { "the value".to_owned() } else { format!("`{place}`") }
    }

    fn at(&mut self, step: String, value: &(impl Serialize + ?Sized)) -> Walked<()> {
        self.path.push(step);
        value.serialize(&mut *self)?;
        self.path.pop();
        Ok(())
    }

    fn float(&self, value: f64) -> Walked {
        if value.is_finite() {
            return Ok(Written::Otherwise);
        }
        Err(Loss::NotFinite(format!("{} is {value}, which JSON cannot hold", self.place())))
    }

    fn wide(&mut self) -> Walked {
        if self.wide.is_none() {
            self.wide = Some(self.place());
        }
        Ok(Written::Otherwise)
    }

    fn inside(&mut self) -> Walked<Inside<'_>> {
        Ok(Inside { walk: self, count: 0, is_variant: false })
    }

    fn inside_variant(&mut self, variant: &str) -> Walked<Inside<'_>> {
        self.path.push(variant.to_owned());
        Ok(Inside { walk: self, count: 0, is_variant: true })
    }
}

macro_rules! plain {
    ($($method:ident($type:ty);)*) => {
        $(fn $method(self, _: $type) -> Walked {
            Ok(Written::Otherwise)
        })*
    };
}

impl<'w> ser::Serializer for &'w mut Walk {
    type Ok = Written;
    type Error = Loss;
    type SerializeSeq = Inside<'w>;
    type SerializeTuple = Inside<'w>;
    type SerializeTupleStruct = Inside<'w>;
    type SerializeTupleVariant = Inside<'w>;
    type SerializeMap = Inside<'w>;
    type SerializeStruct = Inside<'w>;
    type SerializeStructVariant = Inside<'w>;

    plain! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
    }

    fn serialize_i128(self, _: i128) -> Walked {
        self.wide()
    }

    fn serialize_u128(self, _: u128) -> Walked {
        self.wide()
    }

    fn serialize_f32(self, value: f32) -> Walked {
        self.float(value.into())
    }

    fn serialize_f64(self, value: f64) -> Walked {
        self.float(value)
    }

    fn serialize_none(self) -> Walked {
        Ok(Written::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Walked {
        match value.serialize(&mut *self)? {
            Written::Null => {
                let place = self.place();
                Err(Loss::SomeNull(format!("{place} is `Some` of what is stored as `null`, and comes back as `None`")))
            }
            Written::Otherwise => Ok(Written::Otherwise),
        }
    }

    fn serialize_unit(self) -> Walked {
        Ok(Written::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Walked {
        Ok(Written::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Walked {
        Ok(Written::Otherwise)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Walked {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Walked {
        self.at(variant.to_owned(), value)?;
        Ok(Written::Otherwise)
    }

    fn serialize_seq(self, _: Option<usize>) -> Walked<Inside<'w>> {
        self.inside()
    }

    fn serialize_tuple(self, _: usize) -> Walked<Inside<'w>> {
        self.inside()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Walked<Inside<'w>> {
        self.inside()
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Walked<Inside<'w>> {
        self.inside_variant(variant)
    }

    fn serialize_map(self, _: Option<usize>) -> Walked<Inside<'w>> {
        self.inside()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Walked<Inside<'w>> {
        self.inside()
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Walked<Inside<'w>> {
        self.inside_variant(variant)
    }
}

/// The elements of a compound value.
struct Inside<'w> {
    walk: &'w mut Walk,
    count: usize,
    is_variant: bool,
}

impl Inside<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Walked<()> {
        let step = format!("[{}]", self.count);
        self.count += 1;
        self.walk.at(step, value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Walked<()> {
        self.walk.at(name.to_owned(), value)
    }

    fn done(self) -> Walked {
        if self.is_variant {
            self.walk.path.pop();
        }
        Ok(Written::Otherwise)
    }
}

macro_rules! elements {
    ($($role:ident::$method:ident;)*) => {
        $(impl ser::$role for Inside<'_> {
            type Ok = Written;
            type Error = Loss;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Walked<()> {
                self.element(value)
            }

            fn end(self) -> Walked {
                self.done()
            }
        })*
    };
}

elements! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

macro_rules! fields {
    ($($role:ident;)*) => {
        $(impl ser::$role for Inside<'_> {
            type Ok = Written;
            type Error = Loss;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Walked<()> {
                self.field(name, value)
            }

            fn end(self) -> Walked {
                self.done()
            }
        })*
    };
}

fields! {
    SerializeStruct;
    SerializeStructVariant;
}

impl ser::SerializeMap for Inside<'_> {
    type Ok = Written;
    type Error = Loss;

    /// The encoder refuses what it cannot take as a key; here it is only a place's name.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Walked<()> {
        let name = serde_json::to_string(key).unwrap_or_default();
        self.walk.path.push(name.trim_matches('"').to_owned());
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Walked<()> {
        value.serialize(&mut *self.walk)?;
        self.walk.path.pop();
        Ok(())
    }

    fn end(self) -> Walked {
        self.done()
    }
}

impl ser::Error for Loss {
    fn custom<T: Display>(message: T) -> Self {
        Self::Unencodable(message.to_string())
    }
}

impl Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotFinite(text) | Self::SomeNull(text) | Self::Unencodable(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for Loss {}
