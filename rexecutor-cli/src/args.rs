//! The command line.

use std::{env, path::PathBuf};

use clap::{Args, Parser};

use crate::{commands::Command, output::Output};

/// Jobs of rexecutor, seen and steered from a shell.
#[derive(Debug, Parser)]
#[command(name = "rexecutor", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 no (health, doctor, migrate status, schema diff), 2 usage, 3 not found or refused, \
    4 the database cannot be used, 5 a change of a production database was not confirmed."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The database: `sqlite:jobs.db` or `postgres://user@host/database`. Without it: the context, or DATABASE_URL
    #[arg(long, global = true, value_name = "URL", conflicts_with = "context")]
    pub(crate) database: Option<String>,
    /// A database that the configuration has a name for; also REXECUTOR_CONTEXT
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The configuration; also REXECUTOR_CONFIG. The default is ~/.config/rexecutor/config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The schema of the tables, on PostgreSQL. The default is `rexecutor`
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) schema: Option<String>,
    /// Answers with JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Does not ask before a production database is changed
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Who says so, for reasons that others read. The default is the user
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

impl Global {
    pub(crate) fn output(&self) -> Output {
        Output { json: self.json }
    }

    pub(crate) fn by(&self) -> String {
        let user = || ["USER", "USERNAME", "LOGNAME"].iter().find_map(|name| env::var(name).ok());
        let by = self.by.clone().or_else(user).filter(|name| !name.is_empty());
        by.unwrap_or_else(|| "the command line".to_owned())
    }
}

/// The name of something, which is never empty.
pub(crate) fn name(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("it is empty, and no name".to_owned()) } else { Ok(text.to_owned()) }
}

/// How many there are to be at most.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("a number from 1 on".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }
}
