//! What all commands have in common: the database that is meant, exit codes, secrets, hostile texts.

use std::fs;

use crate::support::{Place, command, fields, ran};

#[test]
fn the_exit_code_says_what_went_wrong() {
    for [arguments, code, said] in [
        ["jobs list", "2", "no database is named"],
        ["", "2", "Usage"],
        ["jobs", "2", "Usage"],
        ["jobs lost", "2", "unrecognized subcommand"],
        ["jobs list --database x --context y", "2", "cannot be used with"],
        ["jobs list --database mysql://db/shop", "2", "is no database"],
        ["jobs list --database postgres://db/shop?sslmode=maybe", "2", "is not valid"],
        ["jobs list --database sqlite:no-such-file.db", "4", "there is no file"],
        ["jobs list --database postgres://127.0.0.1:1/shop", "4", "no PostgreSQL server answers"],
        ["jobs list --context prod", "2", "there is no context `prod`"],
        ["--help", "0", ""],
        ["--version", "0", ""],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let ran = ran(command().current_dir(&folder).args(arguments.split_whitespace())).ends(code.parse().unwrap());
        assert!(ran.err.contains(said), "{arguments}: {}", ran.err);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing is created");
    }
    for place in Place::bare() {
        let ran = place.run(["stats"]).ends(4);
        // An SQLite file is told to be missing, and not to be old.
        assert!(ran.err.contains("rexecutor migrate up") || ran.err.contains("there is no file"), "{}", ran.err);
        place.run(["migrate", "up"]).ends(0);
        for arguments in
            [["jobs", "show", "7"], ["jobs", "explain", "7"], ["jobs", "cancel", "7"], ["schedules", "resume", "x"]]
        {
            let ran = place.run(arguments).ends(3);
            assert!(ran.err.contains("there is no") || ran.out.contains("there is no job 7"), "{}{}", ran.out, ran.err);
        }
        let error = crate::support::ran(place.command().args(["--json", "jobs", "show", "7"])).ends(3);
        let error: serde_json::Value = serde_json::from_str(&error.err).unwrap();
        assert_eq!((fields(&error), &error["code"]), (vec!["code", "error"], &3.into()));
        let error = crate::support::ran(place.command().args(["jobs", "edit", "1", "--json"])).ends(2);
        let error: serde_json::Value = serde_json::from_str(&error.err).unwrap();
        assert!(error["error"].as_str().unwrap().contains("<--data <JSON>|--metadata"), "{error}");
    }
}

#[test]
fn the_database_is_the_one_that_is_named_most_closely() {
    let (here, there) = (Place::sqlite(), Place::sqlite());
    there.run(["enqueue", "mail"]).ends(0);
    let config = here.folder.path().join("config.toml");
    let text = format!(
        "default = \"there\"\n[contexts.there]\ndatabase = \"{}\"\n[contexts.here]\ndatabase_env = \"HERE\"\n[contexts.unset]\ndatabase_env = \"UNSET\"\n",
        there.url
    );
    fs::write(&config, text).unwrap();
    // Whether it is the database with the job.
    let is_there = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = command();
        command.env("HERE", &here.url).env("REXECUTOR_CONFIG", &config).envs(environment.iter().copied());
        ran(command.args(["--json", "jobs", "list"]).args(arguments)).ends(0).json()["jobs"].as_array().unwrap().len()
            == 1
    };
    assert!(is_there(&[], &[]), "the default");
    assert!(!is_there(&[], &[("DATABASE_URL", &here.url)]));
    assert!(is_there(&["--context", "there"], &[("DATABASE_URL", &here.url)]));
    assert!(!is_there(&[], &[("DATABASE_URL", &there.url), ("REXECUTOR_CONTEXT", "here")]));
    assert!(is_there(&["--database", &there.url], &[("DATABASE_URL", &here.url), ("REXECUTOR_CONTEXT", "here")]));
    let mut unset = command();
    let unset = ran(unset.env("REXECUTOR_CONFIG", &config).args(["stats", "--context", "unset"])).ends(2);
    assert!(unset.err.contains("`UNSET`, which is not set"), "{}", unset.err);
    // Where systems keep such files.
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".config/rexecutor")).unwrap();
    fs::copy(&config, home.path().join(".config/rexecutor/config.toml")).unwrap();
    let listed =
        ran(command().env("HOME", home.path()).env("HERE", &here.url).args(["--json", "contexts"])).ends(0).json();
    let contexts = listed["contexts"].as_array().unwrap();
    assert_eq!(
        contexts.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["here", "there", "unset"]
    );
    assert_eq!(fields(&contexts[0]), ["database", "default", "name", "production", "schema"]);
    assert_eq!((&contexts[1]["default"], &contexts[2]["database"]), (&true.into(), &serde_json::Value::Null));
}

