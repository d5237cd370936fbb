//! A transaction that somebody forgot to end: what it might still see cannot be cleaned up.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    drain::{drain, fill, ratio},
    error::Result,
    jobs::Noop,
    place::in_place,
    sample::Sample,
    settings::Settings,
    target::Address,
};

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let mut free = in_place(&settings.backend, "free", async |place| {
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;
        drain::<Noop>(place, settings, "free", &ids).await
    })
    .await?;
    let pinned = in_place(&settings.backend, "held", async |place| {
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;
        let pin = Pin::hold(&place.address).await?;
        let samples = drain::<Noop>(place, settings, "held", &ids).await?;
        pin.release().await?;
        Ok(samples)
    })
    .await?;
    let ratio = ratio("held to free", &pinned, &free);
    free.extend(pinned);
    free.extend(ratio);
    Ok(free)
}

/// A transaction that is open and has read.
enum Pin {
    Nothing,
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Pin {
    async fn hold(address: &Address) -> Result<Self> {
        match address {
            Address::Memory => Ok(Self::Nothing),
            Address::File(path) => {
                let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
                sqlx::raw_sql("BEGIN; SELECT count(*) FROM rexecutor_jobs").execute(&mut connection).await?;
                Ok(Self::Sqlite(connection))
            }
            Address::Schema { url, schema } => {
                let mut connection = PgConnection::connect(url).await?;
                sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ").execute(&mut connection).await?;
                let read = AssertSqlSafe(format!("SELECT count(*) FROM {schema}.jobs"));
                sqlx::raw_sql(read).execute(&mut connection).await?;
                Ok(Self::Postgres(connection))
            }
        }
    }

    async fn release(self) -> Result<()> {
        match self {
            Self::Nothing => {}
            Self::Sqlite(connection) => connection.close().await?,
            Self::Postgres(connection) => connection.close().await?,
        }
        Ok(())
    }
}
