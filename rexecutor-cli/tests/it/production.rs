//! Databases of production are not changed by mistake.

use std::{fs, process::Command};

use rexecutor::backend::{Backend, NewJob, flows::StoredFlow};

use crate::support::{Place, command, ran};

/// Every command that changes something.
const CHANGES: &[&[&str]] = &[
    &["flows", "cancel", "1"],
    &["flows", "retry", "1"],
    &["migrate", "up"],
    &["jobs", "retry", "1"],
    &["jobs", "retry", "1", "--again"],
    &["jobs", "cancel", "2"],
    &["jobs", "delete", "1"],
    &["jobs", "run-now", "2"],
    &["jobs", "release", "2"],
    &["jobs", "edit", "2", "--priority", "5"],
    &["jobs", "enqueue", "mail"],
    &["jobs", "cancel", "--where", "mail"],
    &["enqueue", "mail"],
    &["dead", "retry", "--all"],
    &["dead", "purge", "--all"],
    &["dead", "purge", "--type", "oops"],
    &["executors", "pause", "mail"],
    &["executors", "resume", "mail"],
    &["executors", "set-limits", "mail", "--cluster-concurrency", "2"],
    &["executors", "reset-limits", "mail"],
    &["cluster", "pause"],
    &["cluster", "resume"],
    &["nodes", "pause", "worker"],
    &["nodes", "resume", "worker"],
    &["tags", "pause", "vip"],
    &["tags", "resume", "vip"],
    &["schedules", "add", "y", "--executor", "mail", "--every", "1h"],
    &["schedules", "pause", "x"],
    &["schedules", "resume", "x"],
    &["schedules", "trigger", "x"],
    &["schedules", "remove", "x"],
    &["prune", "--status", "discarded", "--keep", "0"],
    &["bench", "--time", "1s"],
    // Into another database; the other way round is tested in `copy`.
    &["copy", "--to", "sqlite:new.db", "--live"],
    // On PostgreSQL alone; what it does is tested in `import`.
    &["import-0-1"],
];

/// … and every one that does not.
const READS: &[&[&str]] = &[
    &["migrate", "status"],
    &["migrate", "sql"],
    &["migrate", "wait"],
    &["jobs", "list"],
    &["jobs", "show", "1"],
    &["jobs", "explain", "1"],
    &["jobs", "retry", "1", "--dry-run"],
    &["dead", "list"],
    &["dead", "purge", "--all", "--dry-run"],
    &["executors", "list"],
    &["executors", "limits"],
    &["nodes", "list"],
    &["schedules", "list"],
    &["flows", "list"],
    &["flows", "show", "1"],
    &["tags", "list"],
    &["audit"],
    &["stats"],
    &["prune", "--status", "discarded", "--keep", "0", "--dry-run"],
    &["doctor"],
    &["copy", "--to", "sqlite:new.db", "--live", "--dry-run"],
    &["contexts"],
    &["completions", "bash"],
];

/// All commands and subcommands, as their help lists them.
fn listed(before: &[&str]) -> Vec<String> {
    let help = ran(command().args(before).arg("--help")).ends(0).out;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_either_asks_or_changes_nothing() {
    let place = Place::sqlite();
    place.dead("mail", &["no"]);
    place.run(["enqueue", "mail", "--in", "1h"]).ends(0);
    place.run(["schedules", "add", "x", "--executor", "mail", "--every", "1h"]).ends(0);
    let flow = place.with(async |backend| {
        backend.flows().unwrap().create(StoredFlow::batch("all"), vec![NewJob::new("mail", "1")]).await.unwrap().id
    });
    assert_eq!(flow.0, 1);
    let config = place.folder.path().join("config.toml");
    fs::write(&config, format!("[contexts.prod]\ndatabase = \"{}\"\nproduction = true\n", place.url)).unwrap();
    let on_production = |arguments: &[&str]| -> Command {
        let mut command = command();
        command.arg("--config").arg(&config).args(["--context", "prod"]).args(arguments);
        command
    };
    let content = || {
        let looks = [&["jobs", "list"][..], &["executors", "limits"], &["schedules", "list"], &["executors", "list"]];
        let mut seen: Vec<_> = looks.iter().map(|look| place.json(*look)).collect();
        // Times go on.
        seen.iter_mut().for_each(|one| drop(one.as_object_mut().unwrap().remove("now")));
        seen.iter().map(|one| one.to_string().split("oldest_wait").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = content();
    for arguments in CHANGES {
        let refused = ran(&mut on_production(arguments)).ends(5);
        assert!(
            refused.err.contains("prod (sqlite:") && refused.err.contains("give `--yes`"),
            "{arguments:?}: {}",
            refused.err
        );
    }
    assert_eq!(content(), before);
    for arguments in READS {
        ran(&mut on_production(arguments)).ends(0);
    }
    assert_eq!(content(), before);
    // However it is named.
    let by_url =
        ran(command().arg("--config").arg(&config).args(["--database", &place.url, "enqueue", "mail"])).ends(5);
    assert!(by_url.err.contains("is a production database"), "{}", by_url.err);
    for path in ["jobs.db", "./jobs.db", "//jobs.db?mode=rwc", "other.db"] {
        let mut other = command();
        let link = place.folder.path().join("other.db");
        let _ = std::os::unix::fs::symlink(place.folder.path().join("jobs.db"), link);
        other.current_dir(&place.folder).arg("--config").arg(&config).args(["--database", &format!("sqlite:{path}")]);
        ran(other.args(["enqueue", "mail"])).ends(5);
    }
    ran(&mut on_production(&["--yes", "enqueue", "mail"])).ends(0);
    ran(&mut on_production(&["dead", "retry", "--all", "--yes"])).ends(0);
    assert_ne!(content(), before);
    // None was forgotten here.
    let has = |words: &[&str]| CHANGES.iter().chain(READS).any(|known| known.starts_with(words));
    for command in listed(&[]) {
        // The first two serve and draw until they are ended, and change nothing of themselves; `schema` opens no database.
        if ["web", "top", "health", "schema"].contains(&command.as_str()) {
            continue;
        }
        let subcommands = listed(&[&command]);
        assert!(has(&[&command]), "{command}");
        for subcommand in subcommands {
            assert!(has(&[&command, &subcommand]), "{command} {subcommand}");
        }
    }
}
