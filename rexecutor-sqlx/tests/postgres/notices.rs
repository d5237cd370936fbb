//! Case 35: who enqueues has told the others when it ends, and who has no runtime is told so.

use std::{collections::BTreeSet, sync::Arc};

use futures::FutureExt;
use rexecutor::backend::{Claim, Enqueue, Inspect, NewJob, Result, Wakeup};
use rexecutor_sqlx::PgBackend;

use crate::support::{World, in_schema, job};

/// A wakeup that hears of what other processes do.
async fn listener(world: &World) -> (Arc<Wakeup>, tokio::task::JoinHandle<Result<()>>) {
    let (wakeup, backend) = (Arc::new(Wakeup::default()), world.another().await);
    let watched = wakeup.clone();
    let task = tokio::spawn(async move { backend.watch(watched).await });
    assert!(wakeup.listen().await.all);
    (wakeup, task)
}

/// Runs `work` on a runtime that ends as soon as it has, as that of a program does.
async fn on_a_runtime<W: Future<Output = ()> + Send + 'static>(work: impl FnOnce() -> W + Send + 'static) {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work());
    tokio::task::spawn_blocking(run).await.unwrap();
}

async fn hears(wakeup: &Wakeup, expected: BTreeSet<String>) {
    let mut heard = BTreeSet::new();
    while !expected.is_subset(&heard) {
        heard.extend(wakeup.listen().await.executors.into_iter().map(|executor| executor.to_string()));
    }
}

fn named(names: impl IntoIterator<Item = usize>) -> Vec<NewJob> {
    names.into_iter().map(|name| job(&format!("executor {name}"))).collect()
}

#[tokio::test]
async fn case_35_a_process_that_ends_right_after_an_enqueue_has_told_the_others() {
    in_schema(async |world| {
        let (wakeup, task) = listener(world).await;
        let (options, url) = (world.options(), world.url.clone());
        on_a_runtime(move || async move {
            let backend = options.connect(&url).await.unwrap();
            let _ = backend.enqueue(vec![job("alone")]).await.unwrap();
        })
        .await;
        hears(&wakeup, ["alone".to_owned()].into()).await;
        task.abort();
    })
    .await;
}

/// Most of these notices gather, and the last of them are told when the runtime ends.
#[tokio::test]
async fn case_35_a_process_that_ends_after_many_enqueues_has_told_of_all_of_them() {
    in_schema(async |world| {
        let (wakeup, task) = listener(world).await;
        let (options, url) = (world.options(), world.url.clone());
        on_a_runtime(move || async move {
            let backend = options.connect(&url).await.unwrap();
            for nth in 0..20 {
                let _ = backend.enqueue(named([nth])).await.unwrap();
            }
        })
        .await;
        hears(&wakeup, (0..20).map(|nth| format!("executor {nth}")).collect()).await;
        task.abort();
    })
    .await;
}

#[tokio::test]
async fn case_35_runtimes_that_are_thrown_away_do_not_stop_the_notices() {
    in_schema(async |world| {
        let (wakeup, task) = listener(world).await;
        let backend = world.another().await;
        for nth in 0..100 {
            let backend = backend.clone();
            on_a_runtime(move || async move {
                // Two, so that a notice is left when the runtime ends.
                let _ = backend.enqueue(named([2 * nth])).await.unwrap();
                let _ = backend.enqueue(named([2 * nth + 1])).await.unwrap();
            })
            .await;
        }
        hears(&wakeup, (0..200).map(|nth| format!("executor {nth}")).collect()).await;
        let _ = backend.enqueue(vec![job("afterwards")]).await.unwrap();
        hears(&wakeup, ["afterwards".to_owned()].into()).await;
        assert_eq!(world.rows().await.len(), 201);
        task.abort();
    })
    .await;
}

#[tokio::test]
async fn case_35_without_a_runtime_a_call_is_an_error_and_no_panic() {
    in_schema(async |world| {
        let (backend, url) = (world.backend.clone(), world.url.clone());
        let outside = std::thread::spawn(move || {
            let all = rexecutor::backend::Filter::All(Vec::new());
            // No runtime is there to be waited on.
            [
                format!("{:?}", backend.enqueue(vec![job("mail")]).now_or_never().unwrap().unwrap_err()),
                format!("{:?}", backend.enqueue(vec![job("mail"); 2_000]).now_or_never().unwrap().unwrap_err()),
                format!("{:?}", backend.query(&all, 1).now_or_never().unwrap().unwrap_err()),
                format!("{:?}", PgBackend::connect(url).now_or_never().unwrap().unwrap_err()),
            ]
        });
        for said in outside.join().unwrap() {
            assert!(said.contains("PostgreSQL is asked outside of a tokio runtime"), "{said}");
        }
        assert!(world.rows().await.is_empty());
    })
    .await;
}
