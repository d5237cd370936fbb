//! A dashboard over jobs of all kinds: fast, slow, failing, scheduled, limited, paused, blocked, and of an executor that nobody runs.
//! Run it with `cargo run --example dashboard`, open the address that it prints, and end it with Ctrl-C.
//!
//! The dashboard itself is three lines: whom to let in, the router, and where it stands.

use std::{io::Write, net::Ipv4Addr};

use axum::{Router, http::request::Parts};
use example_dashboard::{enqueue_for_ever, enqueue_some, start};
use rexecutor_sqlx::SqliteBackend;
use rexecutor_web::{Access, Dashboard, Role};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let folder = tempfile::tempdir()?;
    let backend = SqliteBackend::open(folder.path().join("jobs.db")).await?;
    let node = start(backend.clone()).await?;
    enqueue_some().await?;

    let everybody = |_: &Parts| Ok(Access::new("you", Role::Admin));
    let dashboard = Dashboard::new(backend, everybody).with_banner("shop, example").router();
    let app = Router::new().nest("/jobs", dashboard);

    // Only this machine can reach it, which is why everybody who does is let in.
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("open http://{}/jobs", listener.local_addr()?);
    std::io::stdout().flush()?;
    tokio::spawn(enqueue_for_ever());
    tokio::spawn(async { axum::serve(listener, app).await });
    node.run_until_signal().await;
    Ok(())
}
