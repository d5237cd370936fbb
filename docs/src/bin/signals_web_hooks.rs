#![allow(clippy::disallowed_methods, reason = "programs read the clock")]

include!(concat!(env!("OUT_DIR"), "/signals_web_hooks.rs"));
