//! A dashboard on a loopback port, over a backend in memory.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{Router, http::request::Parts};
use rexecutor::{
    backend::{
        AboutNode, AuditEntry, AuditObject, Backend, Claim, Demand, Due, Enqueue, Failure, Maintain, NewJob, Node,
        Outcome, Pause, RunEnd, Scope, Settle, Settlement, Tally, memory::InMemoryBackend,
    },
    job::{ErrorType, JobId},
    schedule::{EntryStep, NewEntry, Schedule},
};
use rexecutor_web::{Access, Dashboard, Role};
use tokio::runtime::Runtime;

/// A dashboard that is served until this is dropped.
#[derive(Debug)]
pub struct Site {
    /// Where jobs are.
    pub backend: Arc<InMemoryBackend>,
    /// Where the dashboard is.
    pub address: String,
    runtime: Runtime,
}

impl Site {
    /// A dashboard with nothing to show, under a prefix.
    pub fn empty() -> Self {
        let runtime = Runtime::new().expect("the system has threads");
        let backend = Arc::new(InMemoryBackend::new());
        let everybody = |_: &Parts| Ok(Access::new("tester", Role::Admin));
        let dashboard = Dashboard::new(backend.clone(), everybody).with_warning_banner("shop, production").router();
        let app = Router::new().nest("/queue", dashboard);
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a port is free");
        let address = format!("http://{}/queue", listener.local_addr().expect("it has an address"));
        runtime.spawn(async { axum::serve(listener, app).await });
        Self { backend, address, runtime }
    }

    /// … with a node and `count` jobs of all kinds.
    pub fn with_jobs(count: usize) -> Self {
        let site = Self::empty();
        site.runtime.block_on(fill(&site.backend, count));
        site
    }

    /// Enqueues a job.
    pub fn enqueue(&self, job: NewJob) -> JobId {
        self.runtime.block_on(self.backend.enqueue(vec![job])).expect("jobs can be enqueued")[0].id()
    }

    /// Cancels a job of the executor `import_feed`, as another program might.
    pub fn cancel(&self, id: JobId) {
        let executor = "import_feed".into();
        let cancel = rexecutor::backend::Inspect::cancel(&*self.backend, &executor, id, "not needed".to_owned());
        self.runtime.block_on(cancel).expect("it can be cancelled");
    }

    /// Where a job stands.
    pub fn status(&self, id: JobId) -> String {
        let filter = rexecutor::backend::Filter::IdIn(vec![id]);
        let found = rexecutor::backend::Inspect::query(&*self.backend, &filter, 1);
        self.runtime.block_on(found).expect("jobs can be read").remove(0).status.to_string()
    }

    /// The address of a page.
    pub fn page(&self, path: &str) -> String {
        // Nothing is found with a slash behind the prefix alone.
        let is_root = path == "/" || path.starts_with("/?");
        format!("{}{}", self.address, if is_root { path.trim_start_matches('/') } else { path })
    }
}

