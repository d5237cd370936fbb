#![allow(clippy::disallowed_methods, reason = "programs read the clock")]

include!(concat!(env!("OUT_DIR"), "/limits_priorities_that_rise.rs"));
