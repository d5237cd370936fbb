//! The picture.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize},
    text::{Line, Span},
    widgets::{Clear, Paragraph, Sparkline, Wrap},
};
use rexecutor::job::JobStatus;
use rexecutor_web::views::{Level, Overview};

use super::{
    columns::table,
    seen::{self, Page, Seen},
    state::State,
};
use crate::{
    commands::{executors, jobs, nodes},
    output::clean,
};

/// The most that is said of what needs attention.
const ATTENTION: u16 = 4;

/// The most lines of a message.
const MESSAGE: u16 = 5;

/// How many lines a page has at least, where a terminal has them.
const PAGE: u16 = 4;

const KEYS: &str = "1-6 or Tab  another page
j k ↑ ↓     another line; PgUp PgDn Home End
Enter       an executor's or a node's jobs; all of a job, and why it is not running
Esc         back; ends the search
/           search, as on the dashboard: executor:mail tag:vip error:timeout since:1h
space       holds the picture, and lets it go
r           looks again now
q           ends";

pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State) {
    let area = frame.area();
    let foot = foot(state);
    let most = if state.problem.is_some() { MESSAGE.min(area.height / 2).max(1) } else { 1 };
    let below = lines_of(std::slice::from_ref(&foot), area.width).clamp(1, most);
    let calls = state.seen.as_ref().map_or_else(Vec::new, |seen| needs_attention(&seen.overview));
    // A page has some lines of its own, whatever there is to say above it.
    let figures = if area.height >= 9 { 1 } else { 0 };
    let left = area.height.saturating_sub(3 + 2 * figures + below + PAGE);
    let called = lines_of(&calls, area.width).min(left).min(2 * ATTENTION);
    let [title, counts, rates, attention, tabs, page, below] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(figures),
        Constraint::Length(figures),
        Constraint::Length(called),
        Constraint::Length(if area.height >= 14 { 2 } else { 1 }),
        Constraint::Min(1),
        Constraint::Length(below),
    ])
    .areas(area);
    frame.render_widget(heading(state, title.width), title);
    if let Some(seen) = &state.seen {
        frame.render_widget(by_status(&seen.overview, counts.width), counts);
        throughput(frame, &seen.overview, rates);
        frame.render_widget(Paragraph::new(calls).wrap(Wrap { trim: true }), attention);
    }
    frame.render_widget(pages(state, tabs.width), tabs);
    self::page(frame, state, page);
    frame.render_widget(Paragraph::new(foot).wrap(Wrap { trim: true }), below);
    if state.is_helping {
        help(frame);
    }
}

/// How many lines these take when they are wrapped.
fn lines_of(lines: &[Line<'_>], width: u16) -> u16 {
    let lines = lines.iter().map(|line| line.width().div_ceil(usize::from(width.max(1))).max(1));
    u16::try_from(lines.sum::<usize>()).unwrap_or(u16::MAX)
}

/// The first that fits, or the last of them.
fn fitting<'l>(width: u16, mut lines: impl Iterator<Item = Line<'l>>) -> Line<'l> {
    let mut last = Line::default();
    lines
        .find_map(|line| {
            let fits = line.width() <= usize::from(width);
            last = line;
            fits.then(|| std::mem::take(&mut last))
        })
        .unwrap_or(last)
}

fn heading(state: &State, width: u16) -> Line<'static> {
    let now = state.seen.as_ref().map(|seen| seen.overview.cluster.now.format("  %H:%M:%S UTC").to_string());
    let (now, held) = (now.unwrap_or_default(), if state.is_held { "  held" } else { "" });
    let place = one_line(&state.place);
    // The address is what is cut, at its front: hosts differ less than what stands behind them.
    let room = usize::from(width).saturating_sub(now.chars().count() + held.len());
    let cut = place.chars().count().saturating_sub(room.saturating_sub(1).max(1));
    let short = place.chars().skip(cut).collect::<String>();
    let line = |name: &'static str, place: String| {
        Line::from(vec![name.bold(), Span::raw(place), Span::raw(now.clone()).dim(), held.yellow().bold()])
    };
    let lines = [line("rexecutor  ", place.clone()), line("", place), line("", format!("…{short}"))];
    fitting(width, lines.into_iter())
}

/// A status's colour, which never says anything that a word beside it does not.
fn colour(status: JobStatus) -> Color {
    match status {
        JobStatus::Executing => Color::Cyan,
        JobStatus::Retryable => Color::Yellow,
        JobStatus::Discarded => Color::Red,
        JobStatus::Complete => Color::Green,
        _ => Color::Reset,
    }
}

/// All statuses where there is room; else those that jobs have, and then their first letters.
fn by_status(overview: &Overview, width: u16) -> Line<'static> {
    let line = |only_some: bool, letters: usize, space: &'static str| {
        let counts = JobStatus::ALL.iter().map(|status| (*status, overview.counts.total(*status)));
        let shown = counts.filter(|(_, count)| count.jobs > 0 || !only_some).flat_map(|(status, count)| {
            let style = if count.jobs == 0 { Style::new().dim() } else { Style::new().fg(colour(status)) };
            let name: String = status.as_str().chars().take(letters).collect();
            [Span::styled(format!("{name} "), Style::new().dim()), Span::styled(format!("{count}{space}"), style)]
        });
        Line::from(shown.collect::<Vec<_>>())
    };
    let lines = [(false, 20, "   "), (true, 20, "   "), (true, 20, " "), (true, 5, " "), (true, 2, " ")];
    fitting(width, lines.into_iter().map(|(only_some, letters, space)| line(only_some, letters, space)))
}