/// Jobs of all kinds. Nothing here waits: what is to have ended is settled.
async fn fill(backend: &InMemoryBackend, count: usize) {
    let executors = ["send_mail", "charge_card", "resize_image", "sync_customer"];
    let mut about = AboutNode::default();
    (about.host, about.pid, about.slots) = (Some("web-3.internal".to_owned()), Some(4711), Some(20));
    about.version = Some("2.4.1".to_owned());
    let node = backend.join(&Node::new("web-3", Duration::from_secs(600)).with_about(about)).await.expect("it joins");
    let names: Vec<_> = executors.iter().map(|name| (*name).into()).collect();
    backend.survey().expect("it can").unserved(node, &names).await.expect("it tells what it runs");
    let job = |number: usize| {
        let executor = executors[number % executors.len()];
        let data = format!(r#"{{"order":{number},"to":"customer-{}@example.com","items":["a","b"]}}"#, number % 97);
        NewJob::new(executor, data).with_tags(vec![format!("customer-{}", number % 97), "shop".to_owned()])
    };
    backend.enqueue((0..count).map(job).collect()).await.expect("jobs can be enqueued");
    let demands = executors.map(|executor| Demand::new(executor, count * 3 / 16 + 1));
    let runs = backend.claim(node, demands.into()).await.expect("jobs can be claimed").jobs;
    let details = "could not reach the bank\nconnection refused (bank.example:443)\nthe network is unreachable";
    let settle = |(place, run): (usize, &rexecutor::backend::JobRow)| {
        let failure = || Failure::new(ErrorType::Other("bank_unreachable".to_owned()), details);
        let outcome = match place % 12 {
            3 => Outcome::discard(failure()),
            7 => Outcome::retry(rexecutor::TimeDelta::minutes(4), failure()),
            9 => Outcome::cancel("the order was withdrawn"),
            _ => Outcome::complete(true),
        };
        Settlement::new(run.id, run.lease, outcome)
    };
    // As their node would have counted them over the last hour.
    let ends = [RunEnd::Completed, RunEnd::Retried, RunEnd::Discarded, RunEnd::Cancelled];
    let mut tallies = Vec::new();
    for (place, executor) in executors.iter().enumerate() {
        for (end, minute) in
            ends.iter().zip([1, 7, 11, 13]).flat_map(|(end, every)| (0..60 / every).map(move |nth| (*end, nth * every)))
        {
            let tally = Tally::new(*executor, end, Duration::from_secs(minute * 60));
            let runs = if count < 100 { 1 } else { 5 + minute % 17 };
            let time =
                |nth: u64| Duration::from_millis(4_u64.pow(u32::try_from(place).unwrap_or(0)) * (9 + nth * nth * 7));
            tallies.push((0..runs).fold(tally, |tally, nth| tally.with(time(nth), time(nth) * 3)));
        }
    }
    backend.history().expect("it can").add(tallies).await.expect("it is counted");
    // Three go on running.
    let settlements: Vec<_> = runs.iter().enumerate().skip(3).map(settle).collect();
    backend.settle(settlements.into()).await.expect("outcomes can be stored");
    let later = job(7).with_due(Due::In(rexecutor::TimeDelta::days(3)));
    let others =
        vec![later, job(8).with_blocked(true), NewJob::new("export_legacy", "{}"), NewJob::new("import_feed", "{}")];
    backend.enqueue(others).await.expect("jobs can be enqueued");
    let pause = Pause::new("the supplier moves their servers").by("ann");
    backend
        .control()
        .expect("it can")
        .pause(&Scope::Executor("import_feed".into()), pause)
        .await
        .expect("it is paused");
    let schedule = Schedule::parse("0 30 9 * * MON-FRI", "Europe/Berlin").expect("it is a schedule");
    let put = EntryStep::put("tenant-42-report", "ann", NewEntry::new(schedule, &NewJob::new("report", "42")));
    backend.entries().expect("it can").step(vec![put]).await.expect("it is put");
    let cancelled = |nth: usize| {
        let job = JobId::from(i64::try_from(nth + 1).unwrap_or(1));
        let entry = AuditEntry::new("ann@example.com", "cancel", AuditObject::job(job)).with_via("dashboard");
        let entry = entry.with_executor(Some(executors[nth % executors.len()].into()));
        let entry = entry.with_before(r#"{"status":"scheduled"}"#);
        match nth % 3 {
            0 => entry.with_error(Some("the job is complete already".to_owned())),
            _ => entry.with_after(r#"{"reason":"the order was withdrawn by the customer, who has called twice"}"#),
        }
    };
    let mut changes: Vec<_> = (0..count.min(70)).map(cancelled).collect();
    changes.push(AuditEntry::new("bob", "pause", AuditObject::cluster()).with_via("cli"));
    backend.audit_log().expect("it can").record_audit(changes).await.expect("it is recorded");
}
