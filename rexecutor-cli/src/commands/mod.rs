//! The commands, one file each.

mod audit;
mod bench;
mod bulk;
mod cluster;
mod completions;
mod contexts;
mod copy;
mod dead;
mod doctor;
mod enqueue;
mod executors;
mod flows;
mod health;
mod import;
mod jobs;
mod migrate;
mod nodes;
mod pause;
mod prune;
mod schedules;
mod schema;
mod stats;
mod tags;
#[cfg(feature = "top")]
mod top;
mod web;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{args::Cli, failure::Failure, session::Session};

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The tables: which version they have, and bringing them up to date
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Jobs: listing, showing, explaining and changing them
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Enqueues a job, or many from lines of JSON
    Enqueue(enqueue::Enqueue),
    /// Jobs that have failed for good, by how they failed
    #[command(subcommand)]
    Dead(dead::Dead),
    /// Executors: how they stand, pausing them, and their limits
    #[command(subcommand)]
    Executors(executors::Executors),
    /// The whole cluster: pausing it
    #[command(subcommand)]
    Cluster(cluster::Cluster),
    /// Schedules: their next ticks, pausing, triggering, adding and removing them
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    /// Nodes: who runs jobs, and pausing them
    #[command(subcommand)]
    Nodes(nodes::Nodes),
    /// Workflows and batches: how they stand, cancelling them, retrying what failed
    #[command(subcommand)]
    Flows(flows::Flow),
    /// Who has changed what by hand, the newest first
    Audit(audit::Audit),
    /// Tags: pausing the jobs that have one
    #[command(subcommand)]
    Tags(tags::Tags),
    /// How many jobs there are, and how those of the last hour went
    Stats,
    /// Shows what goes on, live: executors, jobs and nodes
    #[cfg(feature = "top")]
    Top(top::Top),
    /// Whether all is well; exits with 1 and the reasons if it is not
    Health(health::Health),
    /// Whether the tables are as this version made them; prints what repairs them, and exits with 1 if they are not
    Doctor(doctor::Doctor),
    /// Deletes finished jobs
    Prune(prune::Prune),
    /// Copies all jobs, and all else that a database has, to another one; nodes must be stopped
    Copy(copy::Copy),
    /// Moves the jobs of rexecutor 0.1, in the same PostgreSQL database, into the tables of this version
    #[command(name = "import-0-1")]
    Import01(import::Import),
    /// Snapshots of the types of jobs: finds changes that break stored jobs
    #[command(subcommand)]
    Schema(schema::Schema),
    /// Serves the dashboard on this machine
    Web(web::Web),
    /// Measures how fast this database is, and leaves nothing behind
    Bench(bench::Bench),
    /// The databases that the configuration has names for
    Contexts,
    /// Writes the completions of a shell
    Completions(completions::Completions),
}

/// Does it; gives the code to exit with.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli { global, command } = cli;
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Contexts => return contexts::list(&global).map(done),
        Command::Completions(which) => return completions::write(&which).map(done),
        Command::Schema(what) => return schema::run(&global, &what),
        Command::Migrate(what) => return migrate::run(&global, what).await,
        Command::Bench(bench) => return bench::run(&global, &bench).await.map(done),
        Command::Copy(copy) => return copy::run(&global, copy).await.map(done),
        Command::Import01(import) => return import::run(&global, import).await,
        Command::Health(health) => return health::run(&global, &health).await,
        Command::Doctor(doctor) => return doctor::run(&global, &doctor).await,
        _ => {}
    }
    let session = Session::open(&global).await?;
    let answer = match command {
        Command::Jobs(what) => jobs::run(&session, what).await,
        Command::Enqueue(what) => enqueue::run(&session, what).await.map(done),
        Command::Dead(what) => dead::run(&session, what).await,
        Command::Executors(what) => executors::run(&session, what).await.map(done),
        Command::Cluster(what) => cluster::run(&session, what).await.map(done),
        Command::Schedules(what) => schedules::run(&session, what).await.map(done),
        Command::Nodes(what) => nodes::run(&session, what).await.map(done),
        Command::Flows(what) => flows::run(&session, what).await.map(done),
        Command::Audit(what) => audit::run(&session, what).await.map(done),
        Command::Tags(what) => tags::run(&session, what).await.map(done),
        Command::Stats => stats::run(&session).await.map(done),
        #[cfg(feature = "top")]
        Command::Top(what) => top::run(&session, &what).await.map(done),
        Command::Prune(what) => prune::run(&session, what).await.map(done),
        Command::Web(what) => web::run(&session, &what).await.map(done),
        Command::Contexts
        | Command::Completions(_)
        | Command::Schema(_)
        | Command::Migrate(_)
        | Command::Bench(_)
        | Command::Copy(_)
        | Command::Import01(_)
        | Command::Health(_)
        | Command::Doctor(_) => Ok(ExitCode::SUCCESS),
    };
    let answer = answer.map_err(|failure| failure.without(&session.guard.target.secrets()));
    session.changes.finish(session.read(), answer.as_ref().err()).await;
    answer
}
