//! Decoding stored data without running a job, and the JSON Schemas of its types, where they have one.
//!
//! `#[job]` cannot know whether a type implements [`JsonSchema`]. So the resolution of methods decides, as for
//! [parameters](super::super::parameter): it tries the type with the most `&` first.

use std::{
    any::{Any, TypeId},
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    executing::{Executor, TypeName},
    model::JobRow,
    registry::Registration,
};

/// Why a text does not decode.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(hidden)]
pub struct Undecodable {
    /// The field at which the decoder stopped; empty for the whole value.
    pub path: String,
    /// What the decoder says.
    pub error: String,
}

/// Decodes a text and drops what it gives.
pub(crate) type Decode = fn(&str) -> Result<(), Undecodable>;

/// How the data of an executor are decoded and described.
#[derive(Clone, Copy)]
pub(crate) struct Payload {
    data: Decode,
    metadata: Decode,
    schemas: Option<fn() -> JobSchemas>,
}

pub(crate) const fn payload_of<E: Executor>() -> Payload {
    Payload { data: decode::<E::Data>, metadata: decode::<E::Metadata>, schemas: None }
}

impl Payload {
    /// Decodes a stored job as a run would; on failure, `data` or `metadata`, and why.
    pub(crate) fn decode(&self, row: &JobRow) -> Result<(), (&'static str, Undecodable)> {
        (self.data)(&row.data).map_err(|error| ("data", error))?;
        match &row.metadata {
            Some(metadata) => (self.metadata)(metadata).map_err(|error| ("metadata", error)),
            None => Ok(()),
        }
    }

    /// What the types of the executor look like; `None`: nothing is known.
    pub(crate) fn schemas(&self) -> Option<JobSchemas> {
        self.schemas.map(|schemas| schemas())
    }
}

impl Registration {
    /// What its types look like. Not public API.
    #[doc(hidden)]
    pub const fn with_schemas(mut self, schemas: fn() -> JobSchemas) -> Self {
        self.payload.schemas = Some(schemas);
        self
    }

    pub(crate) const fn payload(&self) -> Payload {
        self.payload
    }
}

/// The schemas of a job's types.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct JobSchemas {
    pub data: TypeSchema,
    pub metadata: TypeSchema,
    pub output: TypeSchema,
}

/// What is known of a type.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub enum TypeSchema {
    /// It is `()`, or nobody reads it.
    Nothing,
    /// It has no schema; its name.
    Unknown(String),
    /// How it is written, how it is read, and how it is decoded.
    Known { written: Value, read: Value, decode: fn(&str) -> Result<(), Undecodable> },
}

/// Stands for a type.
#[doc(hidden)]
pub struct TypeOf<T>(PhantomData<fn() -> T>);

impl<T> TypeOf<T> {
    /// The type.
    pub const NEW: Self = Self(PhantomData);
}

impl<T> std::fmt::Debug for TypeOf<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }
}

/// A type that is decoded and has a schema.
#[doc(hidden)]
pub trait DecodedAndDescribed {
    fn schema(&self) -> TypeSchema;
}

impl<T: JsonSchema + DeserializeOwned + 'static> DecodedAndDescribed for &&TypeOf<T> {
    fn schema(&self) -> TypeSchema {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            return TypeSchema::Nothing;
        }
        let generate = |settings: SchemaSettings| settings.into_generator().into_root_schema_for::<T>().to_value();
        TypeSchema::Known {
            written: generate(SchemaSettings::draft2020_12().for_serialize()),
            read: generate(SchemaSettings::draft2020_12().for_deserialize()),
            decode: decode::<T>,
        }
    }
}

/// A type that has a schema, and that no program decodes: an output that can only be encoded.
#[doc(hidden)]
pub trait Described {
    fn schema(&self) -> TypeSchema;
}

impl<T: JsonSchema> Described for &TypeOf<T> {
    fn schema(&self) -> TypeSchema {
        TypeSchema::Nothing
    }
}

/// A type without a schema.
#[doc(hidden)]
pub trait NotDescribed {
    fn schema(&self) -> TypeSchema;
}

impl<T: 'static> NotDescribed for TypeOf<T> {
    fn schema(&self) -> TypeSchema {
        TypeSchema::Unknown(TypeName::of::<T>().shown())
    }
}

/// Adds the schemas of an executor's types to its registration.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_schemas {
    ($registration:expr, $executor:ty) => {
        $registration.with_schemas(|| {
            #[allow(unused_imports)]
            use $crate::__private::{DecodedAndDescribed as _, Described as _, NotDescribed as _, TypeOf};
            $crate::__private::JobSchemas {
                data: (&&&TypeOf::<<$executor as $crate::Executor>::Data>::NEW).schema(),
                metadata: (&&&TypeOf::<<$executor as $crate::Executor>::Metadata>::NEW).schema(),
                output: (&&&TypeOf::<<$executor as $crate::__private::HasOutput>::Output>::NEW).schema(),
            }
        })
    };
}

/// Decodes a text as a run would. Only where that fails is it decoded again, to learn at which field.
fn decode<T: DeserializeOwned>(text: &str) -> Result<(), Undecodable> {
    let decoded = catch_unwind(AssertUnwindSafe(|| serde_json::from_str::<T>(text).map(drop)));
    let error = match decoded {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => format!("its decoder panicked: {}", message(&*panic)),
    };
    let path = catch_unwind(|| {
        let mut json = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize::<_, T>(&mut json).err().map(|error| error.path().to_string())
    });
    let path = path.ok().flatten().filter(|path| path != ".").unwrap_or_default();
    Err(Undecodable { path, error })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without message")
}
