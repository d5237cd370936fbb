//! The audit log: who has changed what, when, and what was there before.

use axum::extract::Query;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use rexecutor::{
    backend::{AuditObject, AuditPage, AuditRecord, AuditRequest, audit_log},
    job::{ExecutorName, JobId},
};

use super::{Page, empty, page};
use crate::{
    access::Role,
    format,
    overview::{jobs_link, query},
    problem::Problem,
    request::Cx,
};

const SIZE: usize = 50;

/// What is asked for in an address: who, `by`, what, `action`, of which job, `job`, or of which executor, `executor`; from where on,
/// `before`, and how many, `limit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    by: String,
    action: String,
    job: String,
    executor: String,
    before: Option<i64>,
    limit: Option<usize>,
}

impl Asked {
    pub(crate) fn read(parameters: &[(String, String)]) -> Result<Self, Problem> {
        let get = |name: &str| {
            let value = parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim());
            value.to_owned()
        };
        let number = |name: &str| match get(name) {
            text if text.is_empty() => Ok(None),
            text => {
                text.parse().map(Some).map_err(|_| Problem::Invalid(format!("`{name}` is a number, not `{text}`.")))
            }
        };
        let job: Option<i64> = number("job")?;
        let limit = number("limit")?.map(|limit: i64| usize::try_from(limit).unwrap_or(0));
        Ok(Self {
            by: get("by"),
            action: get("action"),
            job: job.map_or_else(String::new, |job| job.to_string()),
            executor: get("executor"),
            before: number("before")?,
            limit,
        })
    }

    fn request(&self, cx: &Cx) -> AuditRequest {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let job = self.job.parse::<i64>().ok().map(|job| AuditObject::job(JobId::from(job)));
        let executor = some(&self.executor).map(ExecutorName::from);
        // Who sees some executors alone sees what is about them, and nothing that is about all.
        let executors = match (executor, cx.access.executors()) {
            (Some(executor), _) => Some(if cx.access.sees(&executor) { vec![executor] } else { Vec::new() }),
            (None, seen) => seen.map(<[ExecutorName]>::to_vec),
        };
        let request = AuditRequest::new().by(some(&self.by)).of_action(some(&self.action)).of_object(job);
        request.of_executors(executors).before(self.before).at_most(self.limit.unwrap_or(SIZE))
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let limit = self.limit.map_or_else(String::new, |limit| limit.to_string());
        let all = [("by", &self.by), ("action", &self.action), ("job", &self.job), ("executor", &self.executor)];
        all.into_iter().map(|(name, value)| (name, value.clone())).chain([("limit", limit)]).collect()
    }

    fn link(&self, cx: &Cx) -> String {
        let before = self.before.map_or_else(String::new, |before| before.to_string());
        let parameters: Vec<_> = self.parameters().into_iter().chain([("before", before)]).collect();
        let query = query(&parameters);
        cx.link(&if query.is_empty() { "/audit".to_owned() } else { format!("/audit?{query}") })
    }

    fn is_plain(&self) -> bool {
        [&self.by, &self.action, &self.job, &self.executor].iter().all(|text| text.is_empty()) && self.before.is_none()
    }
}

/// The address of what was done to a job.
pub(crate) fn link_of(cx: &Cx, job: JobId) -> String {
    Asked { job: job.to_string(), ..Asked::default() }.link(cx)
}

/// What they may see of the audit log: it takes an operator, because it tells of people.
pub(crate) async fn read(cx: &Cx, asked: &Asked) -> Result<AuditPage, Problem> {
    cx.need(Role::Operator)?;
    let missing = || Problem::NotFound("The backend keeps no audit log.".to_owned());
    cx.backend().audit_log().ok_or_else(missing)?;
    Ok(audit_log(cx.backend())?.audit_page(&asked.request(cx)).await?)
}

