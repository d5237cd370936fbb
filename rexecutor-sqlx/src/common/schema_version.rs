//! Which version the tables have.

/// Which version the tables of a database have, and which one this program knows.
///
/// ```no_run
/// use rexecutor_sqlx::AnyOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let version = AnyOptions::new().schema_version("sqlite:jobs.db").await?;
/// println!("{} of {}", version.found, version.known);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaVersion {
    /// That of the tables; 0: there are none.
    pub found: i64,
    /// The oldest program, by the version that it knows, that may run against them.
    pub oldest_program: i64,
    /// The newest one that this program knows.
    pub known: i64,
}

impl SchemaVersion {
    /// Whether nothing is left to do. The tables of a newer program are up to date, if this one may use them.
    pub fn is_current(self) -> bool {
        self.found >= self.known && self.oldest_program <= self.known
    }

    /// Whether this program is too old for the tables.
    pub fn is_too_new(self) -> bool {
        self.oldest_program > self.known
    }
}

/// Statements, one behind the other.
pub(crate) fn joined(parts: &[String]) -> String {
    parts.iter().map(|part| format!("{};\n", part.trim_end().trim_end_matches(';'))).collect::<Vec<_>>().join("\n")
}
