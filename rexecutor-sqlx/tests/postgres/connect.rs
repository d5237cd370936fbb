//! Connecting, migrating, and what an error says.

use rexecutor::backend::{Enqueue, Inspect};
use rexecutor_sqlx::{ConnectError, PgBackend, PgOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    server::Server,
    support::{database_url, fresh_name, in_named_schema, in_schema, job},
    wire::Wire,
};

#[tokio::test(flavor = "multi_thread")]
async fn twenty_nodes_create_the_tables_at_once() {
    let (url, schema) = (database_url(), fresh_name("rexecutor_twenty"));
    let nodes = (0..20).map(|_| {
        let (url, schema) = (url.clone(), schema.clone());
        tokio::spawn(async move { PgOptions::new().schema(schema).max_connections(2).connect(&url).await })
    });
    let answers = futures::future::join_all(nodes).await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let drop = AssertSqlSafe(format!("DROP SCHEMA \"{schema}\" CASCADE"));
    sqlx::raw_sql(drop).execute(&mut connection).await.unwrap();
    for answer in answers {
        answer.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_schema_whose_name_needs_quoting_works() {
    in_named_schema(fresh_name(r#"Wéird "name"; {schema} -- "#), async |world| {
        let ids = world.backend.enqueue(vec![job("mail")]).await.unwrap();
        assert_eq!(world.rows().await[0].id, ids[0].id());
    })
    .await;
}

#[tokio::test]
async fn trap_35_the_applications_own_migrations_are_not_disturbed() {
    in_schema(async |world| {
        // As `sqlx::migrate!` keeps them, in the schema that the application's connections look in.
        let table = "CREATE TABLE {schema}._sqlx_migrations (version BIGINT PRIMARY KEY);
                     INSERT INTO {schema}._sqlx_migrations VALUES (20260101);";
        world.sql(table).await;
        world.backend.run_migrations().await.unwrap();
        world.sql("DO $$ BEGIN ASSERT (SELECT count(*) FROM {schema}._sqlx_migrations) = 1; END $$").await;
    })
    .await;
}

#[tokio::test]
async fn tables_of_a_later_version_are_used_or_refused_as_they_say() {
    in_schema(async |world| {
        world.sql("INSERT INTO {schema}.migrations (version, name, oldest_program) VALUES (8, 'later', 1)").await;
        let _still_works = world.another().await;
        world.sql("INSERT INTO {schema}.migrations (version, name, oldest_program) VALUES (9, 'later', 9)").await;
        let error = world.options().connect(&world.url).await.unwrap_err();
        assert!(matches!(error, ConnectError::SchemaTooNew { found: 9, oldest: 9, known: 1 }), "{error:?}");
        assert!(error.to_string().contains("update the program"));
    })
    .await;
}

#[tokio::test]
async fn tables_that_are_not_there_are_missed_when_nobody_may_create_them() {
    let schema = fresh_name("rexecutor_missing");
    let error = PgOptions::new().schema(&schema).migrate(false).connect(&database_url()).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotMigrated { found: 0, known: 1 }), "{error:?}");
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_said() {
    let url = database_url();
    let (before, _) = url.rsplit_once('/').unwrap();
    let error = PgBackend::connect(&format!("{before}/no_such_database")).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoDatabase(_)), "{error:?}");
    let error = PgBackend::connect("nonsense").await.unwrap_err();
    assert!(matches!(error, ConnectError::Address(_)), "{error:?}");
    let options = || PgOptions::new().timeout(std::time::Duration::from_secs(5));
    for nobody in ["postgres://no-such-host.invalid/x", "postgres://127.0.0.1:1/x"] {
        let error = options().connect(nobody).await.unwrap_err();
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{nobody}: {error:?}");
    }
}

#[tokio::test]
async fn a_role_that_may_not_create_the_schema_is_told_what_to_run() {
    let (url, role) = (database_url(), fresh_name("rexecutor_role"));
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let sql = |sql: &str| AssertSqlSafe(sql.replace("{role}", &role));
    sqlx::raw_sql(sql("CREATE ROLE {role} LOGIN")).execute(&mut connection).await.unwrap();
    let pool = |url: &str| {
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_lazy_with(options.username(&role))
    };
    let refused = PgOptions::new().schema(&role).from_pool(pool(&url)).await;
    // What it says is what helps.
    let remedy = match &refused {
        Err(ConnectError::NoPermission { sql, .. }) => sql.clone(),
        other => panic!("{other:?}"),
    };
    sqlx::raw_sql(AssertSqlSafe(remedy)).execute(&mut connection).await.unwrap();
    let helped = PgOptions::new().schema(&role).from_pool(pool(&url)).await;
    let jobs = match &helped {
        Ok(backend) => backend.query(&rexecutor::backend::Filter::All(vec![]), 1).await.map(|jobs| jobs.len()).ok(),
        Err(_) => None,
    };
    drop(helped);
    sqlx::raw_sql(sql("DROP SCHEMA {role} CASCADE; DROP ROLE {role}")).execute(&mut connection).await.unwrap();
    assert_eq!(jobs, Some(0));
}

