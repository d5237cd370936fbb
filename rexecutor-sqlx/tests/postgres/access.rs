//! Roles that may not do everything, and databases with settings of their own.

use std::time::Duration;

use rexecutor::{
    backend::{Claim, Demand, Enqueue, Filter, Inspect, Maintain, Node, Outcome, Scope, Settle, Settlement},
    node::StartError,
    prelude::*,
};
use rexecutor_sqlx::{ConnectError, Import01, ImportError, PgBackend};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::support::{World, database_url, fresh_name, in_schema, job, jobs, unique_job};

/// Runs a test with a role of its own, `{role}` in statements.
async fn with_role(test: impl AsyncFnOnce(&World, &Role)) {
    in_schema(async |world| {
        let role = Role(fresh_name("rexecutor_role"));
        role.sql(world, "CREATE ROLE {role} LOGIN").await;
        let outcome = {
            use futures::FutureExt;
            std::panic::AssertUnwindSafe(test(world, &role)).catch_unwind().await
        };
        role.sql(world, "DROP OWNED BY {role}; DROP ROLE {role}").await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

struct Role(String);

impl Role {
    async fn sql(&self, world: &World, sql: &str) {
        world.sql(&sql.replace("{role}", &self.0)).await;
    }

    /// Allows it everything.
    async fn allow(&self, world: &World) {
        self.sql(
            world,
            "GRANT USAGE ON SCHEMA {schema} TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        )
        .await;
    }

    fn url(&self, world: &World) -> String {
        let (scheme, rest) = world.url.split_once("://").unwrap();
        let (_, rest) = rest.split_once('@').unwrap();
        format!("{scheme}://{}@{rest}", self.0)
    }

    async fn connect(&self, world: &World) -> Result<PgBackend, ConnectError> {
        world.options().connect(self.url(world)).await
    }
}

/// All that a node and its users do.
pub(crate) async fn works(backend: &PgBackend) {
    let _ = backend.enqueue(jobs("mail", 2)).await.unwrap();
    let _ = backend.enqueue(vec![unique_job("mail", 7)]).await.unwrap();
    let node = backend.join(&Node::new("test", Duration::from_secs(60))).await.unwrap();
    let claimed = backend.claim(node, [Demand::new("mail", 2)].into()).await.unwrap().jobs;
    assert_eq!(claimed.len(), 2);
    let outcomes = [Outcome::complete(true), Outcome::GiveBack];
    let settle = claimed.iter().zip(outcomes).map(|(job, outcome)| Settlement::new(job.id, job.lease, outcome));
    assert_eq!(backend.settle(settle.collect()).await.unwrap(), []);
    assert!(backend.heartbeat(node).await.unwrap().member);
    let control = rexecutor::backend::control(backend).unwrap();
    control.pause(&Scope::Executor("mail".into()), rexecutor::backend::Pause::new("why not")).await.unwrap();
    assert!(control.resume(&Scope::Executor("mail".into())).await.unwrap());
    let schedule = rexecutor::backend::ScheduleKey("a schedule".to_owned());
    let now = backend.schedules(std::slice::from_ref(&schedule)).await.unwrap().now;
    assert!(backend.tick(&schedule, (now + chrono::TimeDelta::minutes(1)).into(), vec![job("mail")]).await.unwrap());
    assert_eq!(backend.rescue(&[]).await.unwrap(), 0);
    backend.leave(node).await.unwrap();
    assert_eq!(backend.query(&Filter::All(vec![]), 10).await.unwrap().len(), 4);
}

#[tokio::test]
async fn case_39_missing_grants_are_named_and_what_is_named_helps() {
    with_role(async |world, role| {
        let error = role.connect(world).await.unwrap_err();
        let ConnectError::MissingGrants { sql } = &error else { panic!("{error:?}") };
        assert!(
            !error.is_transient() && error.to_string().contains("let an administrator run\nGRANT USAGE"),
            "{error}"
        );
        world.sql(sql).await;
        works(&role.connect(world).await.unwrap()).await;
        // It names no more than what is missing.
        role.sql(world, "REVOKE INSERT ON {schema}.jobs FROM {role}").await;
        let error = role.connect(world).await.unwrap_err();
        let wanted = format!("GRANT INSERT ON {}.jobs TO {};", world.schema, role.0);
        assert!(matches!(&error, ConnectError::MissingGrants { sql } if *sql == wanted), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn case_39_a_role_that_may_only_enqueue_enqueues_and_starts_no_node() {
    with_role(async |world, role| {
        let grants = "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {schema}.migrations TO {role};
             GRANT SELECT, INSERT ON {schema}.jobs TO {role}";
        role.sql(world, grants).await;
        let backend = role.connect(world).await.unwrap();
        let _ = backend.enqueue(jobs("mail", 2)).await.unwrap();
        let error = Rexecutor::builder().with_backend(backend).start().await.map(drop).unwrap_err();
        assert!(matches!(error, StartError::Backend(_)), "{error:?}");
        let text = format!("{error:?}");
        for part in ["may enqueue jobs, but not run them", "GRANT DELETE, UPDATE ON", ".nodes TO"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    })
    .await;
}

#[tokio::test]
async fn case_39_row_security_that_hides_everything_is_found() {
    with_role(async |world, role| {
        role.allow(world).await;
        world.sql("ALTER TABLE {schema}.jobs ENABLE ROW LEVEL SECURITY").await;
        let error = role.connect(world).await.unwrap_err();
        let ConnectError::MissingGrants { sql } = &error else { panic!("{error:?}") };
        assert!(sql.starts_with("CREATE POLICY"), "{sql}");
        world.sql(sql).await;
        works(&role.connect(world).await.unwrap()).await;
        // On all tables, also the one that says which version they have.
        for table in ["migrations", "nodes", "origin", "schedules", "controls", "unique_keys"] {
            world.sql(&format!("ALTER TABLE {{schema}}.{table} ENABLE ROW LEVEL SECURITY")).await;
        }
        let error = role.connect(world).await.unwrap_err();
        assert_eq!(error.to_string().matches("CREATE POLICY").count(), 6, "{error}");
        // Whoever owns them is not concerned.
        world.another().await;
    })
    .await;
}

#[tokio::test]
async fn case_39_tables_without_their_record_are_not_created_again() {
    in_schema(async |world| {
        world.sql("DELETE FROM {schema}.migrations").await;
        let error = world.options().connect(&world.url).await.unwrap_err();
        assert!(matches!(error, ConnectError::UnknownTables { .. }), "{error:?}");
        assert!(error.to_string().contains("restore the whole schema"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn case_39_read_only_by_default_is_told_from_a_standby() {
    with_role(async |world, role| {
        role.allow(world).await;
        role.sql(world, "ALTER ROLE {role} SET default_transaction_read_only = on").await;
        let error = role.connect(world).await.unwrap_err();
        let ConnectError::ReadOnlyByDefault { sql } = &error else { panic!("{error:?}") };
        assert_eq!(*sql, format!("ALTER ROLE {} RESET default_transaction_read_only;", role.0));
        world.sql(sql).await;
        works(&role.connect(world).await.unwrap()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_39_a_connection_limit_makes_the_pool_smaller_and_is_named_when_it_is_used_up() {
    with_role(async |world, role| {
        role.allow(world).await;
        role.sql(world, "ALTER ROLE {role} CONNECTION LIMIT 3").await;
        // Whoever waits for a fourth connection waits longer than the test may take.
        let options = world.options().timeout(Duration::from_secs(3_600));
        let backend = options.connect(role.url(world)).await.unwrap();
        let calls: Vec<_> = (0..40)
            .map(|_| {
                let backend = backend.clone();
                tokio::spawn(async move { backend.query(&Filter::All(vec![]), 1).await })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        drop(backend);

        let options: PgConnectOptions = role.url(world).parse().unwrap();
        let pool = PgPoolOptions::new().max_connections(3).min_connections(3).connect_with(options).await.unwrap();
        let held = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
        let error = role.connect(world).await.unwrap_err();
        assert!(matches!(error, ConnectError::TooManyConnections(_)), "{error:?}");
        let text = format!("{error:?}");
        for part in ["takes no more connections", "`CONNECTION LIMIT`", "too many connections for role"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(error.is_transient());
        drop(held);
        pool.close().await;
    })
    .await;
}

#[tokio::test]
async fn case_39_a_sequence_that_a_restore_has_left_behind_is_named_with_what_repairs_it() {
    in_schema(async |world| {
        let _ = world.backend.enqueue(jobs("mail", 3)).await.unwrap();
        let node = || Node::new("test", Duration::from_secs(60));
        world.backend.join(&node()).await.unwrap();
        for table in ["jobs", "nodes"] {
            world.sql(&format!("SELECT setval(pg_get_serial_sequence('{{schema}}.{table}', 'id'), 1, FALSE)")).await;
            let error = match table {
                "jobs" => world.backend.enqueue(vec![job("mail")]).await.map(drop).unwrap_err(),
                _ => world.backend.join(&node()).await.map(drop).unwrap_err(),
            };
            assert!(!error.is_transient());
            let text = format!("{error:?}");
            assert!(
                text.contains(&format!("the sequence of `\"{}\".\"{table}\".id` is behind", world.schema)),
                "{text}"
            );
            let (_, rest) = text.split_once("run\n").unwrap();
            world.sql(rest.split_once(';').unwrap().0).await;
        }
        let _ = world.backend.enqueue(vec![job("mail")]).await.unwrap();
        world.backend.join(&node()).await.unwrap();
    })
    .await;
}

/// PostgreSQL refuses updates of a published table that has no key.
#[tokio::test]
async fn case_39_a_publication_for_all_tables_is_in_nobodys_way() {
    let (url, name) = (database_url(), fresh_name("rexecutor_published"));
    let mut admin = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    let (before, _) = url.rsplit_once('/').unwrap();
    let url = format!("{before}/{name}");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE PUBLICATION everything FOR ALL TABLES").execute(&mut connection).await.unwrap();
    let backend = PgBackend::connect(&url).await.unwrap();
    works(&backend).await;
    drop((backend, connection));
    let drop = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    sqlx::raw_sql(drop).execute(&mut admin).await.unwrap();
}

/// Every way of connecting, with settings that the role, the database or the address brings along.
async fn with_settings(world: &World, role: &Role, settings: &[(&str, &str)]) -> [PgBackend; 2] {
    role.allow(world).await;
    for (name, value) in settings {
        role.sql(world, &format!("ALTER ROLE {{role}} SET {name} = '{value}'")).await;
    }
    let pool = PgPool::connect(&role.url(world)).await.unwrap();
    [role.connect(world).await.unwrap(), world.options().from_pool(pool).await.unwrap()]
}

#[tokio::test]
async fn case_36_every_statement_is_read_committed_whatever_the_default_is() {
    for level in ["serializable", "repeatable read"] {
        with_role(async |world, role| {
            let backends = with_settings(world, role, &[("default_transaction_isolation", level)]).await;
            world
                .sql(
                    "CREATE FUNCTION {schema}.look() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
                         IF current_setting('transaction_isolation') <> 'read committed' THEN
                             RAISE EXCEPTION 'on % it is %', tg_table_name, current_setting('transaction_isolation');
                         END IF;
                         RETURN NULL;
                     END $$;
                     GRANT EXECUTE ON FUNCTION {schema}.look() TO PUBLIC",
                )
                .await;
            for table in ["jobs", "nodes", "schedules", "controls", "unique_keys"] {
                let trigger = "CREATE TRIGGER look AFTER INSERT OR UPDATE OR DELETE ON {schema}.{table} FOR EACH STATEMENT \
                     EXECUTE FUNCTION {schema}.look()";
                world.sql(&trigger.replace("{table}", table)).await;
            }
            for backend in backends {
                works(&backend).await;
                world.sql("DELETE FROM {schema}.jobs; DELETE FROM {schema}.schedules").await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_41_a_lock_timeout_of_the_role_ends_no_call_of_ours() {
    with_role(async |world, role| {
        let backends = with_settings(world, role, &[("lock_timeout", "1ms")]).await;
        let mut blocker = PgConnection::connect(&world.url).await.unwrap();
        let mut look = PgConnection::connect(&world.url).await.unwrap();
        for backend in backends {
            let lock = format!("BEGIN; LOCK TABLE \"{0}\".jobs, \"{0}\".nodes, \"{0}\".migrations", world.schema);
            sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut blocker).await.unwrap();
            let pool = PgPool::connect(&role.url(world)).await.unwrap();
            let connecting = Box::pin(world.options().connect(role.url(world)));
            let other = Box::pin(world.options().from_pool(pool));
            let node = Node::new("test", Duration::from_secs(60));
            let calls = async {
                let (plain, unique) = (backend.enqueue(jobs("mail", 1)), backend.enqueue(vec![unique_job("mail", 1)]));
                tokio::join!(plain, unique, backend.join(&node), connecting, other)
            };
            let release = async {
                // Until all five have waited for longer than they were to.
                let count = "SELECT count(*) FROM pg_locks WHERE NOT granted AND waitstart < now() - INTERVAL '20 ms'
                     AND relation::REGCLASS::TEXT LIKE $1";
                let like = format!("{}.%", world.schema);
                while sqlx::query_scalar::<_, i64>(count).bind(&like).fetch_one(&mut look).await.unwrap() < 5 {}
                sqlx::raw_sql("ROLLBACK").execute(&mut blocker).await.unwrap();
            };
            let ((plain, unique, joined, connected, pooled), ()) = tokio::join!(calls, release);
            let _ = (plain.unwrap(), unique.unwrap(), joined.unwrap(), connected.unwrap(), pooled.unwrap());
        }
    })
    .await;
}

/// The dry run says so, too, and what it says to run is enough.
#[tokio::test]
async fn a_role_that_may_not_move_jobs_of_0_1_is_told_what_it_lacks() {
    with_role(async |world, role| {
        crate::importing::with_table(world).await;
        world.sql("INSERT INTO {schema}.rexecutor_jobs (executor) VALUES ('mail')").await;
        role.sql(
            world,
            "GRANT USAGE ON SCHEMA {schema} TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.jobs, {schema}.nodes, {schema}.listeners, {schema}.events TO {role};
             GRANT SELECT ON {schema}.migrations, {schema}.rexecutor_jobs TO {role}",
        )
        .await;
        let backend = role.connect(world).await.unwrap();
        let import = || Import01::new(backend.clone()).from_schema(&world.schema).assume_stopped(true);
        let (error, schema) = (import().dry_run().await.unwrap_err(), &world.schema);
        let told = format!(
            "the role `{0}` may not move the jobs of `{schema}.rexecutor_jobs`: an administrator is to run: \
             GRANT UPDATE, DELETE ON \"{schema}\".rexecutor_jobs TO \"{0}\"; \
             GRANT SELECT, USAGE ON SEQUENCE \"{schema}\".jobs_id_seq TO \"{0}\";",
            role.0
        );
        assert_eq!(error.to_string(), told);
        let ImportError::NoRights { sql, .. } = import().run().await.unwrap_err() else { panic!() };
        world.sql(&sql).await;
        role.allow(world).await;
        assert_eq!(import().run().await.unwrap().moved_jobs(), 1);
        // As in any database, where others own the schema.
        world.sql(&format!("REVOKE ALL ON SCHEMA {{schema}} FROM {}", role.0)).await;
        let ImportError::NoRights { sql, .. } = import().dry_run().await.unwrap_err() else { panic!() };
        assert_eq!(sql, format!("GRANT USAGE ON SCHEMA \"{schema}\" TO \"{}\";", role.0));
    })
    .await;
}
