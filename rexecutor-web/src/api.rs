//! The same as the pages, as JSON. Numbers of jobs are texts: JavaScript cannot count as far.
//!
//! Changes need the header `x-requested-with`, or a bearer token: no form of another site can send either.

use axum::{
    Json,
    extract::{FromRequestParts, Path, Query},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use rexecutor::{
    backend::{JobRow, observe::Count},
    clock::{Clock, SystemClock},
    job::{ExecutorName, JobStatus},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    actions::Action,
    app::Shared,
    bearer,
    format::iso,
    history::{self, Wanted},
    overview::{self, Overview},
    pages,
    problem::Problem,
    request::{Cx, is_of_another_site},
    search::Search,
    shapes,
    steer::{self, Step},
};

/// What goes wrong, as JSON.
pub(crate) struct Wrong(Problem);

impl<P: Into<Problem>> From<P> for Wrong {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        self.0.json()
    }
}

/// A request of a program that was let in.
pub(crate) struct Ask(pub(crate) Cx);

impl FromRequestParts<Shared> for Ask {
    type Rejection = Wrong;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Wrong> {
        let is_change = parts.method != axum::http::Method::GET;
        let is_marked = parts.headers.contains_key("x-requested-with") || bearer::token(&parts.headers).is_some();
        let is_marked = is_marked && !is_of_another_site(&parts.headers);
        if is_change && !is_marked {
            return Err(Problem::Invalid("Send the header `x-requested-with` with changes.".to_owned()).into());
        }
        Ok(Self(Cx { via: "api", ..Cx::from_request_parts(parts, shared).await? }))
    }
}

type Answer = Result<Json<Value>, Wrong>;

pub(crate) async fn overview(Ask(cx): Ask) -> Answer {
    let seen = Overview::of(&cx).await?;
    let attention =
        seen.attention.iter().map(|one| json!({ "what": one.what, "why": one.why, "link": cx.link(&one.link) }));
    let total = |status: &JobStatus| match cx.access.executors() {
        None => seen.counts.total(*status),
        Some(names) => names.iter().fold(Count::default(), |sum, name| sum.plus(seen.counts.of(name, *status))),
    };
    let counts: Map<String, Value> =
        JobStatus::ALL.iter().map(|status| (status.to_string(), shapes::count(total(status)))).collect();
    let recent = &seen.recent;
    Ok(Json(json!({
        "now": iso(seen.cluster.now),
        "attention": attention.collect::<Vec<_>>(),
        "counts": counts,
        "finished": {
            "since": iso(recent.since), "is_cut": recent.is_cut, "jobs": recent.jobs.len(), "discarded": recent.discarded(),
            "wait_seconds": shapes::quantiles(recent.wait), "run_seconds": shapes::quantiles(recent.run),
        },
        "executors": seen.cluster.executors.iter().map(|one| shapes::executor(one, &seen.cluster)).collect::<Vec<_>>(),
    })))
}

fn job_of(cx: &Cx, job: &JobRow) -> Value {
    shapes::job(job, |text| cx.shown(job, text))
}

pub(crate) async fn jobs(Ask(cx): Ask, Query(parameters): Query<Vec<(String, String)>>) -> Answer {
    let search = Search::read(&parameters)?;
    let page = cx.observe()?.page(&search.request(&cx, SystemClock.now())?).await?;
    Ok(Json(json!({
        "jobs": page.jobs.iter().map(|job| job_of(&cx, job)).collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()), "is_partial": page.is_partial, "now": iso(page.now),
    })))
}

pub(crate) async fn job(Ask(cx): Ask, Path(id): Path<String>) -> Answer {
    let job = cx.job(pages::job::number(&id)?).await?;
    let why = pages::job::why(&cx, &job).await?;
    let mut shown = job_of(&cx, &job);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("why".to_owned(), shapes::explanation(&why));
    }
    Ok(Json(shown))
}

/// What a change says beside its address. All of it may be left out that the change does not need.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Asked {
    reason: String,
    priority: Option<u16>,
    minutes: Option<u32>,
    executor: Option<String>,
    tag: Option<String>,
    name: String,
}

impl Asked {
    fn minutes(&self) -> String {
        self.minutes.map_or(String::new(), |minutes| minutes.to_string())
    }
}

pub(crate) async fn change_job(
    Ask(cx): Ask,
    Path((id, action)): Path<(String, String)>,
    Json(asked): Json<Asked>,
) -> Answer {
    let priority = asked.priority.map_or(String::new(), |priority| priority.to_string());
    let action = Action::read(&action, &asked.reason, &priority)?;
    let id = pages::job::number(&id)?;
    action.perform(&cx, &cx.job(id).await?).await?;
    Ok(Json(json!({ "id": id.to_string(), "done": action.as_str() })))
}

