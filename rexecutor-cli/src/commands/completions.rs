//! Completions for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{args::Cli, failure::Failure, output::print};

/// Writes the completions of a shell to the standard output
#[derive(Debug, Args)]
pub(crate) struct Completions {
    shell: Shell,
}

pub(crate) fn write(which: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(which.shell, &mut Cli::command(), "rexecutor", &mut script);
    print(&String::from_utf8_lossy(&script))
}
