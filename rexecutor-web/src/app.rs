//! The dashboard's parts, and the routes to its pages.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use rexecutor::backend::{AuditEntry, Backend, JobRow};

use crate::{access::Authorize, api, assets, audit::Audit, bulk, csrf::Secret, enqueue, health, history, live, pages};

/// What is shown in place of what is stored: it takes the job, and its data or metadata.
type Redact = dyn Fn(&JobRow, &str) -> String + Send + Sync;

/// A dashboard that is being put together.
///
/// # Examples
///
/// ```
/// use rexecutor::backend::memory::InMemoryBackend;
/// use rexecutor_web::{Access, Dashboard, Role};
///
/// let everybody = |_: &axum::http::request::Parts| Ok(Access::new("somebody", Role::Viewer));
/// let router: axum::Router = Dashboard::new(InMemoryBackend::new(), everybody)
///     .with_banner("shop, production")
///     .with_audit(|change: &rexecutor_web::Change| println!("{} by {}", change.action, change.by))
///     .router();
/// # drop(router);
/// ```
#[must_use = "a dashboard does nothing before its router is served"]
pub struct Dashboard {
    inner: Inner,
}

/// What all requests share.
pub(crate) type Shared = Arc<Inner>;

pub(crate) struct Inner {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) authorize: Arc<dyn Authorize>,
    pub(crate) audit: Option<Arc<dyn Audit>>,
    pub(crate) audit_retention: Duration,
    pub(crate) secret: Secret,
    pub(crate) prefix: Option<String>,
    pub(crate) banner: Option<(String, bool)>,
    pub(crate) redact: Option<Arc<Redact>>,
    pub(crate) live: live::Live,
    pub(crate) health: health::Health,
    pub(crate) history: history::Cache,
}

/// The dashboard of a backend, for those whom `authorize` lets in: [`Dashboard`] with nothing else said.
pub fn router(backend: impl Backend, authorize: impl Authorize) -> Router {
    Dashboard::new(backend, authorize).router()
}

impl Dashboard {
    /// The dashboard of a backend, for those whom `authorize` lets in.
    pub fn new(backend: impl Backend, authorize: impl Authorize) -> Self {
        Self {
            inner: Inner {
                backend: Arc::new(backend),
                authorize: Arc::new(authorize),
                audit: None,
                audit_retention: AuditEntry::KEPT,
                secret: Secret::random(),
                prefix: None,
                banner: None,
                redact: None,
                live: live::Live::default(),
                health: health::Health::default(),
                history: history::Cache::default(),
            },
        }
    }

    /// Names the database on every page.
    pub fn with_banner(mut self, name: impl Into<String>) -> Self {
        self.inner.banner = Some((name.into(), false));
        self
    }

    /// Names the database on every page, in a colour that warns: for production.
    pub fn with_warning_banner(mut self, name: impl Into<String>) -> Self {
        self.inner.banner = Some((name.into(), true));
        self
    }

    /// For how long the audit log keeps what is changed from here on; the default is 90 days, and the most 100 years. The audit log is a table
    /// of the backend, which deletes by itself what has been kept for long enough.
    pub fn with_audit_retention(mut self, kept: Duration) -> Self {
        self.inner.audit_retention = kept;
        self
    }

    /// Is told of every change, beside the audit log and the log of the program.
    pub fn with_audit(mut self, audit: impl Audit) -> Self {
        self.inner.audit = Some(Arc::new(audit));
        self
    }

    /// What the tokens of forms are made of. Several processes that serve one address need the same; the default is random, so
    /// that a form is good for one process, until it ends. It should be 32 random bytes at least.
    pub fn with_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.inner.secret = Secret::of(secret.as_ref());
        self
    }

    /// Under which path browsers find the dashboard, as `/jobs`. It is found out by itself, but for a proxy that takes a part of
    /// the path away.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.inner.prefix = Some(prefix.into().trim_end_matches('/').to_owned());
        self
    }

    /// What is shown in place of data and metadata: the function takes the job, and either text as it is stored. Nobody can search in
    /// data then.
    pub fn with_redaction(mut self, redact: impl Fn(&JobRow, &str) -> String + Send + Sync + 'static) -> Self {
        self.inner.redact = Some(Arc::new(redact));
        self
    }

    /// The routes, to be nested under a path, or served alone.
    pub fn router(self) -> Router {
        let shared: Shared = Arc::new(self.inner);
        let api = Router::new()
            .route("/overview", get(api::overview))
            .route("/jobs", get(api::jobs))
            .route("/jobs/{id}", get(api::job))
            .route("/jobs/{id}/{action}", post(api::change_job))
            .route("/enqueue", post(enqueue::enqueue))
            .route("/executors", get(api::executors))
            .route("/executors/{action}", post(api::change_executor))
            .route("/schedules", get(api::schedules))
            .route("/schedules/{action}", post(api::change_schedule))
            .route("/nodes", get(api::nodes))
            .route("/dead", get(api::dead))
            .route("/history", get(api::history))
            .route("/audit", get(api::audit))
            .route("/flows", get(api::flows))
            .fallback(api::missing);
        Router::new()
            .route("/", get(pages::overview::show))
            .route("/jobs", get(pages::jobs::show))
            .route("/jobs/bulk", post(bulk::change))
            .route("/jobs/{id}", get(pages::job::show).post(pages::job::change))
            .route("/flows", get(pages::flows::show))
            .route("/workflows/{id}", get(pages::workflow::show).post(pages::workflow::change))
            .route("/executors", get(pages::executors::show).post(pages::executors::change))
            .route("/schedules", get(pages::schedules::show).post(pages::schedules::change))
            .route("/nodes", get(pages::nodes::show))
            .route("/dead", get(pages::dead::show).post(pages::dead::change))
            .route("/audit", get(pages::audit::show))
            .route("/events", get(live::events))
            .route("/live", get(health::live))
            .route("/ready", get(health::ready))
            .route("/assets/style.css", get(assets::style))
            .route("/assets/icon.svg", get(assets::icon))
            .route("/assets/live.js", get(assets::script))
            .nest("/api", api)
            .fallback(pages::missing)
            .layer(middleware::from_fn(whole))
            .layer(middleware::from_fn(headers))
            .with_state(shared)
    }
}

impl std::fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dashboard").field("backend", &self.inner.backend).finish_non_exhaustive()
    }
}

/// Nothing from anywhere else, nothing that stands in the page itself, and no page in a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A change that was begun comes to its end, and into the audit log, though whoever has asked for it is gone.
async fn whole(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends.
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    }
}

async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