pub(crate) async fn executors(Ask(cx): Ask) -> Answer {
    let cluster = cx.observe()?.cluster().await?;
    let seen = cluster.executors.iter().filter(|one| cx.access.sees(&one.executor));
    Ok(Json(json!({
        "now": iso(cluster.now),
        "paused": cluster.paused.as_ref().map(|paused| shapes::pause(paused.since, &paused.pause)),
        "tags": cluster.tags.iter().map(shapes::tag).collect::<Vec<_>>(),
        "executors": seen.map(|one| shapes::executor(one, &cluster)).collect::<Vec<_>>(),
    })))
}

/// `pause` or `resume`, of an executor, of a tag, or of the whole cluster where none is named.
pub(crate) async fn change_executor(Ask(cx): Ask, Path(action): Path<String>, Json(asked): Json<Asked>) -> Answer {
    let executor = asked.executor.clone().map(ExecutorName::from);
    let was = match (action.as_str(), &asked.tag) {
        (_, Some(_)) if executor.is_some() => {
            return Err(Problem::Invalid("An executor or a tag, and not both.".to_owned()).into());
        }
        ("pause", Some(tag)) => steer::pause_tag(&cx, tag, &asked.reason, &asked.minutes()).await.map(|()| None)?,
        ("resume", Some(tag)) => Some(steer::resume_tag(&cx, tag).await?),
        ("pause", None) => steer::pause(&cx, executor, &asked.reason, &asked.minutes()).await.map(|()| None)?,
        ("resume", None) => Some(steer::resume(&cx, executor).await?),
        _ => return Err(Problem::NotFound("There is no such action.".to_owned()).into()),
    };
    Ok(Json(json!({ "done": action, "was_paused": was })))
}

pub(crate) async fn schedules(Ask(cx): Ask) -> Answer {
    let entries = overview::schedules(&cx).await?;
    Ok(Json(json!({ "schedules": entries.iter().map(shapes::schedule).collect::<Vec<_>>() })))
}

/// `pause`, `resume`, `trigger` or `remove`, of the entry that is named.
pub(crate) async fn change_schedule(Ask(cx): Ask, Path(action): Path<String>, Json(asked): Json<Asked>) -> Answer {
    let minutes = asked.minutes();
    let step = match action.as_str() {
        "pause" => Step::Pause { reason: &asked.reason, minutes: &minutes },
        "resume" => Step::Resume,
        "trigger" => Step::Trigger,
        "remove" => Step::Remove,
        _ => return Err(Problem::NotFound("There is no such action.".to_owned()).into()),
    };
    let done = steer::schedule(&cx, &asked.name, step).await?;
    Ok(Json(json!({ "done": done })))
}

pub(crate) async fn nodes(Ask(cx): Ask) -> Answer {
    let cluster = cx.observe()?.cluster().await?;
    let nodes = cluster.nodes.iter().map(|node| shapes::node(node, &cluster, |name| cx.access.sees(name)));
    Ok(Json(json!({ "now": iso(cluster.now), "nodes": nodes.collect::<Vec<_>>() })))
}

/// How jobs went: step by step of all executors or of one, `of`, and in all by executor.
pub(crate) async fn history(Ask(cx): Ask, Query(parameters): Query<Vec<(String, String)>>) -> Answer {
    let asked = Wanted::read(&parameters)?;
    let missing = || Problem::NotFound("The backend keeps no history.".to_owned());
    let timeline = history::timeline(&cx, asked.span).await?.ok_or_else(missing)?;
    let points = match &asked.of {
        Some(executor) => timeline.points_of(executor),
        None => timeline.points(),
    };
    let executors: Map<String, Value> =
        timeline.executors().map(|name| (name.to_string(), shapes::point(&timeline.total_of(name.as_str())))).collect();
    Ok(Json(json!({
        "now": iso(timeline.now()), "since": iso(timeline.since()), "step": timeline.step(), "executors": executors,
        "points": points.iter().map(shapes::point).collect::<Vec<_>>(),
    })))
}

/// Workflows and batches, the newest first.
pub(crate) async fn flows(Ask(cx): Ask, Query(parameters): Query<Vec<(String, String)>>) -> Answer {
    let page = pages::flows::read(&cx, &pages::flows::Asked::read(&parameters)?).await?;
    Ok(Json(json!({
        "flows": page.flows.iter().map(shapes::flow).collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()), "now": iso(page.now),
    })))
}

/// Who has changed what, the newest first.
pub(crate) async fn audit(Ask(cx): Ask, Query(parameters): Query<Vec<(String, String)>>) -> Answer {
    let page = pages::audit::read(&cx, &pages::audit::Asked::read(&parameters)?).await?;
    Ok(Json(json!({
        "entries": page.records.iter().map(shapes::audit).collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()), "is_partial": page.is_partial, "now": iso(page.now),
    })))
}

pub(crate) async fn dead(Ask(cx): Ask) -> Answer {
    let (groups, is_cut, now) = pages::dead::groups(&cx).await?;
    let groups = groups.iter().map(shapes::group);
    Ok(Json(json!({ "now": iso(now), "is_cut": is_cut, "groups": groups.collect::<Vec<_>>() })))
}

/// There is no such answer.
pub(crate) async fn missing(Ask(_): Ask) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "There is no such address." }))).into_response()
}
