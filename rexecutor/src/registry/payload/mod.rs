//! How the data of a registered job are decoded and described without running it.
//!
//! Nothing of it is compiled without the feature `schema`.

#[cfg(not(feature = "schema"))]
mod disabled;
#[cfg(feature = "schema")]
mod enabled;

#[cfg(not(feature = "schema"))]
pub(crate) use self::disabled::{Payload, payload_of};
#[cfg(feature = "schema")]
pub(crate) use self::enabled::{Decode, Payload, payload_of};
#[cfg(feature = "schema")]
#[doc(hidden)]
pub use self::enabled::{DecodedAndDescribed, Described, JobSchemas, NotDescribed, TypeOf, TypeSchema, Undecodable};
