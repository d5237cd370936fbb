//! Opening the database that an address names.

#[cfg(feature = "postgres")]
use crate::ConnectError;
#[cfg(feature = "sqlite")]
use crate::OpenError;
use crate::{AnyBackend, AnyOptions};

/// Opens the database that a URL names, with the default options of its backend.
///
/// | URL | database |
/// | --- | --- |
/// | `sqlite:jobs.db`, `sqlite://jobs.db` | an SQLite file, relative to the working directory |
/// | `sqlite:/var/lib/jobs.db`, `sqlite:///var/lib/jobs.db` | an SQLite file by its absolute path |
/// | `sqlite::memory:` | an SQLite database in memory, of this backend alone |
/// | `postgres://user:password@host:5432/database`, `postgresql://…` | a PostgreSQL database |
///
/// SQLite files are created if they do not exist; special characters in their names are percent-encoded (`%20`). SQLite
/// needs the feature `sqlite`, which is on by default, and PostgreSQL the feature `postgres`. [`AnyOptions`] does without
/// that. Other options
/// are set with `SqliteOptions` and `PgOptions`; their backends become an [`AnyBackend`] with `into()`.
///
/// # Errors
///
/// When the URL is of neither kind, the feature is off, or the database cannot be used; the error says what to do.
///
/// # Examples
///
/// A program that only enqueues needs one line to set up:
///
/// ```
/// use rexecutor::prelude::*;
///
/// #[job]
/// async fn greet(name: String) {
///     println!("hello, {name}");
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let url = "sqlite::memory:";
/// rexecutor::set_global_backend(rexecutor_sqlx::connect(url).await?)?;
/// Greet::enqueue("Ada".to_owned()).await?;
/// # Ok(())
/// # }
/// ```
pub async fn connect(url: impl AsRef<str>) -> Result<AnyBackend, UrlError> {
    AnyOptions::new().connect(url).await
}

/// The file that a URL names; `None`: a database in memory.
#[cfg(feature = "sqlite")]
pub(crate) fn sqlite_path(url: &str) -> Result<Option<std::path::PathBuf>, UrlError> {
    let invalid = |problem: String| Err(UrlError::Address { problem });
    let (address, options) = url.split_once('?').unwrap_or((url, "mode=rwc"));
    if options != "mode=rwc" {
        return invalid(format!("the option `?{options}` is not supported: leave it out, and use `SqliteOptions`"));
    }
    match address.trim_start_matches("sqlite:").trim_start_matches("//") {
        "" => invalid("it names no file: write `sqlite:jobs.db`, or `sqlite::memory:`".to_owned()),
        ":memory:" => Ok(None),
        _ => match address.parse::<sqlx::sqlite::SqliteConnectOptions>() {
            Ok(options) => Ok(Some(options.get_filename().to_owned())),
            Err(error) => invalid(error.to_string()),
        },
    }
}

/// Why the database of a URL could not be opened.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The URL is of no database that this crate knows.
    #[error(
        "{}: write `sqlite:jobs.db`, `sqlite::memory:` or `postgres://user:password@host:5432/database`",
        match scheme {
            Some(scheme) => format!("`{scheme}:` is no database that rexecutor-sqlx knows"),
            None => "the address does not say of which database it is".to_owned(),
        }
    )]
    Scheme {
        /// How the URL begins, if it has a scheme.
        scheme: Option<String>,
    },
    /// The backend was not compiled in.
    #[error(
        "this program is built without the feature `{feature}` of rexecutor-sqlx: write \
         `rexecutor-sqlx = {{ version = \"..\", features = [\"{feature}\"] }}` in Cargo.toml"
    )]
    Feature {
        /// The feature that is off.
        feature: &'static str,
    },
    /// The address of the SQLite database is not valid.
    #[error("the address of the SQLite database is not valid: {problem}")]
    Address {
        /// What is wrong with it.
        problem: String,
    },
    /// The SQLite file could not be opened.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Sqlite(OpenError),
    /// The PostgreSQL database cannot be used.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(ConnectError),
}

rexecutor::debug_as_sentence!(UrlError);

impl UrlError {
    /// Whether connecting again may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Scheme { .. } | Self::Feature { .. } | Self::Address { .. } => false,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(error) => error.is_transient(),
            #[cfg(feature = "postgres")]
            Self::Postgres(error) => error.is_transient(),
        }
    }
}
