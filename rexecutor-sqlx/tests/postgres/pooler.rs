//! Through PgBouncer, which gives each transaction another session.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use rexecutor::{
    backend::{Claim, Enqueue, Inspect, Outcome, Settle, Settlement},
    job::{ExecutorName, JobStatus},
};

use rexecutor_sqlx::{ConnectError, PgBackend};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::{
    server::is_root,
    support::{World, claim, in_schema, jobs, join, unique_job},
};

struct PgBouncer {
    child: Child,
    /// To the server through it.
    url: String,
    /// Removed with it.
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    /// In front of the server at `url`, with two sessions for all clients, and with settings as they are delivered but for
    /// these.
    async fn start(url: &str, settings: &str) -> Self {
        let changed = settings;
        let server: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = folder.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = any\nunix_socket_dir =\npool_mode = transaction\ndefault_pool_size = 2\n\
             server_round_robin = 1\n{changed}\n",
            server.get_host(),
            server.get_port(),
        );
        // With `any`, everybody is this user to the server.
        let settings = settings.replace("* = host", &format!("* = user={} host", server.get_username()));
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(program());
        if is_root() {
            assert!(Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status().unwrap().success());
            command.args(["-u", "postgres"]);
        }
        let child = command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let database = server.get_database().unwrap_or("postgres");
        let url = format!("postgres://{}@127.0.0.1:{port}/{database}", server.get_username());
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::task::yield_now().await;
        }
        Self { child, url, _folder: folder }
    }
}

fn program() -> &'static str {
    let programs = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
    let program = programs.into_iter().find(|program| std::path::Path::new(program).exists());
    program.expect("this test needs PgBouncer: run `scripts/postgres`, or `apt-get install pgbouncer`")
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Both backends that a program can make.
async fn announced(world: &World, pooler: &PgBouncer) -> [PgBackend; 2] {
    let options = || world.options().transaction_pooling(true);
    let pool: PgConnectOptions = pooler.url.parse().unwrap();
    let pool = PgPoolOptions::new().connect_lazy_with(pool.extra_float_digits(None).statement_cache_capacity(0));
    [options().connect(&pooler.url).await.unwrap(), options().from_pool(pool).await.unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn case_37_a_pooler_of_transactions_that_nobody_has_told_of_is_named_by_the_first_error() {
    in_schema(async |world| {
        const WHAT_TO_DO: &str = "set `PgOptions::transaction_pooling(true)`";
        let pooler = PgBouncer::start(&world.url, "").await;
        let error = world.options().connect(&pooler.url).await.unwrap_err();
        assert!(matches!(error, ConnectError::Pooled(_)) && !error.is_transient(), "{error:?}");
        assert!(format!("{error:?}").contains(WHAT_TO_DO), "{error:?}");
        let pool = PgPoolOptions::new().connect_lazy(&pooler.url).unwrap();
        let error = world.options().from_pool(pool).await.unwrap_err();
        assert!(matches!(error, ConnectError::Pooled(_)), "{error:?}");

        // One that lets the parameters pass, and keeps no statements apart, as all did before version 1.21.
        let settings = "ignore_startup_parameters = extra_float_digits";
        let newer = "max_prepared_statements = 0";
        let settings = if knows_prepared_statements() { format!("{settings}\n{newer}") } else { settings.to_owned() };
        let pooler = PgBouncer::start(&world.url, &settings).await;
        let pool = PgPoolOptions::new().max_connections(8).connect_lazy(&pooler.url).unwrap();
        let calls = async {
            let backend = world.options().from_pool(pool).await.map_err(|error| format!("{error:?}"))?;
            loop {
                let enqueue = || async { backend.enqueue(vec![unique_job("mail", 1)]).await.map(drop) };
                futures::future::try_join_all((0..8).map(|_| enqueue())).await.map_err(|error| format!("{error:?}"))?;
            }
        };
        let error: Result<(), String> = calls.await;
        assert!(error.as_ref().unwrap_err().contains(WHAT_TO_DO), "{error:?}");
    })
    .await;
}

/// Whatever a pooler does about statements, what is said to one session does not arrive in another.
#[tokio::test(flavor = "multi_thread")]
async fn case_37_a_node_that_would_hear_nothing_says_what_to_do() {
    says_what_to_do("").await;
}

/// Whoever says something has the very session that listens.
#[tokio::test(flavor = "multi_thread")]
async fn case_37_a_node_that_shares_the_session_it_listens_on_says_what_to_do() {
    says_what_to_do("default_pool_size = 1").await;
}

async fn says_what_to_do(settings: &str) {
    in_schema(async |world| {
        let settings = format!("ignore_startup_parameters = extra_float_digits\n{settings}");
        let pooler = PgBouncer::start(&world.url, &settings).await;
        let pool: PgConnectOptions = pooler.url.parse().unwrap();
        let pool = PgPoolOptions::new().connect_lazy_with(pool.statement_cache_capacity(0));
        let options = world.options().timeout(Duration::from_secs(5));
        let backend = match options.clone().from_pool(pool).await {
            Ok(backend) => backend,
            Err(error) => return assert!(matches!(error, ConnectError::Pooled(_)), "{error:?}"),
        };
        let error = backend.watch(std::sync::Arc::default()).await.unwrap_err();
        assert!(format!("{error:?}").contains("set `PgOptions::transaction_pooling(true)`"), "{error:?}");
    })
    .await;
}

fn knows_prepared_statements() -> bool {
    let version = Command::new(program()).arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let minor = version.split_whitespace().nth(1).and_then(|number| number.split('.').nth(1)?.parse::<u32>().ok());
    minor.is_some_and(|minor| minor >= 21)
}

#[tokio::test(flavor = "multi_thread")]
async fn case_37_trap_41_everything_works_through_a_pooler_of_transactions_as_it_is_delivered() {
    in_schema(async |world| {
        let pooler = PgBouncer::start(&world.url, "").await;
        let backends = announced(world, &pooler).await;
        let [backend, _] = &backends;
        let node = join(backend).await;
        let workers = (0..8).map(|number| {
            let backend = backends[usize::from(number % 2)].clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let mut batch = jobs("mail", 3);
                    batch.push(unique_job("mail", number));
                    let _ = backend.enqueue(batch).await.unwrap();
                    let claimed = claim(&backend, node, "mail", 4).await.jobs;
                    let complete =
                        |job: &rexecutor::backend::JobRow| Settlement::new(job.id, job.lease, Outcome::complete(true));
                    let settlements: Vec<_> = claimed.iter().map(complete).collect();
                    assert_eq!(backend.settle(settlements.clone().into()).await.unwrap(), []);
                }
            })
        });
        futures::future::join_all(workers).await.into_iter().for_each(Result::unwrap);
        let rest = claim(backend, node, "mail", 1_000).await.jobs;
        let rows = world.rows().await;
        assert_eq!(rows.len(), 8 * 10 * 3 + 8);
        let complete = rows.iter().filter(|row| row.status == JobStatus::Complete).count();
        assert_eq!(complete + rest.len(), rows.len());
        backend.rerun(&ExecutorName::from("mail"), rows[0].id).await.unwrap();
    })
    .await;
}
