//! What the pages show, for programs that show it in another way: the command `rexecutor` is one.

pub use crate::{
    format::{relative, short, span},
    groups::{Group, kind},
    json::pretty,
    overview::{Attention, Level, Overview, Quantiles, Recent},
    search::{HINTS, InvalidSearch, filter},
};
