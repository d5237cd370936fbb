//! The pages, and what is around each of them.

pub(crate) mod audit;
pub(crate) mod dead;
pub(crate) mod executors;
pub(crate) mod flows;
pub(crate) mod history;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod nodes;
pub(crate) mod overview;
pub(crate) mod schedules;
mod tags;
pub(crate) mod workflow;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use rexecutor::job::JobStatus;

use crate::{access::Role, assets, problem::Problem, request::Cx};

/// A page as it is sent.
#[derive(Debug)]
pub(crate) struct Page(String);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], self.0).into_response()
    }
}

/// The pages in the order of the navigation, and who sees them.
const PAGES: &[(&str, &str, Role)] = &[
    ("/", "Overview", Role::Viewer),
    ("/jobs", "Jobs", Role::Viewer),
    ("/executors", "Executors", Role::Viewer),
    ("/schedules", "Schedules", Role::Viewer),
    ("/nodes", "Nodes", Role::Viewer),
    ("/flows", "Flows", Role::Viewer),
    ("/dead", "Dead letters", Role::Viewer),
    ("/audit", "Audit", Role::Operator),
];

/// The keys that the script knows.
const KEYS: &[(&[&str], &str)] = &[
    (&["/"], "search"),
    (&["j", "k"], "next row, previous row"),
    (&["Enter"], "open the row"),
    (&["x"], "select the row"),
    (&["1", "2", "…", "8"], "go to a page, in the order of the navigation"),
    (&["?"], "this help"),
    (&["Esc"], "close this, or leave a field"),
];

/// A whole page. The parts of it that have `data-live` are replaced, one by one, when something has changed.
pub(crate) fn page(cx: &Cx, title: &str, current: &str, body: Markup) -> Page {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · rexecutor" }
                link rel="stylesheet" href=(asset(cx, "style.css"));
                link rel="icon" href=(asset(cx, "icon.svg")) type="image/svg+xml";
                script src=(asset(cx, "live.js")) defer {}
            }
            body data-prefix=(cx.prefix) {
                a.skip href="#main" { "To the content" }
                header {
                    a.name href=(cx.link("/")) { "rexecutor" }
                    nav aria-label="Pages" {
                        @for (path, name, _) in PAGES.iter().filter(|(_, _, role)| cx.may(*role)) {
                            a href=(cx.link(path)) aria-current=[(*path == current).then_some("page")] { (name) }
                        }
                    }
                    @if let Some((name, warns)) = &cx.shared.banner {
                        span.database.warning[*warns] title="The database" { (name) }
                    }
                    span.connection hidden { span.dot {} span.word { "live" } }
                    span.who title=(cx.access.role().as_str()) { (cx.access.name()) }
                }
                @if let Some(notice) = &cx.notice { p.notice role="status" { (notice) } }
                main id="main" { (body) }
                footer {
                    button.keys type="button" hidden { kbd { "?" } " keys" }
                    span { "Times are in " span.zone { "UTC" } "." }
                }
                dialog.help aria-label="Keys" {
                    h2 { "Keys" }
                    dl { @for (keys, what) in KEYS {
                        dt { @for key in *keys { kbd { (key) } " " } } dd { (what) }
                    } }
                    form method="dialog" { button { "Close" } }
                }
            }
        }
    };
    Page(markup.into_string())
}

fn asset(cx: &Cx, name: &str) -> String {
    cx.link(&format!("/assets/{name}?{}", *assets::VERSION))
}

/// A page that says what went wrong. It knows nothing of whoever asks, and so has no links.
pub(crate) fn problem(status: StatusCode, sentence: &str) -> Page {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (status.as_u16()) " · rexecutor" }
            }
            body { main { h1 { (status.canonical_reason().unwrap_or("Error")) } p { (sentence) } } }
        }
    };
    Page(markup.into_string())
}

/// There is no such page.
pub(crate) async fn missing(cx: Cx) -> Problem {
    Problem::NotFound(format!("There is no page `{}`.", cx.here))
}

/// A status: a shape, a word and a colour.
pub(crate) fn status(status: JobStatus) -> Markup {
    html! { span class=(format!("status {status}")) { span { (status) } } }
}

/// What every form carries.
pub(crate) fn hidden(cx: &Cx) -> Markup {
    html! {
        input type="hidden" name="token" value=(cx.token());
        input type="hidden" name="back" value=(cx.here);
    }
}

/// What stands where there is nothing.
pub(crate) fn empty(what: &str) -> Markup {
    html! { p.empty { (what) } }
}
