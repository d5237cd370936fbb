//! A command of the application's own that knows the types of its jobs.

use std::process::ExitCode;

use rexecutor::schema::{Snapshot, StoredCheck};

use crate::AnyOptions;

const USAGE: &str = "\
Checks whether stored jobs decode with the types of this program.

Without options it prints the snapshot of all jobs, for a file.

  --check FILE      compares the program with the snapshot in a file; 1 if a change breaks stored jobs
  --database URL    decodes the jobs in a database; 1 if one does not decode
  --schema NAME     the schema of the tables on PostgreSQL; the default is `rexecutor`
  --finished        decodes finished jobs, too
  --help            prints this";

/// The `main` of a command that checks stored jobs against the types of your program. Needs the feature `schema`.
///
/// The command `rexecutor` does not know your types; a binary of your own does.
///
/// | arguments | what it does |
/// | --- | --- |
/// | none | prints the [`Snapshot`] of all jobs that are linked into the program |
/// | `--check FILE` | compares them with a snapshot, and ends with 1 if a change breaks stored jobs |
/// | `--database URL` | decodes the jobs that are stored, and ends with 1 if one does not decode |
/// | `--database URL --finished` | … finished ones, too |
/// | `--schema NAME` | in which schema the tables are on PostgreSQL; the default is `rexecutor` |
///
/// A wrong argument, or a file or a database that cannot be read, ends it with 2. Nothing is created, migrated or changed. Other users of
/// the machine can read the arguments of a process: `--database env:DATABASE_URL` reads the address from an environment variable.
///
/// # Examples
///
/// `src/bin/jobs-schema.rs`:
///
/// ```no_run
/// // use my_app as _; // so that the linker keeps its jobs
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> std::process::ExitCode {
///     rexecutor_sqlx::schema_command(std::env::args().skip(1)).await
/// }
/// ```
pub async fn schema_command(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let SchemaAnswer { code, out, error } = schema_answer(arguments).await;
    if !out.is_empty() {
        // That nobody reads it any more, as behind `| head`, is no error.
        let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{out}\n"));
    }
    if !error.is_empty() {
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("error: {error}\n"));
    }
    ExitCode::from(code)
}

/// What the command answers. Not public API.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaAnswer {
    pub code: u8,
    pub out: String,
    pub error: String,
}

/// What the command does, without printing it. Not public API.
#[doc(hidden)]
pub async fn schema_answer(arguments: impl IntoIterator<Item = String>) -> SchemaAnswer {
    let answer = match Options::of(arguments.into_iter()) {
        Ok(options) => options.run().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok((is_ok, out)) => SchemaAnswer { code: u8::from(!is_ok), out, error: String::new() },
        Err(error) => SchemaAnswer { code: 2, out: String::new(), error },
    }
}

/// The arguments.
#[derive(Debug, Default)]
struct Options {
    is_help: bool,
    check: Option<String>,
    database: Option<String>,
    schema: Option<String>,
    has_finished: bool,
}

impl Options {
    fn of(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let (name, given) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value =
                |what: &str| given.clone().or_else(|| arguments.next()).ok_or_else(|| format!("`{name}` needs {what}"));
            match name {
                "--help" | "-h" => options.is_help = true,
                "--finished" => options.has_finished = true,
                "--check" => options.check = Some(value("a file")?),
                "--database" => options.database = Some(value("an address, as `sqlite:jobs.db`")?),
                "--schema" => options.schema = Some(value("a name")?),
                _ => return Err(format!("`{argument}` is unknown\n\n{USAGE}")),
            }
        }
        match (&options.check, &options.database) {
            (Some(_), Some(_)) => Err("`--check` and `--database` are two checks: run the command twice".to_owned()),
            (_, None) if options.has_finished || options.schema.is_some() => {
                Err("`--finished` and `--schema` go with `--database`".to_owned())
            }
            _ => Ok(options),
        }
    }

    /// Whether all is well, and what is to be printed.
    async fn run(self) -> Result<(bool, String), String> {
        if self.is_help {
            return Ok((true, USAGE.to_owned()));
        }
        match (self.check, self.database) {
            (Some(file), _) => check(&file),
            (None, Some(database)) => decode(&database, self.schema, self.has_finished).await,
            (None, None) => Ok((true, linked()?.to_string())),
        }
    }
}

fn linked() -> Result<Snapshot, String> {
    let snapshot = Snapshot::from_registry();
    let is_empty = snapshot.jobs().next().is_none();
    let hint = "no job is linked into this program; name the library that has them: `use my_app as _;`";
    if is_empty { Err(hint.to_owned()) } else { Ok(snapshot) }
}

fn check(file: &str) -> Result<(bool, String), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    let old = Snapshot::parse(&text).map_err(|error| format!("{file}: {error:?}"))?;
    let changes = linked()?.breaking_changes(&old);
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    match changes.is_empty() {
        true => Ok((true, "ok: no change breaks stored jobs".to_owned())),
        false => Ok((false, lines.join("\n"))),
    }
}

async fn decode(database: &str, schema: Option<String>, has_finished: bool) -> Result<(bool, String), String> {
    linked()?;
    let url = match database.strip_prefix("env:") {
        Some(name) => std::env::var(name).map_err(|_| format!("the environment variable `{name}` is not set"))?,
        None => database.to_owned(),
    };
    let options = AnyOptions::new().create(false).migrate(false);
    let options = schema.into_iter().fold(options, AnyOptions::schema);
    let backend = options.connect(url).await.map_err(|error| format!("{error:?}"))?;
    let check = StoredCheck::from_registry();
    let check = if has_finished { check.with_finished() } else { check };
    let report = check.run(&backend).await;
    backend.close().await;
    let report = report.map_err(|error| format!("{error:?}"))?;
    Ok((report.is_ok(), report.to_string()))
}