pub(crate) async fn show(cx: Cx, Query(parameters): Query<Vec<(String, String)>>) -> Result<Page, Problem> {
    let asked = Asked::read(&parameters)?;
    let found = read(&cx, &asked).await?;
    let body = html! {
        div.bar { h1 { "Audit" } span.soft { "Who has changed what by hand" } }
        (fields(&cx, &asked))
        section.card id="entries" data-live aria-label="Changes" {
            @if found.records.is_empty() { (nothing(&cx, &asked, &found)) }
            @else { div.scroll { table.rows {
                thead { tr {
                    th.num scope="col" { "when" } th scope="col" { "who" } th scope="col" { "what" } th scope="col" { "of" }
                    th.wide scope="col" { "before" } th.wide scope="col" { "after" }
                } }
                tbody { @for record in &found.records { (row(&cx, record, found.now)) } }
            } } }
            (foot(&cx, &asked, &found))
        }
    };
    Ok(page(&cx, "Audit", "/audit", body))
}

fn fields(cx: &Cx, asked: &Asked) -> Markup {
    let field = |name: &'static str, label: &'static str, value: &str| {
        html! { input type="text" name=(name) value=(value) placeholder=(label) aria-label=(label) autocomplete="off" spellcheck="false"; }
    };
    html! {
        form.actions method="get" action=(cx.link("/audit")) role="search" {
            (field("by", "who", &asked.by))
            (field("action", "what, as cancel", &asked.action))
            (field("job", "number of a job", &asked.job))
            (field("executor", "executor", &asked.executor))
            button { "Search" }
            @if !asked.is_plain() { a.button href=(cx.link("/audit")) { "All changes" } }
        }
    }
}

fn nothing(cx: &Cx, asked: &Asked, found: &AuditPage) -> Markup {
    html! {
        @if found.is_partial { (empty("None among the entries that were looked at so far; there are more.")) }
        @else if asked.is_plain() { (empty("Nobody has changed anything of late. What is changed from here on stands here.")) }
        @else { p.empty { "No change matches. " a href=(cx.link("/audit")) { "Show all changes" } } }
    }
}

fn foot(cx: &Cx, asked: &Asked, found: &AuditPage) -> Markup {
    html! {
        div.bar.foot {
            span.soft { (format::number(found.records.len())) @if found.records.len() == 1 { " change" } @else { " changes" } " on this page" }
            span.grow {}
            @if asked.before.is_some() { a.button href=(Asked { before: None, ..asked.clone() }.link(cx)) { "First page" } }
            @if found.next.is_some() {
                a.button rel="next" href=(Asked { before: found.next, ..asked.clone() }.link(cx)) {
                    @if found.is_partial { "Search on" } @else { "Next page" }
                }
            }
        }
    }
}

fn row(cx: &Cx, record: &AuditRecord, now: DateTime<Utc>) -> Markup {
    let entry = &record.entry;
    let text =
        |text: &Option<String>| html! { @if let Some(text) = text { div.mono.wrap { (format::short(text, 400)) } } };
    html! {
        tr {
            td.num.when { (format::ago(record.at, now)) }
            td.wrap { (format::short(&entry.by, 80)) @if !entry.via.is_empty() { div.soft { (format::short(&entry.via, 20)) } } }
            td { (format::short(&entry.action, 40)) @if let Some(error) = &entry.error { div.soft.wrap { "refused: " (format::short(error, 200)) } } }
            td.wrap {
                (object(cx, &entry.object))
                @if let Some(executor) = entry.executor.as_ref().filter(|_| entry.object.kind != "executor") {
                    div.soft { (format::name(executor.as_str())) }
                }
            }
            td.wide { (text(&entry.before)) }
            td.wide { (text(&entry.after)) }
        }
    }
}

/// What was changed, with a link to it where there is a page of it.
fn object(cx: &Cx, object: &AuditObject) -> Markup {
    let (kind, id) = (object.kind.as_str(), object.id.as_str());
    let number = id.parse::<i64>().is_ok();
    let link = match kind {
        "job" if number => Some(format!("/jobs/{id}")),
        "flow" if number => Some(format!("/workflows/{id}")),
        "executor" => Some(jobs_link(&ExecutorName::from(id.to_owned()), "")),
        "schedule" => Some("/schedules".to_owned()),
        "node" => Some("/nodes".to_owned()),
        _ => None,
    };
    let text = match (kind, id) {
        ("cluster", _) => "the whole cluster".to_owned(),
        ("jobs", "") => "many jobs".to_owned(),
        (kind, id) => format!("{} {}", format::short(kind, 40), format::short(id, 80)),
    };
    html! { @match link { Some(link) => { a href=(cx.link(&link)) { (text) } } None => { (text) } } }
}
