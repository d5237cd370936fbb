//! How the database that an address names is opened.

#[cfg(feature = "postgres")]
use crate::PgOptions;
use crate::{AnyBackend, UrlError, common::SchemaVersion};
#[cfg(feature = "sqlite")]
use crate::{SqliteOptions, url::sqlite_path};

/// How the database that a URL names is opened: what both databases know. [`connect`](crate::connect) takes the defaults.
///
/// It is for programs that are given an address and must not change what they find there, as an operator's tool.
///
/// # Examples
///
/// ```
/// use rexecutor_sqlx::AnyOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let error = AnyOptions::new().create(false).connect("sqlite:no-such-file.db").await.unwrap_err();
/// assert!(error.to_string().contains("there is no file"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "options open nothing by themselves"]
pub struct AnyOptions {
    schema: Option<String>,
    create: bool,
    migrate: bool,
}

/// Which database a URL is of.
pub(crate) enum Scheme {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Scheme {
    pub(crate) fn of(url: &str) -> Result<Self, UrlError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            #[cfg(feature = "sqlite")]
            Some("sqlite") => Ok(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            #[cfg(not(feature = "sqlite"))]
            Some("sqlite") => Err(UrlError::Feature { feature: "sqlite" }),
            #[cfg(not(feature = "postgres"))]
            Some("postgres" | "postgresql") => Err(UrlError::Feature { feature: "postgres" }),
            scheme => Err(UrlError::Scheme { scheme: scheme.map(ToOwned::to_owned) }),
        }
    }
}

impl AnyOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self { schema: None, create: true, migrate: true }
    }

    /// In which schema the tables stand on PostgreSQL, at most 53 bytes. The default is `rexecutor`; SQLite has no schemas.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = Some(name.into());
        self
    }

    /// Whether an SQLite file that does not exist is created. The default is that it is.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Whether connecting creates the tables, or brings them up to date. The default is that it does.
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// Opens the database.
    ///
    /// # Errors
    ///
    /// As [`connect`](crate::connect); and when the file or the tables are not there, and are not to be created.
    pub async fn connect(self, url: impl AsRef<str>) -> Result<AnyBackend, UrlError> {
        let url = url.as_ref();
        match Scheme::of(url)? {
            #[cfg(feature = "sqlite")]
            Scheme::Sqlite => {
                let options = SqliteOptions::new().create(self.create).migrate(self.migrate);
                let backend = match sqlite_path(url)? {
                    Some(path) => options.open(path).await,
                    None => options.open_in_memory().await,
                };
                Ok(backend.map_err(UrlError::Sqlite)?.into())
            }
            #[cfg(feature = "postgres")]
            Scheme::Postgres => Ok(self.postgres().connect(url).await.map_err(UrlError::Postgres)?.into()),
        }
    }

    /// Which version the tables have. Nothing is created or changed.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened.
    pub async fn schema_version(self, url: impl AsRef<str>) -> Result<SchemaVersion, UrlError> {
        let url = url.as_ref();
        match Scheme::of(url)? {
            #[cfg(feature = "sqlite")]
            Scheme::Sqlite => match sqlite_path(url)? {
                Some(path) => crate::sqlite::schema_version(&path).await.map_err(UrlError::Sqlite),
                None => {
                    Err(UrlError::Address { problem: "a database in memory has no tables to begin with".to_owned() })
                }
            },
            #[cfg(feature = "postgres")]
            Scheme::Postgres => self.postgres().schema_version(url).await.map_err(UrlError::Postgres),
        }
    }

    /// The SQL that brings tables of the version `from` up to date, in one transaction: for whoever lets an administrator run it. 0
    /// creates them. The URL says for which database, and is not connected to.
    ///
    /// # Errors
    ///
    /// When the URL is of no database that this crate knows, or the schema cannot have this name.
    pub fn migration_sql(self, url: impl AsRef<str>, from: i64) -> Result<String, UrlError> {
        match Scheme::of(url.as_ref())? {
            #[cfg(feature = "sqlite")]
            Scheme::Sqlite => Ok(crate::sqlite::migration_script(from)),
            #[cfg(feature = "postgres")]
            Scheme::Postgres => self.postgres().migration_script(from).map_err(UrlError::Postgres),
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(self) -> PgOptions {
        let options = PgOptions::new().migrate(self.migrate);
        match self.schema {
            Some(schema) => options.schema(schema),
            None => options,
        }
    }
}

impl Default for AnyOptions {
    fn default() -> Self {
        Self::new()
    }
}
