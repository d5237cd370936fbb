//! What `docs/postgres.md` says.

use rexecutor::{
    backend::{Enqueue, Maintain},
    prelude::*,
};
use rexecutor_sqlx::{ConnectError, PgBackend};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    access::works,
    guide_text::statements,
    support::{database_url, fresh_name, jobs, join, unique_job},
};

/// A database in which the page's statements are run, with roles of its own.
struct Page {
    admin: PgConnection,
    url: String,
    name: String,
}

impl Page {
    async fn run(&mut self, sql: &str) {
        let sql = sql.replace("jobs_", &format!("{}_", self.name));
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    async fn connect(&self, role: &str) -> Result<PgBackend, ConnectError> {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let (_, rest) = rest.split_once('@').unwrap();
        PgBackend::connect(format!("{scheme}://{}_{role}@{rest}", self.name)).await
    }

    async fn admin(&mut self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.replace("{name}", &self.name))).execute(&mut self.admin).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_10_the_grants_of_the_guide_are_enough_and_no_more() {
    let [roles, grants, unique, room, adopt] = <[String; 5]>::try_from(statements("postgres.md")).unwrap();
    let name = fresh_name("rexecutor_guide");
    let (before, url) =
        (database_url(), |before: &str, name: &str| format!("{}/{name}", before.rsplit_once('/').unwrap().0));
    let mut page = Page { admin: PgConnection::connect(&before).await.unwrap(), url: url(&before, &name), name };
    page.admin("CREATE DATABASE {name}").await;
    page.run(&roles).await;
    let owner = page.connect("owner").await.unwrap();
    page.run(&grants).await;
    works(&page.connect("worker").await.unwrap()).await;

    let web = page.connect("web").await.unwrap();
    let _ = web.enqueue(jobs("mail", 2)).await.unwrap();
    assert!(web.enqueue(vec![unique_job("mail", 9)]).await.is_err());
    page.run(&unique).await;
    let _ = web.enqueue(vec![unique_job("mail", 9)]).await.unwrap();
    let bounded = || jobs("mail", 1).into_iter().map(|job| job.with_max_pending(9)).collect::<Vec<_>>();
    assert!(web.enqueue(bounded()).await.is_err());
    page.run(&room).await;
    let _ = web.enqueue(bounded()).await.unwrap();
    let refused = Rexecutor::builder().with_backend(web).start().await.map(drop).unwrap_err();
    assert!(format!("{refused:?}").contains("may enqueue jobs, but not run them"), "{refused:?}");

    // What a copy is told.
    page.run("UPDATE rexecutor.origin SET database = 1").await;
    let node = rexecutor::backend::Node::new("test", std::time::Duration::from_secs(60));
    owner.join(&node).await.unwrap_err();
    page.run(&adopt).await;
    join(&owner).await;

    drop(owner);
    page.admin("DROP DATABASE {name} WITH (FORCE)").await;
    for role in ["owner", "worker", "web"] {
        page.admin(&format!("DROP ROLE {{name}}_{role}")).await;
    }
}
