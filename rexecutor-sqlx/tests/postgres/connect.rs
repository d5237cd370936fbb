//! Connecting, migrating, and what an error says.

use rexecutor::backend::{Enqueue, Inspect};
use rexecutor_sqlx::{ConnectError, PgBackend, PgOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{database_url, fresh_name, in_named_schema, in_schema, job};

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
        assert!(matches!(error, ConnectError::Unreachable(_)), "{nobody}: {error:?}");
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
    assert!(matches!(error, ConnectError::ReadOnly), "{error:?}");
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
