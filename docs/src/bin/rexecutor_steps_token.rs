#![allow(clippy::disallowed_methods, reason = "programs read the clock")]

include!(concat!(env!("OUT_DIR"), "/rexecutor_steps_token.rs"));
