//! A database of its own beside another one.

use std::hash::{BuildHasher, Hasher, RandomState};

use rexecutor::backend::Result;

use crate::{AnyBackend, UrlError, any_options::Scheme};
#[cfg(feature = "postgres")]
use crate::{PgBackend, PgOptions};
#[cfg(feature = "sqlite")]
use crate::{SqliteBackend, url::sqlite_path};

/// Tables of its own in the same place as others, for measurements: a schema of the same PostgreSQL database, or a file beside
/// the SQLite file. What runs there touches none of the others' jobs.
///
/// [`remove`](Self::remove) deletes them. A process that is killed leaves them behind: a schema or a file whose name has
/// `rexecutor_scratch` in it.
///
/// # Examples
///
/// ```
/// use rexecutor_sqlx::Scratch;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let scratch = Scratch::beside("sqlite::memory:").await?;
/// rexecutor::observe::counts_on_backend(100, scratch.backend()).await?;
/// scratch.remove().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "it is there until it is removed"]
pub struct Scratch {
    backend: AnyBackend,
    place: Place,
}

#[derive(Debug)]
enum Place {
    #[cfg(feature = "sqlite")]
    File(Option<std::path::PathBuf>),
    #[cfg(feature = "postgres")]
    Schema(PgBackend),
}

impl Scratch {
    /// Makes one beside the database of this URL, which [`connect`](crate::connect) explains.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened, or the role may not create a schema.
    pub async fn beside(url: impl AsRef<str>) -> Result<Self, UrlError> {
        let url = url.as_ref();
        let name = format!("rexecutor_scratch_{:016x}", RandomState::new().build_hasher().finish());
        match Scheme::of(url)? {
            #[cfg(feature = "sqlite")]
            Scheme::Sqlite => {
                let path = sqlite_path(url)?.map(|mut path| {
                    let mut file = path.file_name().unwrap_or_default().to_owned();
                    file.push(format!(".{name}"));
                    path.set_file_name(file);
                    path
                });
                let backend = match &path {
                    Some(path) => SqliteBackend::open(path).await,
                    None => SqliteBackend::in_memory().await,
                };
                let backend = backend.map_err(UrlError::Sqlite)?.into();
                Ok(Self { backend, place: Place::File(path) })
            }
            #[cfg(feature = "postgres")]
            Scheme::Postgres => {
                let backend = PgOptions::new().schema(name).connect(url).await.map_err(UrlError::Postgres)?;
                Ok(Self { backend: backend.clone().into(), place: Place::Schema(backend) })
            }
        }
    }

    /// The backend on it.
    pub fn backend(&self) -> &AnyBackend {
        &self.backend
    }

    /// Deletes it with all that is in it. Nodes must have left.
    ///
    /// # Errors
    ///
    /// When the database fails, or the file cannot be deleted.
    pub async fn remove(self) -> Result<()> {
        match self.place {
            #[cfg(feature = "sqlite")]
            Place::File(path) => {
                self.backend.close().await;
                path.map_or(Ok(()), |path| remove_files(&path))
            }
            #[cfg(feature = "postgres")]
            Place::Schema(backend) => backend.drop_tables().await,
        }
    }
}

/// The file, and those that SQLite keeps beside it.
#[cfg(feature = "sqlite")]
fn remove_files(path: &std::path::Path) -> Result<()> {
    for end in ["-wal", "-shm", ""] {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(rexecutor::backend::BackendError::permanent(
                    format!("could not delete `{}`", file.display()),
                    error,
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
