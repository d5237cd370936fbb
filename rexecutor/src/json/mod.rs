//! JSON that is to be stored or compared: what cannot be stored, what is lost on the way, and when two values are equal.

mod ascii;
mod canonical;
mod compared;
mod losses;
mod shape;

pub use self::compared::Json;
pub(crate) use self::{
    ascii::ascii,
    canonical::{canonical, unordered},
    losses::{first_loss, first_wide},
    shape::shape,
};