#[tokio::test]
async fn a_read_only_server_is_refused() {
    let options: sqlx::postgres::PgConnectOptions = database_url().parse().unwrap();
    let options = options.options([("default_transaction_read_only", "on")]);
    let pool = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(options);
    let error = PgBackend::from_pool(pool).await.unwrap_err();
    assert!(matches!(error, ConnectError::ReadOnlyByDefault { .. }), "{error:?}");
}

#[tokio::test]
async fn trap_46_a_backend_that_is_dropped_closes_its_connections() {
    in_schema(async |world| {
        let name = fresh_name("rexecutor_gone");
        let mark = if world.url.contains('?') { '&' } else { '?' };
        let backend = world.options().connect(&format!("{}{mark}application_name={name}", world.url)).await.unwrap();
        let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
        drop(backend);
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
        // Limited by the test runner's own time limit.
        while sqlx::query_scalar::<_, i64>(count).bind(&name).fetch_one(&mut connection).await.unwrap() > 0 {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_and_the_right_one_is_not() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::raw_sql("ALTER ROLE postgres PASSWORD 'right'").execute(&mut connection).await.unwrap();
    server.ask_for_passwords();
    sqlx::raw_sql("SELECT pg_reload_conf()").execute(&mut connection).await.unwrap();
    let url = |user: &str| server.url().replace("//postgres@", &format!("//{user}@"));
    // The server may still be reading its files.
    while PgConnection::connect(&server.url()).await.is_ok() {}
    for user in ["postgres:wrong", "postgres", "nobody:right"] {
        let error = PgBackend::connect(&url(user)).await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused(_)), "{user}: {error:?}");
        assert!(error.to_string().contains("user or the password"), "{error}");
        assert!(!format!("{error:?} {error}").contains("wrong"), "it gives the password away");
    }
    PgBackend::connect(&url("postgres:right")).await.unwrap();
}

/// Trap 35, with the application's own migrator, before and after ours, in one database and with one search path.
#[tokio::test]
async fn trap_35_sqlx_migrate_works_in_the_same_database() {
    let (url, name) = (database_url(), fresh_name("rexecutor_app"));
    let mut admin = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    let (before, _) = url.rsplit_once('/').unwrap();
    let url = format!("{before}/{name}");
    let folder = tempfile::tempdir().unwrap();
    let add = |file: &str, sql: &str| std::fs::write(folder.path().join(file), sql).unwrap();
    let migrate = async || {
        let migrator = sqlx::migrate::Migrator::new(folder.path()).await.unwrap();
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        migrator.run(&pool).await.unwrap();
        pool.close().await;
    };
    add("1_orders.sql", "CREATE TABLE orders (id BIGINT PRIMARY KEY);");
    migrate().await;
    let backend = PgBackend::connect(&url).await.unwrap();
    add("2_jobs.sql", "CREATE TABLE jobs (id BIGINT PRIMARY KEY); CREATE TABLE migrations (version INTEGER);");
    migrate().await;
    drop(backend);
    let backend = PgBackend::connect(&url).await.unwrap();
    migrate().await;
    let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
    assert_eq!(backend.query(&rexecutor::backend::Filter::All(vec![]), 10).await.unwrap().len(), 1);
    drop(backend);
    let drop = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    sqlx::raw_sql(drop).execute(&mut admin).await.unwrap();
}

/// Trap 37: after a failover the pool stays on a server that has become read-only.
#[tokio::test(flavor = "multi_thread")]
async fn trap_37_after_a_failover_the_pool_leaves_the_read_only_server() {
    let starting = || tokio::task::spawn_blocking(Server::start);
    let (old, new) = (starting().await.unwrap(), starting().await.unwrap());
    PgBackend::connect(&new.url()).await.unwrap();
    let wire = Wire::to(&old.url()).await;
    let backend = PgOptions::new().max_connections(1).connect(&wire.url(&old.url())).await.unwrap();
    let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
    let mut admin = PgConnection::connect(&old.url()).await.unwrap();
    for statement in ["ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"] {
        sqlx::raw_sql(statement).execute(&mut admin).await.unwrap();
    }
    // As a name that from now on means another server.
    wire.lead_to(&new.url());
    let all = rexecutor::backend::Filter::All(vec![]);
    while let Ok(stored) = backend.enqueue(vec![job("mail")]).await {
        // The sessions of the old server read its settings when they please.
        assert_eq!(stored.len(), 1);
    }
    let id = backend.enqueue(vec![job("moved")]).await.unwrap()[0].id();
    let rows = PgBackend::connect(&new.url()).await.unwrap().query(&all, usize::MAX).await.unwrap();
    assert!(rows.iter().any(|row| row.id == id && row.executor.as_str() == "moved"));
}
