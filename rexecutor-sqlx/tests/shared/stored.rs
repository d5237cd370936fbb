//! Decoding the jobs in a database with the types of this program.

use rexecutor::{
    backend::{Backend, NewJob},
    job,
    schema::{Snapshot, StoredCheck},
};
use rexecutor_sqlx::schema_answer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Picture {
    path: String,
    sizes: Vec<(u32, u32)>,
}

#[job(name = "stored_picture", executor = StorePicture, aliases = ["stored_image"])]
async fn picture(picture: Picture) {
    let _ = (picture.path, picture.sizes);
}

/// What the command prints, and with which code it ends.
pub(crate) async fn answer(arguments: &[&str]) -> (u8, String) {
    let answer = schema_answer(arguments.iter().map(|argument| (*argument).to_owned())).await;
    (answer.code, answer.out + &answer.error)
}

/// Three pages of jobs, of which some do not decode; the address is that of the database.
pub(crate) async fn stored_jobs_are_decoded<B: Backend>(backend: &B, url: &str, schema: &str) {
    let picture = |data: &str| NewJob::new("stored_picture", data.to_owned());
    let good = r#"{"path":"a.png","sizes":[[800,600]]}"#;
    let enqueue = async |jobs: Vec<NewJob>| drop(backend.enqueue(jobs).await.unwrap());
    let database = ["--database", url, "--schema", schema];
    enqueue(vec![picture(good); 450]).await;
    assert_eq!(answer(&database).await, (0, "ok: 450 jobs decoded".to_owned()));

    enqueue(vec![
        picture(r#"{"path":"a.png","sizes":[[800,600],[-1,600]]}"#),
        NewJob::new("stored_image", r#"{"file":"a.png","sizes":[]}"#).with_blocked(true),
        NewJob::new("stored_elsewhere", "1"),
    ])
    .await;
    let expected = "\
stored_image: 1 of 1 job does not decode
  job 452, data: missing field `path` at line 1 column 27; write `#[serde(default)]` on the field, or `#[serde(alias = \"..\")]` if it was \
                    renamed
stored_picture: 1 of 451 jobs does not decode
  job 451, data, at `sizes[1][0]`: invalid value: integer `-1`, expected u32 at line 1 column 38; keep the type of the field, or give the \
                    changed one a new name and `#[serde(default)]`
stored_elsewhere: 1 job stored, and no executor of this program has that name";
    assert_eq!(answer(&database).await, (1, expected.to_owned()));

    // Those that are finished are looked at where that is asked for.
    let (name, wrong) = (["stored_picture", "stored_image"], [451, 452]);
    for (name, id) in name.into_iter().zip(wrong) {
        backend.cancel(&name.into(), id.into(), "wrong".to_owned()).await.unwrap();
    }
    let (code, text) = answer(&database).await;
    assert!(code == 0 && text.ends_with("ok: 450 jobs decoded"), "{text}");
    let finished = [&database[..], &["--finished"]].concat();
    assert_eq!(answer(&finished).await, (1, expected.to_owned()));
    assert_eq!(StoredCheck::from_registry().with_finished().run(backend).await.unwrap().jobs(), 453);
}

/// What the command says of the program itself.
#[allow(dead_code, reason = "it needs no database, so it is tested once")]
pub(crate) async fn the_command_prints_and_compares_the_snapshot() {
    let snapshot = Snapshot::from_registry().to_string();
    assert_eq!(answer(&[]).await, (0, snapshot.clone()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.schema.json").display().to_string();
    std::fs::write(&file, &snapshot).unwrap();
    assert_eq!(answer(&["--check", &file]).await, (0, "ok: no change breaks stored jobs".to_owned()));
    std::fs::write(&file, snapshot.replace("\"path\"", "\"file\"")).unwrap();
    let (code, text) = answer(&["--check", &file]).await;
    assert!(code == 1 && text.contains("job `stored_picture`, data, field `path`: it is new"), "{text}");

    for (arguments, said) in [
        (&["--lost"][..], "`--lost` is unknown\n\nChecks whether"),
        (&["--check"], "`--check` needs a file"),
        (&["--check", "none.json"], "cannot read none.json"),
        (&["--check=a", "--database=b"], "`--check` and `--database` are two checks"),
        (&["--finished"], "`--finished` and `--schema` go with `--database`"),
        (&["--database", "sqlite:no-such-file.db"], "there is no file"),
        (&["--database", "env:NO_SUCH_VARIABLE"], "the environment variable `NO_SUCH_VARIABLE` is not set"),
    ] {
        let (code, text) = answer(arguments).await;
        assert!(code == 2 && text.contains(said), "{arguments:?}: {code} {text}");
    }
    let (code, text) = answer(&["--help"]).await;
    assert!(code == 0 && text.contains("--database URL"), "{text}");
}
