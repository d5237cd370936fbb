//! The page of the guide: each command on it is run, in its order, and prints what the page shows.

use std::{env, fs, path::Path, process::Command};

use rexecutor::backend::{Backend, NewJob, Task, flows::StoredFlow};

use crate::support::{Place, command, ran};

/// What stands in a block of `console`: commands behind `$ `, each with what it prints.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut is_open = false;
    for line in page.lines() {
        match (is_open, line) {
            (false, "```console") => is_open = true,
            (true, "```") => is_open = false,
            (true, line) => match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => found.push((command.to_owned(), String::new())),
                (None, Some((_, output))) => {
                    output.push_str(line);
                    output.push('\n');
                }
                (None, None) => panic!("a block begins without a command: {line}"),
            },
            _ => {}
        }
    }
    found
}

/// Words of a shell: quotes keep spaces together.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in command.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Numbers are those of this machine and this moment, and a table is as wide as they are.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    for letter in text.trim_end().chars() {
        match letter {
            '0'..='9' if masked.ends_with('#') => {}
            '.' if masked.ends_with('#') => {}
            '0'..='9' => masked.push('#'),
            ' ' if masked.ends_with(' ') => {}
            letter => masked.push(letter),
        }
    }
    // A moment later it is another unit.
    let masked = masked.replace("just now", "# s ago");
    let units = ["# ms", "# min", "# s", "# h", "# d"].into_iter();
    units.fold(masked, |text, unit| {
        text.replace(&format!("{unit} "), "# t ")
            .replace(&format!("{unit}\n"), "# t\n")
            .replace(&format!("{unit})"), "# t)")
    })
}

/// Runs each command of a page, as `prepare` sets it up, and compares what it prints; `REXECUTOR_WRITE_DOCS` writes that instead.
pub(crate) fn check_page(name: &str, least: usize, prepare: impl Fn(&mut Command)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    let page = fs::read_to_string(&path).unwrap();
    let (found, writes) = (blocks(&page), env::var_os("REXECUTOR_WRITE_DOCS").is_some());
    assert!(found.len() >= least, "{}", found.len());
    let (mut written, mut rest) = (String::new(), page.as_str());
    for (shown, expected) in found {
        let (plain, tells_code) =
            shown.strip_suffix("; echo $?").map_or((shown.as_str(), false), |plain| (plain, true));
        let words = words(plain);
        assert_eq!(words[0], "rexecutor", "{shown}");
        let mut command = command();
        prepare(&mut command);
        let ran = ran(command.args(&words[1..]));
        let code = if tells_code { format!("{}\n", ran.code) } else { String::new() };
        let printed = format!("{}{}{code}", ran.out, ran.err);
        assert!(ran.code == 0 || tells_code, "{shown}: {}\n{printed}", ran.code);
        let place = format!("$ {shown}\n");
        let (before, after) = rest.split_once(&place).unwrap();
        written.extend([before, &place, &printed]);
        rest = &after[expected.len()..];
        if !writes {
            assert_eq!(masked(&printed), masked(&expected), "{shown} printed, and promised:\n{printed}");
        }
    }
    if writes {
        fs::write(path, written + rest).unwrap();
    }
}

#[test]
fn every_command_of_the_guide_prints_what_stands_below_it() {
    let place = Place::sqlite();
    // What the page says that there is.
    place.dead("print", &["tray 1 is empty", "tray 2 is empty"]);
    fs::write(
        place.folder.path().join("config.toml"),
        "default = \"dev\"\n\n[contexts.dev]\ndatabase = \"sqlite:jobs.db\"\n\n[contexts.prod]\n\
         database = \"postgres://shop:secret@db.example.com/shop\"\nproduction = true\n",
    )
    .unwrap();
    let orders = Place::sqlite();
    orders.with(async |backend| {
        let task = |name: &str, after: &[&str]| {
            NewJob::new(name.to_owned(), "7").with_task(Task::new(name).with_after(after.iter().copied(), true))
        };
        let jobs = vec![task("charge", &[]), task("pack", &["charge"]), task("ship", &["charge", "pack"])];
        backend.flows().unwrap().create(StoredFlow::workflow("order 7"), jobs).await.unwrap();
    });
    fs::copy(orders.folder.path().join("jobs.db"), place.folder.path().join("orders.db")).unwrap();
    for (name, field) in [("jobs.schema.json", "path"), ("new.schema.json", "file")] {
        fs::write(place.folder.path().join(name), snapshot(field)).unwrap();
    }
    check_page("cli.md", 44, |command| {
        command.current_dir(&place.folder).env("REXECUTOR_CONFIG", "config.toml");
    });
}

/// Of a job whose data have one field.
fn snapshot(field: &str) -> String {
    format!(
        r#"{{"version":1,"jobs":{{"resize":{{"data":{{"type":"object","properties":{{"{field}":{{"type":"string"}}}},"required":["{field}"]}}}}}}}}"#
    )
}

/// Every command is on it.
#[test]
fn the_guide_has_every_command_and_every_exit_code() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md")).unwrap();
    let help = ran(command().arg("--help")).ends(0).out;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for name in lines.filter_map(|line| line.split_whitespace().next()) {
        assert!(page.contains(&format!("`{name}`")) || page.contains(&format!("rexecutor {name}")), "{name}");
    }
    for code in 0..=5 {
        assert!(page.contains(&format!("| {code} |")), "{code}");
    }
}
