//! Telling that a pooler stands before the server, from what goes wrong then.
//!
//! A pooler that gives each transaction another session breaks what a client keeps in its session, such as prepared
//! statements, and refuses what it would have to set for each client.

use super::error::code;

/// What to do.
pub(super) const REMEDY: &str = "a pooler that gives each transaction another session stands before the server, such as PgBouncer \
     or RDS Proxy: set `PgOptions::transaction_pooling(true)`, and make a pool of your own with \
     `PgConnectOptions::extra_float_digits(None)` and `statement_cache_capacity(0)`";

/// Whether an error comes of a pooler that the connection was not made for.
pub(super) fn is_pooled(error: &sqlx::Error) -> bool {
    let message = error.as_database_error().map(|error| error.message()).unwrap_or_default();
    code(error).is_some_and(|code| is_of_pooler(&code, message))
}

fn is_of_pooler(code: &str, message: &str) -> bool {
    match code {
        // A prepared statement that another client has made, or that was made in another session.
        "42P05" | "26000" => true,
        // One of the same name with other parameters; a setting that PgBouncer does not pass on.
        "08P01" => {
            ["prepared statement", "bind message", "startup parameter"].iter().any(|part| message.contains(part))
        }
        "0A000" => message.contains("RDS Proxy"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_37_what_poolers_say_is_known() {
        for (code, message) in [
            ("42P05", "prepared statement \"sqlx_s_1\" already exists"),
            ("26000", "prepared statement \"sqlx_s_3\" does not exist"),
            ("08P01", "bind message supplies 2 parameters, but prepared statement \"sqlx_s_2\" requires 3"),
            ("08P01", "unsupported startup parameter: extra_float_digits"),
            ("08P01", "unsupported startup parameter in options: enable_seqscan"),
            ("0A000", "Feature not supported: RDS Proxy currently doesn\u{2019}t support command-line options."),
        ] {
            assert!(is_of_pooler(code, message), "{message}");
        }
        for (code, message) in [
            ("08P01", "invalid message format"),
            ("0A000", "cached plan must not change result type"),
            ("42P01", "relation \"prepared statement\" does not exist"),
        ] {
            assert!(!is_of_pooler(code, message), "{message}");
        }
    }
}