fn throughput(frame: &mut Frame<'_>, overview: &Overview, area: Rect) {
    let (recent, now) = (&overview.recent, overview.cluster.now);
    let failed = recent.discarded();
    let since = rexecutor_web::views::span(now - recent.since);
    let wait =
        recent.wait.p95.map_or(String::new(), |p95| format!(", waited {} (95%)", rexecutor_web::views::span(p95)));
    let text = format!("{:.1}/min in the last {since}, {failed} discarded{wait}  ", recent.per_minute(now),);
    let width = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
    let [text_area, bars] = Layout::horizontal([Constraint::Length(width), Constraint::Max(60)]).areas(area);
    frame.render_widget(Line::from(text), text_area);
    let heights = seen::bars(recent, now, usize::from(bars.width));
    frame.render_widget(Sparkline::default().data(heights).style(Style::new().fg(Color::Green)), bars);
}

fn needs_attention(overview: &Overview) -> Vec<Line<'static>> {
    let line = |attention: &rexecutor_web::views::Attention| {
        let (mark, style) = match attention.level {
            Level::Problem => ("! ", Style::new().fg(Color::Red).bold()),
            _ => ("· ", Style::new().fg(Color::Yellow)),
        };
        let why = if attention.why.is_empty() { String::new() } else { format!("  {}", one_line(&attention.why)) };
        Line::from(vec![
            Span::styled(mark, style),
            Span::styled(one_line(&attention.what), style),
            Span::raw(why).dim(),
        ])
    };
    let mut found: Vec<_> = overview.attention.iter().collect();
    found.sort_by_key(|attention| std::cmp::Reverse(attention.level));
    let most = usize::from(ATTENTION);
    let more = found.len().saturating_sub(most);
    let shown = if more > 0 { most - 1 } else { most };
    let mut lines: Vec<_> = found.into_iter().take(shown).map(line).collect();
    if more > 0 {
        lines.push(Line::from(format!("  and {} more: `rexecutor health`", more + 1)).dim());
    }
    lines
}

/// The names of all pages where there is room, and else that of the one that is shown.
fn pages(state: &State, width: u16) -> Line<'static> {
    fitting(width, [true, false].into_iter().map(|is_long| tabs(state, is_long)))
}

fn tabs(state: &State, is_long: bool) -> Line<'static> {
    let tab = |(number, page): (usize, Page)| {
        let style = match page == state.request.page {
            true => Style::new().add_modifier(Modifier::REVERSED),
            false => Style::new(),
        };
        let name = if is_long || page == state.request.page { page.name() } else { "" };
        [Span::styled(format!(" {} {name} ", number + 1).replace("  ", " "), style), Span::raw(" ")]
    };
    let mut spans: Vec<_> = Page::ALL.into_iter().enumerate().flat_map(tab).collect();
    match &state.typed {
        Some(typed) => spans.push(Span::raw(format!(" /{}▏", one_line(typed))).bold()),
        None if !state.request.search.is_empty() => {
            spans.push(Span::raw(format!(" /{}", one_line(&state.request.search))));
        }
        None => {}
    }
    Line::from(spans)
}

fn page(frame: &mut Frame<'_>, state: &mut State, area: Rect) {
    // Of another page, or another job: it is being read.
    let Some(seen) = state.seen.as_ref().filter(|seen| seen.request == state.request) else {
        if state.problem.is_none() {
            frame.render_widget(Line::from("reading …").dim(), area);
        }
        return;
    };
    if seen.request.job.is_some() {
        let text = Paragraph::new(clean(&seen.job)).wrap(Wrap { trim: false }).scroll((state.scrolled, 0));
        frame.render_widget(text, area);
        return;
    }
    let (headings, rows) = rows(seen);
    if rows.is_empty() {
        let none = if seen.request.search.is_empty() { "none" } else { "none that match" };
        frame.render_widget(Line::from(none).dim(), area);
        return;
    }
    let table = table(headings, &rows, area.width);
    frame.render_stateful_widget(table, area, &mut state.table);
}

fn rows(seen: &Seen) -> (&'static [&'static str], Vec<Vec<String>>) {
    let cluster = &seen.overview.cluster;
    match seen.request.page {
        Page::Executors => {
            (&executors::HEADINGS, cluster.executors.iter().map(|one| executors::row(one, cluster.now)).collect())
        }
        Page::Nodes => (&nodes::HEADINGS, cluster.nodes.iter().map(|node| nodes::row(node, cluster)).collect()),
        _ => (&jobs::HEADINGS, seen.jobs.iter().map(|job| jobs::row(job, cluster.now)).collect()),
    }
}

fn foot(state: &State) -> Line<'static> {
    if let Some(problem) = &state.problem {
        return Line::from(one_line(problem)).red().bold();
    }
    match (&state.typed, &state.request.job) {
        (Some(_), _) => Line::from("Enter search   Ctrl-U clear   Esc back").dim(),
        (None, Some(_)) => Line::from("Esc back   j k scroll   q end").dim(),
        (None, None) => Line::from("Enter open   / search   space hold   ? keys   q end").dim(),
    }
}

fn help(frame: &mut Frame<'_>) {
    let lines = u16::try_from(KEYS.lines().count()).unwrap_or(8);
    let area = frame.area();
    let [_, shown] = Layout::vertical([Constraint::Min(0), Constraint::Length(lines)]).areas(area);
    frame.render_widget(Clear, shown);
    frame.render_widget(Paragraph::new(KEYS), shown);
}

/// Names and errors are somebody else's texts.
pub(super) fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_that_fits_is_shown() {
        let shown = |width| fitting(width, ["much room", "less", "no"].into_iter().map(Line::from)).to_string();
        assert_eq!([9, 8, 4, 3, 1].map(shown), ["much room", "less", "less", "no", "no"]);
    }
}
