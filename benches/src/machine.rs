//! What the figures were measured on.

use std::{fmt, fs};

use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection, Row};

use crate::{error::Result, target::Target};

/// The machine, the compiler, and the database's version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    pub(crate) database: Option<String>,
}

impl Machine {
    /// What is not found out is said to be unknown.
    pub(crate) async fn look(target: &Target) -> Result<Self> {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            memory: field(&read("/proc/meminfo"), "MemTotal").and_then(|text| gibibytes(&text)).unwrap_or_else(unknown),
            kernel: Some(read("/proc/sys/kernel/osrelease").trim().to_owned())
                .filter(|release| !release.is_empty())
                .map_or_else(|| std::env::consts::OS.to_owned(), |release| format!("Linux {release}")),
            rustc: env!("BENCHES_RUSTC").to_owned(),
            database: match target {
                Target::Postgres(url) => Some(server(url).await?),
                _ => None,
            },
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, processor, memory, kernel, rustc, database } = self;
        write!(f, "{cores} cores of {processor}, {memory} of memory, {kernel}, {rustc}")?;
        database.iter().try_for_each(|database| write!(f, ", {database}"))
    }
}

/// The server's version, and the settings that decide what a commit costs.
async fn server(url: &str) -> Result<String> {
    let mut connection = PgConnection::connect(url).await?;
    let mut settings = Vec::new();
    for setting in ["server_version", "shared_buffers", "synchronous_commit", "fsync", "full_page_writes"] {
        let row = sqlx::query("SELECT current_setting($1)").bind(setting).fetch_one(&mut connection).await?;
        settings.push((setting, row.try_get::<String, _>(0)?));
    }
    connection.close().await?;
    let settings = settings.iter().map(|(setting, value)| match *setting {
        "server_version" => format!("PostgreSQL {value}"),
        _ => format!("{setting} = {value}"),
    });
    Ok(settings.collect::<Vec<_>>().join(", "))
}

/// The first value under a name, in a file of lines such as `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Of `24030464 kB`.
pub(crate) fn gibibytes(text: &str) -> Option<String> {
    let kibibytes: f64 = text.strip_suffix("kB")?.trim().parse().ok()?;
    Some(format!("{:.1} GiB", kibibytes / f64::from(1 << 20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_whatever_stands_around_it() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC\nprocessor\t: 1\nmodel name\t: other\n";
        assert_eq!(field(text, "model name").as_deref(), Some("AMD EPYC"));
        assert_eq!(field(text, "model"), None);
        assert_eq!(gibibytes("2097152 kB").as_deref(), Some("2.0 GiB"));
        assert_eq!(gibibytes("much"), None);
    }

    #[tokio::test]
    async fn a_machine_says_everything_about_itself() {
        let machine = Machine::look(&Target::Memory).await.unwrap();
        assert!(machine.cores > 0 && machine.rustc.starts_with("rustc"));
        assert!(machine.to_string().contains(&machine.kernel));
    }
}
