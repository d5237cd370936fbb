//! Which version the tables have, asked without creating anything.

use std::path::Path;

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use super::{error::OpenError, migrate, open::check};
use crate::common::SchemaVersion;

/// Which version the tables in a file have.
pub(crate) async fn schema_version(path: &Path) -> Result<SchemaVersion, OpenError> {
    let path = check(path)?;
    if !path.exists() {
        return Err(OpenError::NoFile { path });
    }
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(false).disable_statement_logging();
    let failed = |error| OpenError::new(path.clone(), error);
    let mut connection = options.connect().await.map_err(failed)?;
    let version = migrate::version(&mut connection, &path).await?;
    connection.close().await.map_err(failed)?;
    Ok(version)
}

/// The statements that bring tables of this version up to date, in one transaction.
pub(crate) fn migration_script(from: i64) -> String {
    migrate::script(from)
}
