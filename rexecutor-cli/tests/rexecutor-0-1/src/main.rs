//! A program that was written for rexecutor 0.1.1. Its first argument is the address of the database, its second one what it does:
//!
//! - `fill` makes the tables, and jobs in every status;
//! - `enqueue FIRST COUNT` makes the tables, and so many jobs with numbers as data;
//! - `run` runs those, prints the number of each, and ends when its standard input does. A line `FIRST COUNT` enqueues more.

mod fill;
mod numbered;

use rexecutor_sqlx::RexecutorPgBackend;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [url, what @ ..] = &words[..] else { panic!("rexecutor-0-1 URL fill|enqueue|run") };
    let backend = RexecutorPgBackend::from_db_url(url).await.unwrap();
    match what {
        ["fill"] => fill::fill(&backend).await,
        ["enqueue", first, count] => {
            backend.run_migrations().await.unwrap();
            numbered::enqueue(&backend, first.parse().unwrap(), count.parse().unwrap()).await;
        }
        ["run"] => numbered::run(&backend).await,
        _ => panic!("{what:?}"),
    }
    // Jobs that run are left as they are: so a program dies.
    std::process::exit(0);
}
