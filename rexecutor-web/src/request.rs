//! A request that was let in: who asks, where the dashboard stands, and forms that are really theirs.

use axum::{
    Form,
    extract::{FromRequest, FromRequestParts, OriginalUri, Request},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use rexecutor::{
    backend::{
        Backend, Filter, JobRow,
        observe::{self, Observe},
    },
    job::{ExecutorName, JobId},
};

use crate::{
    access::{Access, Role},
    app::Shared,
    audit::{self, Change},
    problem::Problem,
};

/// A request that was let in.
pub(crate) struct Cx {
    pub(crate) shared: Shared,
    pub(crate) access: Access,
    /// The path under which the dashboard stands, without a slash at its end.
    pub(crate) prefix: String,
    /// The path and the query behind that, as the browser has asked for it.
    pub(crate) here: String,
    /// What a change has come to, if one has just been made.
    pub(crate) notice: Option<String>,
    /// Through what changes are made, as the audit log says it.
    pub(crate) via: &'static str,
}

impl FromRequestParts<Shared> for Cx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let access = shared.authorize.authorize(parts).await.map_err(Problem::Denied)?;
        let inner = parts.uri.path().to_owned();
        let original = parts.extensions.get::<OriginalUri>().map_or(inner.clone(), |uri| uri.path().to_owned());
        let found = original.trim_end_matches('/').strip_suffix(inner.trim_end_matches('/')).unwrap_or_default();
        let prefix = shared.prefix.clone().unwrap_or_else(|| found.to_owned());
        let query = parts.uri.query().unwrap_or_default();
        let kept = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("done="));
        let kept = kept.collect::<Vec<_>>().join("&");
        let here = if kept.is_empty() { inner } else { format!("{inner}?{kept}") };
        let notice = query.split('&').find_map(|part| part.strip_prefix("done=")).and_then(notice);
        Ok(Self { shared: shared.clone(), access, prefix, here, notice, via: "dashboard" })
    }
}

/// What was done, in the address that follows a change: words of ours and numbers, so that nobody can make a page say something.
fn notice(code: &str) -> Option<String> {
    let mut parts = code.split('.');
    let verb = match parts.next()? {
        "cancel" => "Cancelled",
        "retry" => "Due now",
        "again" => "Due again",
        "release" => "Released",
        "priority" => "Priority changed of",
        "pause" => return Some("Paused.".to_owned()),
        "resume" => return Some("Resumed.".to_owned()),
        "trigger" => return Some("Triggered.".to_owned()),
        "overlap" => return Some("Nothing was enqueued: an earlier job of the schedule is not finished.".to_owned()),
        "remove" => return Some("Removed.".to_owned()),
        "delete" => "Deleted",
        _ => return None,
    };
    let (done, refused): (usize, usize) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let done = crate::format::jobs(done);
    Some(match refused {
        0 => format!("{verb}: {done}."),
        refused => format!("{verb}: {done}. {} could not be changed as they are now.", crate::format::number(refused)),
    })
}

impl Cx {
    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.shared.backend
    }

    pub(crate) fn observe(&self) -> Result<&dyn Observe, Problem> {
        Ok(observe::observe(self.backend())?)
    }

    /// The address of a page of ours.
    pub(crate) fn link(&self, path: &str) -> String {
        // Where a router is nested, nothing is found with a slash behind the prefix alone.
        match path.strip_prefix('/') {
            Some(rest) if !self.prefix.is_empty() && (rest.is_empty() || rest.starts_with('?')) => {
                format!("{}{rest}", self.prefix)
            }
            _ => format!("{}{path}", self.prefix),
        }
    }

    /// Refuses whoever has a lesser role.
    pub(crate) fn need(&self, role: Role) -> Result<(), Problem> {
        if self.access.role() >= role { Ok(()) } else { Err(Problem::Role(role.as_str())) }
    }

    pub(crate) fn may(&self, role: Role) -> bool {
        self.access.role() >= role
    }

    /// Refuses who may not see this executor, as if there were none.
    pub(crate) fn need_executor(&self, executor: &ExecutorName) -> Result<(), Problem> {
        if self.access.sees(executor) {
            Ok(())
        } else {
            Err(Problem::NotFound("There is no such executor.".to_owned()))
        }
    }

    /// The job, if they may see it.
    pub(crate) async fn job(&self, id: JobId) -> Result<JobRow, Problem> {
        let found = self.backend().query(&Filter::IdIn(vec![id]), 1).await?.pop();
        let seen = found.filter(|job| self.access.sees(&job.executor));
        seen.ok_or_else(|| {
            Problem::NotFound(format!("There is no job {id}. It may have been deleted after it finished."))
        })
    }

    pub(crate) fn token(&self) -> String {
        self.shared.secret.token(self.access.name())
    }

    /// Records a change.
    pub(crate) async fn record(&self, change: Change) {
        audit::record(self, &[change]).await;
    }

    /// What is shown of data or metadata.
    pub(crate) fn shown(&self, job: &JobRow, text: &str) -> String {
        self.shared.redact.as_ref().map_or_else(|| text.to_owned(), |redact| redact(job, text))
    }
}

/// A form that was filled in on a page of ours, by who asks.
pub(crate) struct Filled {
    pub(crate) cx: Cx,
    fields: Vec<(String, String)>,
}

impl FromRequest<Shared> for Filled {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let cx = Cx::from_request_parts(&mut parts, shared).await?;
        if is_of_another_site(&parts.headers) {
            return Err(Problem::Token);
        }
        let request = Request::from_parts(parts, body);
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, shared)
            .await
            .map_err(|_| Problem::Invalid("This is no form of ours.".to_owned()))?;
        let filled = Self { cx, fields };
        match shared.secret.is_token(filled.cx.access.name(), filled.get("token")) {
            true => Ok(filled),
            false => Err(Problem::Token),
        }
    }
}

/// What browsers say of who makes a request.
pub(crate) fn is_of_another_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some(site) => !matches!(site, "same-origin" | "none"),
        // A proxy may name the host that the browser has asked; no page of another site can say that.
        None => text("origin").is_some_and(|origin| {
            let asked = [text("x-forwarded-host"), text(header::HOST.as_str())];
            let origin = origin.split_once("://").map_or(origin, |(_, host)| host);
            asked.iter().any(Option::is_some) && !asked.contains(&Some(origin))
        }),
    }
}

impl Filled {
    /// The field of this name; empty, if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// All fields of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    pub(crate) fn executor(&self) -> Result<ExecutorName, Problem> {
        let executor = ExecutorName::from(self.get("executor").to_owned());
        self.cx.need_executor(&executor)?;
        Ok(executor)
    }

    /// Back to the page from which it was sent, which says what was done.
    pub(crate) fn back(&self, done: &str) -> Response {
        let back = self.get("back");
        // A path of ours, and no address of somebody else's.
        let is_ours = back.starts_with('/') && !back.starts_with("//") && !back.contains(['\\', '\r', '\n']);
        let back = if is_ours { back } else { "/" };
        let joint = if back.contains('?') { '&' } else { '?' };
        Redirect::to(&self.cx.link(&format!("{back}{joint}done={done}"))).into_response()
    }
}
