//! What a dashboard asks, and what the server makes of it on a table with many finished jobs.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::support::in_schema;

/// Rows of which nearly all are complete, 1 in 1,000 discarded, and few of a status or an executor of their own.
const FILL: &str = "
    INSERT INTO {schema}.jobs (executor, status, priority, scheduled_at, inserted_at, finished_at, max_attempts, data)
    SELECT
        CASE WHEN n % 5000 = 7 THEN 'rare' ELSE 'mail' END,
        CASE
            WHEN n % 1000 = 3 THEN 'discarded' WHEN n > 59900 THEN 'scheduled' WHEN n > 59890 THEN 'executing'
            WHEN n > 59880 THEN 'blocked' ELSE 'complete'
        END,
        0, now(), now(), CASE WHEN n <= 59880 THEN now() + n * INTERVAL '1 ms' END, 3, '{}'
    FROM generate_series(1, 60000) AS n;
    ANALYZE {schema}.jobs;";

#[tokio::test]
async fn no_answer_of_a_dashboard_reads_the_whole_table() {
    in_schema(async |world| {
        world.sql(FILL).await;
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        let last = i64::MAX;
        let asked = [
            ("walk_jobs", "TRUE", format!("{last}, 50000, 51"), "jobs_pkey"),
            ("walk_jobs", "status = 'executing'", format!("{last}, 50000, 51"), "jobs_executing"),
            ("walk_jobs", "status = 'blocked'", format!("{last}, 50000, 51"), "jobs_blocked"),
            ("find_end", "TRUE", format!("{last}, 50000"), "jobs_pkey"),
            ("find_from", "", "30000".to_owned(), "jobs_pkey"),
            ("list_finished", "status = 'discarded'", format!("'2100-01-01', {last}, 51"), "jobs_finished"),
            ("list_finished", "status = 'complete'", format!("'2100-01-01', {last}, 51"), "jobs_finished"),
            ("list_due", "", format!("'1970-01-01', {}, 51, NULL", i64::MIN), "jobs_ready"),
            ("count_status", "status = 'discarded'", "10000".to_owned(), "jobs_finished"),
            ("count_status", "status = 'blocked'", "10000".to_owned(), "jobs_blocked"),
            ("count_waiting", "", "10000".to_owned(), "jobs_ready"),
            ("list_queues", "", "NULL, 10000".to_owned(), "jobs_ready"),
            ("count_runs", "", String::new(), "jobs_executing"),
            ("find_key", "", "'mail', 'anna'".to_owned(), "jobs_keyed_executing"),
            ("find_key", "", "'mail', 'anna'".to_owned(), "jobs_line"),
        ];
        for (name, within, values, index) in asked {
            let statements = world.backend.statements();
            let sql = statements
                .iter()
                .find(|(known, _)| *known == name)
                .unwrap()
                .1
                .replace("{filter}", "(executor = 'none')");
            let sql = sql.replace("{within}", within).replace("{beyond}", "<").replace("{direction}", "DESC");
            sqlx::raw_sql(AssertSqlSafe(format!("PREPARE asked AS {sql}"))).execute(&mut connection).await.unwrap();
            let explain =
                format!("EXPLAIN EXECUTE asked{}", if values.is_empty() { values } else { format!("({values})") });
            let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let plan = plan.join("\n");
            assert!(plan.contains(index), "{name}, {within}:\n{plan}");
            assert!(!plan.contains("Seq Scan on jobs"), "{name}, {within}:\n{plan}");
            sqlx::raw_sql("DEALLOCATE asked").execute(&mut connection).await.unwrap();
        }
    })
    .await;
}

/// A page of the audit log looks at a bounded number of rows, by the index that leaves the fewest.
#[tokio::test]
async fn a_page_of_the_audit_log_is_found_by_an_index() {
    in_schema(async |world| {
        world
            .sql(
                "INSERT INTO {schema}.audit (at, kept_until, who, via, action, kind, object)
                 SELECT now(), now() + INTERVAL '90 days', 'user ' || n % 100, 'cli', 'cancel', 'job', n % 20000
                 FROM generate_series(1, 60000) AS n;
                 ANALYZE {schema}.audit;",
            )
            .await;
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        let statements = world.backend.statements();
        let sql = &statements.iter().find(|(known, _)| *known == "list_audit").unwrap().1;
        sqlx::raw_sql(AssertSqlSafe(format!("PREPARE asked AS {sql}"))).execute(&mut connection).await.unwrap();
        let last = i64::MAX;
        for mode in ["force_generic_plan", "force_custom_plan"] {
            sqlx::raw_sql(AssertSqlSafe(format!("SET plan_cache_mode = {mode}")))
                .execute(&mut connection)
                .await
                .unwrap();
            for (asked, index) in [
                ("NULL, NULL, NULL, NULL, NULL, 51, 51", "audit_pkey"),
                ("NULL, 'pause', NULL, NULL, NULL, 10000, 51", "audit_pkey"),
                ("'user 7', NULL, NULL, NULL, NULL, 51, 51", "audit_who"),
                ("'user 7', NULL, 'job', '9', NULL, 10000, 51", "audit_object"),
            ] {
                let explain = format!("EXPLAIN (ANALYZE, TIMING OFF) EXECUTE asked(NULL, {last}, {asked})");
                let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap();
                let plan = rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n");
                assert!(!plan.contains("Seq Scan on audit"), "{mode}, {asked}:\n{plan}");
                let ran =
                    plan.lines().filter(|line| line.contains("on audit each") && !line.contains("never executed"));
                let ran: Vec<_> = ran.collect();
                assert!(ran.len() == 1 && ran[0].contains(index), "{mode}, {asked}:\n{plan}");
            }
        }
    })
    .await;
}
