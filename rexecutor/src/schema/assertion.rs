//! The snapshot as a test.

use std::{
    fmt::Write as _,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{change::BreakingChange, snapshot::Snapshot};

/// The variable of the environment that lets the test write the file.
const VARIABLE: &str = "UPDATE_SCHEMA";

/// Compares the types of all jobs with a snapshot file, and panics if a change could break stored jobs.
///
/// `assert_schema!("jobs.schema.json")` checks every `#[job]` that is linked into the test; a second argument is the
/// [`Snapshot`](crate::schema::Snapshot) to check instead. The path is relative to the folder of the package's `Cargo.toml`. Commit the file to
/// version control.
///
/// | `UPDATE_SCHEMA` | the test |
/// | --- | --- |
/// | not set | writes nothing; fails if the file is missing or outdated, or if a change breaks stored jobs |
/// | `1` | writes the file; fails, and does not write, if a change breaks stored jobs |
/// | `breaking` | writes the file, also if a change breaks stored jobs |
///
/// # Panics
///
/// When it fails, with a line for each field that says what to write.
///
/// # Examples
///
/// ```no_run
/// // With `#[test]`; in the folder `tests`, below `use my_app as _;`, so that the linker keeps the jobs of the library.
/// fn stored_jobs_still_decode() {
///     rexecutor::assert_schema!("jobs.schema.json");
/// }
/// ```
#[macro_export]
macro_rules! assert_schema {
    () => {
        ::core::compile_error!("name the file of the snapshot: `assert_schema!(\"jobs.schema.json\")`")
    };
    ($path:expr $(,)?) => {
        $crate::assert_schema!($path, $crate::schema::Snapshot::from_registry())
    };
    ($path:expr, $snapshot:expr $(,)?) => {
        $crate::schema::assert_file(::core::env!("CARGO_MANIFEST_DIR"), $path, &$snapshot)
    };
}

/// What [`assert_schema!`](crate::assert_schema) does. Not public API.
#[doc(hidden)]
#[track_caller]
pub fn assert_file(folder: &str, path: impl AsRef<Path>, snapshot: &Snapshot) {
    let update = std::env::var(VARIABLE).unwrap_or_default();
    if let Err(message) = check_file(&Path::new(folder).join(path), snapshot, &update) {
        panic!("{message}");
    }
}

/// Compares and writes the file as `update` allows; `Err` is what the test fails with.
#[doc(hidden)]
pub fn check_file(path: &Path, snapshot: &Snapshot, update: &str) -> Result<(), String> {
    let file = path.display();
    let (may_write, may_break) = match update {
        "" | "0" => (false, false),
        "1" => (true, false),
        "breaking" => (true, true),
        other => return Err(format!("{VARIABLE} is `{other}`; write `{VARIABLE}=1`, or `{VARIABLE}=breaking`")),
    };
    if snapshot.jobs().next().is_none() {
        return Err(format!(
            "no job is linked into this test, so {file} cannot be compared; name the library that has them: `use my_app as _;`"
        ));
    }
    let old = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && may_write => return write(path, snapshot),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(format!("{file} does not exist; write it with `{VARIABLE}=1 cargo test`, and commit it"));
        }
        Err(error) => return Err(format!("cannot read {file}: {error}")),
    };
    if old.trim_end() == snapshot.to_string() {
        return Ok(());
    }
    if !may_break {
        let parsed = Snapshot::parse(&old).map_err(|error| format!("{file}: {error:?}"))?;
        let changes = snapshot.breaking_changes(&parsed);
        if !changes.is_empty() {
            return Err(broken(&changes, path));
        }
    }
    match may_write {
        true => write(path, snapshot),
        false => Err(format!(
            "{file} is not up to date; no change breaks stored jobs: write it with `{VARIABLE}=1 cargo test`, and commit it"
        )),
    }
}

fn broken(changes: &[BreakingChange], path: &Path) -> String {
    let mut message = match changes {
        [_] => "stored jobs would not decode, because of one change:\n".to_owned(),
        changes => format!("stored jobs would not decode, because of {} changes:\n", changes.len()),
    };
    for change in changes {
        let _ = writeln!(message, "- {change}");
    }
    let _ = write!(
        message,
        "If no such job is stored any more, accept this with `{VARIABLE}=breaking cargo test`, which writes {}",
        path.display()
    );
    message
}

fn write(path: &Path, snapshot: &Snapshot) -> Result<(), String> {
    let text = format!("{snapshot}\n");
    // Two tests may write it at the same time: nobody reads half of it.
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}