#[test]
fn a_password_is_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    fs::write(&config, "[contexts.a]\ndatabase = \"postgres://me:s3cret@127.0.0.1:1/shop?sslpassword=s3cret\"\n")
        .unwrap();
    let broken = folder.path().join("broken.toml");
    fs::write(&broken, "[contexts.a]\ndatabase = \"postgres://me:s3cret@db/shop\nproduction = 1\n").unwrap();
    let (config, broken) = (config.to_str().unwrap(), broken.to_str().unwrap());
    for (arguments, code) in [
        (vec!["--config", config, "contexts"], 0),
        (vec!["--config", config, "--json", "contexts"], 0),
        (vec!["--config", config, "--context", "a", "stats"], 4),
        (vec!["--config", config, "--context", "a", "health"], 1),
        (vec!["--config", config, "--context", "a", "migrate", "status"], 4),
        (vec!["--config", config, "--context", "a", "bench"], 4),
        (vec!["--config", broken, "contexts"], 2),
        (vec!["--help"], 0),
        (vec!["jobs", "list", "--help"], 0),
        (vec!["stats"], 4),
        (vec!["--json", "stats"], 4),
        (vec!["--database", "postgres://me:s3cret", "stats"], 2),
        (vec!["--database", "postgres://me:s3cret@db:port/shop", "stats"], 2),
        (vec!["--database", "mysql://me:s3cret@db/shop", "stats"], 2),
        (vec!["--database", "s3cret", "stats"], 2),
    ] {
        let url = "postgres://me:s3cret@127.0.0.1:1/shop?password=s3cret";
        let ran = ran(command().env("DATABASE_URL", url).args(&arguments));
        assert!(!format!("{}{}", ran.out, ran.err).contains("s3cret"), "{arguments:?}: {}{}", ran.out, ran.err);
        assert!(ran.code == code || (ran.code == 4 && code == 2), "{arguments:?}: {} {}", ran.code, ran.err);
    }
}

#[test]
fn hostile_texts_neither_steer_a_terminal_nor_break_anything() {
    for place in Place::each() {
        let name = "a\u{1b}[2J\n\u{202e}b'; DROP TABLE jobs; --";
        place.run(["enqueue", name, "\"\u{9b}31m \\u001b[31m <script>\""]).ends(0);
        for arguments in [
            vec!["jobs", "list"],
            vec!["jobs", "show", "1"],
            vec!["stats"],
            vec!["executors", "list"],
            vec!["jobs", "explain", "1"],
        ] {
            for is_json in [false, true] {
                let mut command = place.command();
                let shown = ran(command.args(&arguments).args(is_json.then_some("--json"))).ends(0).out;
                let is_bad = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
                assert!(!shown.contains(is_bad), "{arguments:?}: {shown:?}");
            }
        }
        let listed = place.json(["jobs", "list", &format!("executor:\"{name}\"")]);
        assert_eq!(listed["jobs"][0]["executor"], name);
        place.run(["executors", "pause", name, "--reason", name]).ends(0);
        place.run(["executors", "resume", name]).ends(0);
        let long = "x".repeat(100_000);
        for (arguments, code) in [
            (vec!["jobs", "show", "9223372036854775808"], 2),
            (vec!["jobs", "show", "-1"], 2),
            (vec!["jobs", "show", "--", "-1"], 3),
            (vec!["jobs", "show", "9223372036854775807"], 3),
            (vec!["jobs", "list", "--limit", "0"], 2),
            (vec!["jobs", "list", "--limit", "18446744073709551616"], 2),
            (vec!["jobs", "list", "--after", "1"], 2),
            (vec!["jobs", "list", "--status", "lost"], 2),
            (vec!["jobs", "list", "id:x"], 2),
            (vec!["jobs", "list", "since:forever"], 2),
            (vec!["jobs", "list", "tag:"], 2),
            (vec!["jobs", "list", "stauts:complete"], 2),
            (vec!["jobs", "edit", "1"], 2),
            (vec!["jobs", "list", "\"", ":", "a:", "%_\\"], 0),
            (vec!["jobs", "cancel"], 2),
            (vec!["jobs", "cancel", "1", "--where", "x"], 2),
            (vec!["enqueue", ""], 2),
            (vec!["enqueue", &long], 2),
            (vec!["enqueue", "limit:x"], 2),
            (vec!["enqueue", "mail", "{no json"], 2),
            (vec!["enqueue", "mail", "\"\\u0000\""], 2),
            (vec!["enqueue", "mail", "--priority", "1000"], 2),
            (vec!["enqueue", "mail", "--max-attempts", "0"], 2),
            (vec!["enqueue", "mail", "--in", "99999999d"], 2),
            (vec!["enqueue", "mail", "--at", "0000-01-01"], 2),
            (vec!["enqueue", "mail", "--group-key", &long], 2),
            (vec!["executors", "pause", ""], 2),
            (vec!["executors", "set-limits", "mail", "--rate", "0/1s"], 2),
            (vec!["executors", "set-limits", "mail", "--cluster-concurrency", "0"], 2),
            (vec!["executors", "set-limits", "mail"], 2),
            (vec!["schedules", "add", "x", "--executor", "mail", "--cron", "never"], 2),
            (vec!["schedules", "add", "x", "--executor", "mail", "--every", "5m", "--timezone", "Moon/Crater"], 2),
            (vec!["schedules", "add", "", "--executor", "mail", "--every", "5m"], 2),
            (vec!["schedules", "add", "x", "--executor", "", "--every", "5m"], 2),
            (vec!["prune", "--status", "executing", "--keep", "1"], 2),
            (vec!["web", "--listen", "0.0.0.0:0"], 2),
        ] {
            let ran = place.run(&arguments);
            let shown: Vec<_> =
                arguments.iter().map(|argument| argument.chars().take(40).collect::<String>()).collect();
            assert_eq!(ran.code, code, "{shown:?}: {}{}", ran.out, ran.err);
            assert!(!ran.err.contains("panicked"), "{}", ran.err);
        }
    }
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_no_text_and_a_reader_that_goes_away_are_no_panic() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Stdio};

    let place = Place::sqlite();
    let ran = place.run([OsStr::new("enqueue"), OsStr::from_bytes(b"\xff\xfe")]).ends(2);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    place.run(["enqueue", "mail"]).ends(0);
    let mut child =
        place.command().args(["jobs", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn there_are_completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = ran(command().args(["completions", shell])).ends(0).out;
        assert!(script.contains("rexecutor") && script.contains("schedules"), "{shell}");
    }
    ran(command().args(["completions", "cmd"])).ends(2);
}
