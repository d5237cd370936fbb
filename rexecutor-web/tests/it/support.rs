//! A dashboard over a backend in memory, and what tests ask of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header, request::Parts},
};
use rexecutor::{
    backend::{
        AboutNode, Backend, Claim, Demand, Due, Enqueue, Failure, JobRow, Maintain, NewJob, Node, Outcome, Settle,
        Settlement, memory::InMemoryBackend,
    },
    job::{ErrorType, JobId, NodeId},
};
use rexecutor_web::{Access, Change, Dashboard, Denied, Role};
use serde_json::Value;
use tower::ServiceExt;

/// Who they are is a header: `viewer`, `operator`, `admin`, or `mail-operator`, who sees the executor `mail` only.
pub(crate) fn by_header(request: &Parts) -> Result<Access, Denied> {
    match request.headers.get("x-user").and_then(|user| user.to_str().ok()) {
        Some(user @ "viewer") => Ok(Access::new(user, Role::Viewer)),
        Some(user @ "operator") => Ok(Access::new(user, Role::Operator)),
        Some(user @ "admin") => Ok(Access::new(user, Role::Admin)),
        Some(user @ "mail-operator") => Ok(Access::new(user, Role::Operator).only(["mail"])),
        Some("nobody") => Err(Denied::Forbidden),
        _ => Err(Denied::Unauthorized),
    }
}

pub(crate) struct World {
    pub(crate) backend: Arc<InMemoryBackend>,
    pub(crate) changes: Arc<Mutex<Vec<Change>>>,
    router: Router,
    prefix: &'static str,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |location| location.to_str().unwrap())
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::under("")
    }

    pub(crate) fn under(prefix: &'static str) -> Self {
        Self::of(prefix, |dashboard| dashboard)
    }

    pub(crate) fn of(prefix: &'static str, set: impl FnOnce(Dashboard) -> Dashboard) -> Self {
        let backend = Arc::new(InMemoryBackend::new());
        let changes = Arc::new(Mutex::new(Vec::new()));
        let told = changes.clone();
        let dashboard = Dashboard::new(backend.clone(), by_header).with_secret("the same in every test");
        let dashboard = dashboard.with_audit(move |change: &Change| told.lock().unwrap().push(change.clone()));
        let router = set(dashboard).router();
        let router = if prefix.is_empty() { router } else { Router::new().nest(prefix, router) };
        Self { backend, changes, router, prefix }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = to_bytes(answer.into_body(), 16 * 1024 * 1024).await.unwrap();
        Answer { status, headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }

    fn request(&self, method: Method, user: &str, path: &str) -> axum::http::request::Builder {
        let path = if path == "/" && !self.prefix.is_empty() { "" } else { path };
        let request = Request::builder().method(method).uri(format!("{}{path}", self.prefix));
        if user.is_empty() { request } else { request.header("x-user", user) }
    }

    pub(crate) async fn get(&self, user: &str, path: &str) -> Answer {
        self.send(self.request(Method::GET, user, path).body(Body::empty()).unwrap()).await
    }

    /// An answer that may have no end.
    pub(crate) async fn answer(&self, user: &str, path: &str) -> axum::response::Response {
        let request = self.request(Method::GET, user, path).body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// The token that somebody's pages have.
    pub(crate) async fn token(&self, user: &str) -> String {
        let page = self.get(user, "/jobs").await.text;
        let (_, rest) = page.split_once(r#"name="token" value=""#).expect("the page has a form");
        rest.split('"').next().unwrap().to_owned()
    }

    pub(crate) async fn post(&self, user: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(user).await;
        let mut all = vec![("token", token.as_str())];
        all.extend(fields);
        self.post_plainly(user, path, &all, &[]).await
    }

    pub(crate) async fn post_plainly(
        &self,
        user: &str,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let mut request = self.request(Method::POST, user, path);
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.join("&"))).unwrap()).await
    }

    pub(crate) async fn call(&self, user: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.request(Method::POST, user, path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn enqueue(&self, job: NewJob) -> JobId {
        self.backend.enqueue(vec![job]).await.unwrap()[0].id()
    }

    pub(crate) async fn node(&self, label: &str, executors: &[&str]) -> NodeId {
        let mut about = AboutNode::default();
        (about.host, about.version, about.slots) = (Some(label.to_owned()), Some(label.to_owned()), Some(10));
        let node = self.backend.join(&Node::new(label, Duration::from_secs(60)).with_about(about)).await.unwrap();
        let names: Vec<_> = executors.iter().map(|name| (*name).to_owned().into()).collect();
        self.backend.survey().unwrap().unserved(node, &names).await.unwrap();
        node
    }

    pub(crate) async fn claim(&self, node: NodeId, executor: &str) -> JobRow {
        let demand = Demand::new(executor.to_owned(), 1);
        self.backend.claim(node, [demand].into()).await.unwrap().jobs.remove(0)
    }

    /// A job that was discarded with these details.
    pub(crate) async fn discarded(&self, executor: &str, error_type: &str, details: &str) -> JobId {
        // Before all others.
        let due = Due::At(chrono::DateTime::UNIX_EPOCH);
        let id = self.enqueue(NewJob::new(executor.to_owned(), "1").with_due(due)).await;
        let node = self.node("n", &[]).await;
        let run = self.claim(node, executor).await;
        let outcome = Outcome::discard(Failure::new(ErrorType::from(error_type.to_owned()), details));
        self.backend.settle([Settlement::new(run.id, run.lease, outcome)].into()).await.unwrap();
        self.backend.leave(node).await.unwrap();
        assert_eq!(run.id, id);
        id
    }
}

/// Every page that needs no job.
pub(crate) const PAGES: [&str; 8] = ["/", "/jobs", "/executors", "/schedules", "/nodes", "/flows", "/dead", "/audit"];
