//! An album with 1,000 images: a task lists them and adds a task for each to its own workflow, and one that comes after all of them. A bar shows
//! how far it is, and a picture what the graph looks like.
//!
//! `cargo run --example pipeline`

use std::{error::Error, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use rexecutor::{
    prelude::*,
    workflows::{TaskRef, Tasks, Workflow, WorkflowError, WorkflowHandle},
};
use rexecutor_sqlx::SqliteBackend;
use sha2::{Digest, Sha256};

const IMAGES: u32 = 1_000;

/// Adds a task for each image, and one that comes after all of them.
#[job]
async fn list(album: String, workflow: WorkflowHandle) -> Result<u32, WorkflowError> {
    let mut tasks = Tasks::new();
    let images: Vec<TaskRef<u64>> =
        (1..=IMAGES).map(|image| tasks.task(format!("resize {image}"), Resize::builder().with_data(image))).collect();
    let archive = tasks.task("archive", Archive::builder().with_data(album.clone()).after(&images));
    tasks.task("publish", Publish::builder().with_data(album).after(&archive));
    workflow.add(tasks).await?;
    Ok(IMAGES)
}

/// Does some work, and gives the size of what comes of it.
#[job(blocking, max_concurrency = 4)]
async fn resize(image: u32) -> Result<u64, String> {
    let mut digest = Sha256::digest(image.to_be_bytes());
    for _ in 0..2_000 {
        digest = Sha256::digest(digest);
    }
    Ok(10_000 + u64::from(digest[0]))
}

#[job]
async fn archive(album: String, Upstream(sizes): Upstream<Vec<u64>>) -> Result<u64, String> {
    let bytes: u64 = sizes.iter().sum();
    println!("{album}: {} images in {bytes} bytes", sizes.len());
    Ok(bytes)
}

#[job]
async fn publish(album: String, Upstream(bytes): Upstream<u64>) {
    println!("{album} is published: {bytes} bytes");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let node = Rexecutor::from_registry().with_backend(SqliteBackend::in_memory().await?).start().await?;

    let mut workflow = Workflow::new("album 7");
    workflow.task("list", List::builder().with_data("album 7".to_owned()));
    let workflow = workflow.enqueue().await?;

    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} tasks in {elapsed}")?;
    let bar = ProgressBar::new(u64::from(IMAGES) + 3).with_style(style);
    let end = loop {
        match workflow.wait().within(Duration::from_millis(100)).await {
            Err(error) if error.is_transient() => bar.set_position(workflow.status().await?.counts.complete),
            ended => break ended?,
        }
    };
    bar.finish_and_clear();
    println!("{} of {} tasks have succeeded", end.counts.complete, end.counts.total());

    let picture = std::env::temp_dir().join("album-7.svg");
    std::fs::write(&picture, workflow.graph().await?.to_svg(|_| None))?;
    println!("the graph is drawn in {}", picture.display());
    node.graceful_shutdown().await;
    Ok(())
}
