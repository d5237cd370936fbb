//! Tags whose jobs are paused, as a part of the page of the executors.

use maud::{Markup, html};
use rexecutor::backend::{Paused, Scope, observe::Cluster};

use super::{executors::words, hidden};
use crate::request::Cx;

/// The tags that are paused, and the form that pauses one.
pub(super) fn section(cx: &Cx, cluster: &Cluster, may: bool) -> Markup {
    html! {
        section.card id="tags" data-live {
            h2 { "Paused tags" }
            @if cluster.tags.is_empty() { p.soft { "Jobs of all tags are claimed." } }
            @else { div.scroll { table.rows {
                thead { tr { th scope="col" { "tag" } th scope="col" { "state" } } }
                tbody { @for paused in &cluster.tags { (row(cx, paused, cluster, may)) } }
            } } }
            @if may { details.menu {
                summary { "Pause a tag…" }
                form method="post" action=(cx.link("/executors")) {
                    (hidden(cx))
                    input type="hidden" name="of_tag" value="1";
                    input type="text" name="tag" placeholder="tag" aria-label="Tag" required;
                    input type="text" name="reason" placeholder="reason" aria-label="Reason" required;
                    input type="number" name="minutes" min="1" max="100000" placeholder="minutes" aria-label="For so many minutes; empty: until it is resumed";
                    button.danger name="action" value="pause" { "Pause" }
                }
            } }
        }
    }
}

fn row(cx: &Cx, paused: &Paused, cluster: &Cluster, may: bool) -> Markup {
    let Scope::Tag(tag) = &paused.scope else { return html! {} };
    html! {
        tr {
            td { (tag) }
            td {
                div { span.tag { "paused" } span.soft { (words(paused, cluster)) } }
                @if !paused.pause.reason.is_empty() { div.soft { (paused.pause.reason) } }
                @if may { form method="post" action=(cx.link("/executors")) {
                    (hidden(cx))
                    input type="hidden" name="of_tag" value="1";
                    input type="hidden" name="tag" value=(tag);
                    button name="action" value="resume" { "Resume" }
                } }
            }
        }
    }
}
