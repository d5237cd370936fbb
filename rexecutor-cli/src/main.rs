//! The command `rexecutor`: jobs, executors, schedules and nodes, seen and steered from a shell.
//!
//! It needs none of a program's code: data are JSON. Every command reads [`Global`](args::Global), opens the database that is
//! meant ([`target`]), does one thing ([`commands`]), and answers with text or JSON ([`output`]). What changes anything goes
//! through [`Session::change`](session::Session::change), which asks where the database is one of production.

mod args;
mod audit;
mod commands;
mod failure;
mod output;
mod place;
mod session;
mod stopping;
mod target;
mod time;

use std::process::ExitCode;

use clap::Parser;

use self::{args::Cli, failure::Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // What was asked for is not an error: help, or the version.
            if !error.use_stderr() || !std::env::args_os().any(|argument| argument == "--json") {
                let _ = error.print();
                return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            }
            let text = error.render().to_string();
            return Failure::usage(text.strip_prefix("error: ").unwrap_or(&text).trim_end()).report(true);
        }
    };
    let is_json = cli.global.json;
    let answer = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let answer = answer.map_err(Failure::io).and_then(|runtime| {
        let answer = runtime.block_on(commands::run(cli));
        // Connections that nobody waits for must not keep the process.
        runtime.shutdown_background();
        answer
    });
    match answer {
        Ok(code) => code,
        Err(failure) => failure.report(is_json),
    }
}
