//! Telling open pages that something has changed, by Server-Sent Events.
//!
//! All viewers share one look at the backend every two seconds, which nobody takes while nobody watches. A page that is told fetches
//! itself anew, and replaces what differs. Events would tell sooner, and have every claim and every end of a run written down while somebody
//! watches: so the page of one job alone listens to them, of that job and its executor.

use std::{
    collections::hash_map::DefaultHasher,
    convert::Infallible,
    hash::{Hash, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Query, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{FutureExt, Stream, StreamExt, stream};
use rexecutor::{
    backend::{
        Filter,
        observe::{self, JobOrder, JobsRequest},
    },
    clock::{Clock, SystemClock},
    events::{EventStream, events_on_backend},
    job::JobId,
};
use tokio::sync::watch;

use crate::{
    app::{Inner, Shared},
    problem::Problem,
    request::Cx,
};

/// How often is looked.
const INTERVAL: Duration = Duration::from_secs(2);

/// After how many looks pages are told in any case: the times on them have gone on.
const AT_LEAST: u64 = 8;

/// How long a page is told of changes at a time: it comes again by itself then, and a server that shuts down waits no longer than this.
const LIFE: Duration = Duration::from_secs(60);

/// How long a page waits before it comes again.
const RETRY: Duration = Duration::from_millis(300);

/// What happens to a job within this time is told at once.
const GATHER: Duration = Duration::from_millis(100);

/// How many events of a job wait for its page: that there are any is all that matters.
const BUFFER: usize = 16;

/// What is told to open pages.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// The version of what there is to see, while anybody watches.
    version: Mutex<Option<watch::Receiver<u64>>>,
}

/// Tells a page whenever there is something new.
pub(crate) async fn events(
    cx: Result<Cx, Problem>,
    Query(parameters): Query<Vec<(String, String)>>,
    State(shared): State<Shared>,
) -> Response {
    let cx = match cx {
        Ok(cx) => cx,
        Err(problem) => return problem.json(),
    };
    let job = match of_job(&cx, &parameters).await {
        Ok(job) => job,
        Err(problem) => return problem.json(),
    };
    drop(cx);
    let version = watch(&shared);
    let changes = stream::unfold(version, |mut version| async move {
        version.changed().await.ok()?;
        let number = *version.borrow_and_update();
        Some((number.to_string(), version))
    });
    let changes =
        stream::select(changes, job.map_or_else(|| stream::empty().boxed(), |events| gathered(events).boxed()));
    let changes = changes.map(|number| Ok::<_, Infallible>(Event::default().event("change").data(number)));
    let first = stream::iter([Ok(Event::default().event("hello").retry(RETRY).data("0"))]);
    let changes = first.chain(changes).take_until(SystemClock.sleep(LIFE));
    Sse::new(changes).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

/// The events of the job whose page is open. `None`: it is another page, or the backend has none.
async fn of_job(cx: &Cx, parameters: &[(String, String)]) -> Result<Option<EventStream>, Problem> {
    let id = parameters.iter().find(|(name, _)| name == "job").and_then(|(_, id)| id.parse::<i64>().ok());
    let Some(id) = id else { return Ok(None) };
    if cx.backend().events().is_none() {
        return Ok(None);
    }
    // Of one that was deleted, or that they may not see, nothing is told.
    let job = match cx.job(JobId::from(id)).await {
        Err(Problem::NotFound(_)) => return Ok(None),
        job => job?,
    };
    let events = events_on_backend(&cx.shared.backend).executors([job.executor]).jobs([job.id]).buffer(BUFFER);
    // A database that does not answer has the page look as others do.
    Ok(events.listen().await.ok())
}

/// One word for all that happens at once.
fn gathered(events: EventStream) -> impl Stream<Item = String> {
    stream::unfold(events, |mut events| async move {
        events.next().await?.ok()?;
        SystemClock.sleep(GATHER).await;
        while let Some(Some(Ok(_))) = events.next().now_or_never() {}
        Some(("job".to_owned(), events))
    })
}

/// The version, and whoever looks, if nobody did before.
fn watch(shared: &Shared) -> watch::Receiver<u64> {
    let mut known = shared.live.version.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(version) = known.as_ref().filter(|version| version.has_changed().is_ok()) {
        return version.clone();
    }
    let (sender, version) = watch::channel(0);
    *known = Some(version.clone());
    tokio::spawn(look(shared.clone(), sender));
    version
}

/// Looks until nobody watches: the one receiver that is kept here does not count.
async fn look(shared: Shared, version: watch::Sender<u64>) {
    let (mut last, mut quiet) = (None, 0);
    loop {
        SystemClock.sleep(INTERVAL).await;
        if version.receiver_count() <= 1 {
            return;
        }
        let seen = fingerprint(&shared).await;
        quiet += 1;
        if seen != last || quiet >= AT_LEAST {
            version.send_modify(|version| *version += 1);
            quiet = 0;
        }
        last = seen;
    }
}

/// A number that changes with what there is to see; `None`: the backend does not answer.
async fn fingerprint(shared: &Inner) -> Option<u64> {
    let observe = observe::observe(&*shared.backend).ok()?;
    let (counts, cluster) = (observe.counts(1_000).await.ok()?, observe.cluster().await.ok()?);
    let mut hasher = DefaultHasher::new();
    for order in [JobOrder::Newest, JobOrder::Finished] {
        let request = JobsRequest::new(Filter::All(Vec::new())).in_order(order).at_most(1);
        let page = observe.page(&request).await.ok()?;
        page.jobs.first().map(|job| (job.id, job.lease, job.finished_at())).hash(&mut hasher);
    }
    format!("{counts:?} {:?} {:?} {:?}", cluster.paused, cluster.executors, cluster.runs).hash(&mut hasher);
    let nodes = cluster.nodes.iter().map(|node| (node.node, node.is_silent(cluster.now)));
    nodes.for_each(|node| node.hash(&mut hasher));
    Some(hasher.finish())
}
