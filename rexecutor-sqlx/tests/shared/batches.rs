//! Batches whose jobs run on two nodes of two processes, as far as anybody can tell.

use std::{collections::BTreeSet, time::Duration};

use rexecutor::{
    backend::{Backend, Filter, JobRow},
    batches::{Batch, BatchSummary, Threshold},
    prelude::*,
};

#[job(name = "batch_member")]
async fn batch_member(_number: u32) {}

#[job(name = "batch_end")]
async fn batch_end(_number: u32, batch: BatchSummary) -> Result<(i64, u64), String> {
    Ok((batch.id.0, batch.counts.complete))
}

const BATCHES: u32 = 40;
const JOBS: u32 = 11;

/// However often the last two jobs of a batch end at the same time on two nodes, its callback comes once, and both processes hear of
/// the end.
pub(crate) async fn ended_by_two_nodes<B: Backend + Clone>(here: &B, there: &B) {
    let mut batches = Vec::new();
    for batch in 0..BATCHES {
        let jobs = (0..JOBS).map(|number| BatchMember::builder().with_data(number));
        let end = || BatchEnd::builder().with_data(batch);
        let batch = Batch::new(format!("batch {batch}")).jobs(jobs).on_success(end());
        let batch = if batches.len() % 2 == 0 { batch } else { batch.on_progress(Threshold::Percent(100), end()) };
        batches.push(batch.enqueue_to_backend(if batches.len() % 3 == 0 { here } else { there }).await.unwrap());
    }
    let mut nodes = Vec::new();
    for backend in [here, there] {
        let node = Rexecutor::builder().with_backend(backend.clone()).with_max_running(2);
        nodes.push(node.with_executor::<BatchMember>().with_executor::<BatchEnd>().start().await.unwrap());
    }
    for batch in &batches {
        let summary = batch.wait().within(Duration::from_secs(50)).await.unwrap();
        assert_eq!((summary.counts.complete, summary.is_success()), (u64::from(JOBS), true));
    }
    let of_ends = Filter::Executor("batch_end".into());
    let ends = || here.query(&of_ends, 1_000);
    let is_over = |rows: &[JobRow]| rows.iter().all(|row| row.status == JobStatus::Complete);
    while !is_over(&ends().await.unwrap()) {
        tokio::task::yield_now().await;
    }
    for node in nodes {
        node.graceful_shutdown().await;
    }
    let rows = ends().await.unwrap();
    assert_eq!(rows.len(), batches.len() + batches.len() / 2);
    let told: BTreeSet<String> = rows.iter().filter_map(|row| row.extras.output.clone()).collect();
    let wanted = batches.iter().map(|batch| format!("[{},{JOBS}]", batch.id().0)).collect();
    assert_eq!(told, wanted);
}
