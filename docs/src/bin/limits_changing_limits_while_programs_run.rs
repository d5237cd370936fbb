#![allow(clippy::disallowed_methods, reason = "programs read the clock")]

include!(concat!(env!("OUT_DIR"), "/limits_changing_limits_while_programs_run.rs"));
