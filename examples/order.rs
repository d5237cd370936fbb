//! One order as durable steps: charge, sleep for three days, wait for an approval, ship; its process is killed again and again.
//!
//! Run it with `cargo run --example order`. It starts itself as a child on an SQLite file, kills the child at random moments, and starts
//! another one. Its clock takes a second for a day. It ends with what was recorded, and how often each effect came.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    pin::Pin,
    process::{Child, Command},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rexecutor::{
    clock::{Clock, SystemClock},
    prelude::*,
    steps::{Signalled, Waited},
};
use rexecutor_sqlx::{SqliteBackend, SqliteOptions};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where effects are noted: what a card service or a parcel service would see.
#[derive(Debug, Clone)]
struct World(PathBuf);

impl World {
    fn note(&self, effect: &str) -> std::io::Result<()> {
        let file = OpenOptions::new().create(true).append(true).open(&self.0);
        file?.write_all(format!("{effect}\n").as_bytes())
    }
}

#[job(max_attempts = 1000)]
async fn order(item: String, steps: Steps, State(world): State<World>) -> Result<(), StepError> {
    let charge = || async {
        world.note("charge")?;
        Ok::<_, std::io::Error>("receipt 1".to_owned())
    };
    let receipt = steps.run("charge", charge).await?;
    steps.sleep("cool_off", "3d").await?;
    match steps.wait_for::<String>("approval", "7d").await? {
        Waited::Signal(by) => {
            let ship = || async {
                world.note("ship")?;
                Ok::<_, std::io::Error>(format!("{item} with {receipt}, approved by {by}"))
            };
            steps.run("ship", ship).await.map(drop)
        }
        Waited::TimedOut => steps.run("refund", || async { world.note("refund") }).await,
    }
}

/// A clock on which a day passes in a second. How long something takes is real time.
#[derive(Debug, Clone)]
struct QuickClock {
    began: DateTime<Utc>,
}

impl Clock for QuickClock {
    fn now(&self) -> DateTime<Utc> {
        self.began + (SystemClock.now() - self.began) * 86_400
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        SystemClock.sleep(duration)
    }
}

async fn open(folder: &Path, clock: QuickClock) -> Result<SqliteBackend, BoxError> {
    Ok(SqliteOptions::new().clock(clock).open(folder.join("jobs.db")).await?)
}

/// Runs jobs until it is killed.
async fn work(folder: &Path, clock: QuickClock) -> Result<(), BoxError> {
    let node = Rexecutor::builder()
        .with_backend(open(folder, clock.clone()).await?)
        .with_clock(clock)
        .with_state(World(folder.join("effects")))
        .with_node_timeout(Duration::from_millis(400))
        .with_poll_interval(Duration::from_millis(50));
    node.with_executor::<Order>().start().await?.run_until_signal().await;
    Ok(())
}

fn start(folder: &Path, clock: &QuickClock) -> std::io::Result<Child> {
    let began = clock.began.timestamp_micros().to_string();
    Command::new(std::env::current_exe()?).arg(folder).arg(began).spawn()
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    if let [_, folder, began] = &*std::env::args().collect::<Vec<_>>() {
        let began = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::microseconds(began.parse()?);
        return work(Path::new(folder), QuickClock { began }).await;
    }
    let folder = std::env::temp_dir().join(format!("rexecutor-order-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let clock = QuickClock { began: SystemClock.now() };
    let backend = open(&folder, clock.clone()).await?;
    let id = Order::builder().with_data("a lamp".to_owned()).enqueue_to_backend(&backend).await?.id();

    let (mut kills, mut is_approved) = (0, false);
    let mut child = start(&folder, &clock)?;
    let mut next_kill = moment();
    loop {
        SystemClock.sleep(Duration::from_millis(20)).await;
        let steps = Order::steps_on_backend(id, &backend).await?;
        let status = Order::query_jobs_on_backend(Where::id_equals(id), &backend).await?[0].status;
        if status.is_finished() {
            break;
        }
        if !is_approved && steps.iter().any(|step| step.kind == "wait") {
            let answer = Order::signal_on_backend(id, "approval", "Ann", &backend).await?;
            is_approved = answer == Signalled::Stored;
        }
        next_kill = next_kill.saturating_sub(Duration::from_millis(20));
        if next_kill.is_zero() {
            child.kill()?; // SIGKILL: it has no chance to tidy up
            child.wait()?;
            kills += 1;
            next_kill = moment();
            child = start(&folder, &clock)?;
        }
    }
    child.kill()?;
    child.wait()?;

    for step in Order::steps_on_backend(id, &backend).await? {
        println!("{} {}: {}", step.kind, step.name, step.output.as_deref().unwrap_or("over"));
    }
    let effects = fs::read_to_string(folder.join("effects"))?;
    for effect in ["charge", "ship"] {
        let times = effects.lines().filter(|line| *line == effect).count();
        assert!(times >= 1, "{effect} was lost");
        println!("{effect}: {times} time(s), and recorded once");
    }
    println!("{kills} processes were killed");
    backend.close().await;
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// How long a child lives: up to 1.5 seconds.
fn moment() -> Duration {
    Duration::from_millis(100 + u64::from(SystemClock.now().timestamp_subsec_micros()) % 1_400)
}
