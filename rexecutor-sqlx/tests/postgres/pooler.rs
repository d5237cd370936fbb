//! Through PgBouncer, which gives each transaction another session.

use std::process::{Child, Command, Stdio};

use rexecutor::{
    backend::{Enqueue, Inspect, Outcome, Settle, Settlement},
    job::{ExecutorName, JobStatus},
};

use crate::{
    server::is_root,
    support::{claim, in_schema, jobs, join, unique_job},
};

struct PgBouncer {
    child: Child,
    port: u16,
    /// Removed with it.
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    /// In front of the server at `url`, with two sessions for all clients.
    fn start(url: &str) -> Self {
        let server: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = folder.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = any\nunix_socket_dir =\npool_mode = transaction\ndefault_pool_size = 2\n\
             ignore_startup_parameters = extra_float_digits\nserver_round_robin = 1\n",
            server.get_host(),
            server.get_port(),
        );
        // With `any`, everybody is this user to the server.
        let settings = settings.replace("* = host", &format!("* = user={} host", server.get_username()));
        std::fs::write(&file, settings).unwrap();
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let program = program.iter().find(|program| std::path::Path::new(program).exists());
        let program =
            program.expect("this test needs PgBouncer: run `scripts/postgres`, or `apt-get install pgbouncer`");
        let mut command = Command::new(program);
        if is_root() {
            assert!(Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status().unwrap().success());
            command.args(["-u", "postgres"]);
        }
        let child = command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { child, port, _folder: folder }
    }

    async fn listening(&self) {
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_41_everything_works_through_a_pooler_of_transactions() {
    in_schema(async |world| {
        let pooler = PgBouncer::start(&world.url);
        pooler.listening().await;
        let server: sqlx::postgres::PgConnectOptions = world.url.parse().unwrap();
        let database = server.get_database().unwrap_or("postgres");
        let url = format!("postgres://{}@127.0.0.1:{}/{database}", server.get_username(), pooler.port);
        let backend = world.options().transaction_pooling(true).connect(&url).await.unwrap();
        let node = join(&backend).await;
        let workers = (0..8).map(|number| {
            let backend = backend.clone();
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
        let rest = claim(&backend, node, "mail", 1_000).await.jobs;
        let rows = world.rows().await;
        assert_eq!(rows.len(), 8 * 10 * 3 + 8);
        let complete = rows.iter().filter(|row| row.status == JobStatus::Complete).count();
        assert_eq!(complete + rest.len(), rows.len());
        backend.rerun(&ExecutorName::from("mail"), rows[0].id).await.unwrap();
    })
    .await;
}
