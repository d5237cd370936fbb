//! Where jobs are kept: what `--backend` says, and how it is opened.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use rexecutor::backend::{Backend, memory::InMemoryBackend};
use rexecutor_sqlx::{PgOptions, SqliteBackend};

use crate::error::Result;

/// Which backend is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Memory,
    /// In files in this folder; `None`: beside this program.
    Sqlite(Option<PathBuf>),
    /// The database at this URL.
    Postgres(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            None if text == "sqlite" => Ok(Self::Sqlite(None)),
            Some(("sqlite", folder)) if std::path::Path::new(folder).is_dir() => Ok(Self::Sqlite(Some(folder.into()))),
            Some(("sqlite", folder)) => Err(format!("there is no folder `{folder}`")),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self::Postgres(text.to_owned())),
            _ => Err("it must be `memory`, `sqlite`, `sqlite:FOLDER` or `postgres://…`".to_owned()),
        }
    }
}

/// Without what a URL tells of the server: results are shown to others.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        })
    }
}

/// One database of a run.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    Memory,
    File(PathBuf),
    Schema { url: String, schema: String },
}

impl Address {
    /// Opens it as a user would who changes nothing.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Backend>> {
        Ok(match self {
            Self::Memory => Arc::new(InMemoryBackend::new()),
            Self::File(path) => Arc::new(SqliteBackend::open(path).await?),
            Self::Schema { url, schema } => Arc::new(PgOptions::new().schema(schema).connect(url).await?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_named_in_one_of_four_ways() {
        assert_eq!("memory".parse(), Ok(Target::Memory));
        assert_eq!("sqlite".parse(), Ok(Target::Sqlite(None)));
        assert_eq!("sqlite:/".parse(), Ok(Target::Sqlite(Some("/".into()))));
        assert_eq!("postgres://db/app".parse(), Ok(Target::Postgres("postgres://db/app".to_owned())));
        for wrong in ["", "mysql://db", "postgres", "postgres:db", "sqlite:/no/such/folder", "memory:x"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_of_a_url_has_no_password() {
        assert_eq!(Target::Postgres("postgres://me:secret@db/app".to_owned()).to_string(), "postgres");
    }
}
