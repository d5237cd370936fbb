//! Metrics for Prometheus. Run it with `cargo run -p example-prometheus`, and read the page that it names; Ctrl-C ends it.
//!
//! `PORT` is the port, a free one by default.

use std::{env, error::Error, net::Ipv4Addr, time::Duration};

use axum::{Router, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use rexecutor::{backend::memory::InMemoryBackend, metrics, prelude::*};
use tokio::net::TcpListener;

/// Sends a mail. Every seventh cannot be delivered.
#[job(max_attempts = 2, backoff = constant("1s"))]
async fn send_mail(number: u32) -> Result<(), String> {
    pause(u64::from(20 + number % 50)).await;
    if number % 7 == 6 { Err(format!("there is no mailbox {number}")) } else { Ok(()) }
}

/// Makes small pictures of a large one.
#[job(max_concurrency = 1)]
async fn resize_image(number: u32) {
    pause(u64::from(300 + number % 200)).await;
}

#[expect(clippy::disallowed_methods, reason = "an example has no clock of its own")]
async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The recorder first: what is counted before it is there is lost.
    let seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0];
    let recorder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)?;
    let recorder = recorder.install_recorder()?;
    metrics::describe();

    let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
    tokio::spawn(metrics::watch_queues(node.backend().clone(), Duration::from_secs(1)));
    tokio::spawn(enqueue());

    let port = env::var("PORT").map_or(Ok(0), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("http://{}/metrics", listener.local_addr()?);
    let page = recorder.clone();
    let app = Router::new().route("/metrics", get(async move || page.render()));
    tokio::spawn(async move {
        loop {
            pause(5_000).await;
            recorder.run_upkeep();
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    node.run_until_signal().await;
    Ok(())
}

/// Something to count: a few jobs, again and again.
async fn enqueue() {
    for number in 0.. {
        let _ = SendMail::enqueue(number).await;
        if number % 10 == 0 {
            let _ = ResizeImage::enqueue(number).await;
        }
        pause(100).await;
    }
}
