//! The picture.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize},
    text::{Line, Span, Text},
    widgets::{Cell, Clear, Paragraph, Row, Sparkline, Table, Wrap},
};
use rexecutor::job::JobStatus;
use rexecutor_web::views::{Level, Overview};

use super::{
    seen::{self, Page, Seen},
    state::State,
};
use crate::{
    commands::{executors, jobs, nodes},
    output::clean,
};

/// The most lines of what needs attention.
const ATTENTION: usize = 4;

const KEYS: &str = "1-6 or Tab  another page
j k ↑ ↓     another line; PgUp PgDn Home End
Enter       an executor's or a node's jobs; all of a job, and why it is not running
Esc         back; ends the search
/           search, as on the dashboard: executor:mail tag:vip error:timeout since:1h
space       holds the picture, and lets it go
r           looks again now
q           ends";

pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State) {
    let attention = state.seen.as_ref().map_or(0, |seen| seen.overview.attention.len().min(ATTENTION));
    let attention = u16::try_from(attention).unwrap_or(0);
    let [title, counts, rates, calls, tabs, page, below] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(attention),
        Constraint::Length(2),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(heading(state), title);
    if let Some(seen) = &state.seen {
        frame.render_widget(by_status(&seen.overview), counts);
        throughput(frame, &seen.overview, rates);
        frame.render_widget(needs_attention(&seen.overview), calls);
    }
    frame.render_widget(pages(state), tabs);
    self::page(frame, state, page);
    frame.render_widget(foot(state), below);
    if state.is_helping {
        help(frame);
    }
}

fn heading(state: &State) -> Line<'static> {
    let now = state.seen.as_ref().map(|seen| seen.overview.cluster.now.format("  %H:%M:%S UTC").to_string());
    let held = if state.is_held { "  held" } else { "" };
    Line::from(vec![
        "rexecutor  ".bold(),
        Span::raw(one_line(&state.place)),
        Span::raw(now.unwrap_or_default()).dim(),
        held.yellow().bold(),
    ])
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

fn by_status(overview: &Overview) -> Line<'static> {
    let one = |status: &JobStatus| {
        let count = overview.counts.total(*status);
        let style = if count.jobs == 0 { Style::new().dim() } else { Style::new().fg(colour(*status)) };
        [Span::styled(format!("{status} "), Style::new().dim()), Span::styled(format!("{count}   "), style)]
    };
    Line::from(JobStatus::ALL.iter().flat_map(one).collect::<Vec<_>>())
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

fn needs_attention(overview: &Overview) -> Text<'static> {
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
    let more = found.len().saturating_sub(ATTENTION);
    let shown = if more > 0 { ATTENTION - 1 } else { ATTENTION };
    let mut lines: Vec<_> = found.into_iter().take(shown).map(line).collect();
    if more > 0 {
        lines.push(Line::from(format!("  and {} more: `rexecutor health`", more + 1)).dim());
    }
    Text::from(lines)
}

fn pages(state: &State) -> Line<'static> {
    let tab = |(number, page): (usize, Page)| {
        let style = match page == state.request.page {
            true => Style::new().add_modifier(Modifier::REVERSED),
            false => Style::new(),
        };
        [Span::styled(format!(" {} {} ", number + 1, page.name()), style), Span::raw(" ")]
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
    let table = table(headings, &rows);
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

/// A table as the commands print it: a heading that begins with `>` stands over numbers.
fn table(headings: &[&str], rows: &[Vec<String>]) -> Table<'static> {
    let is_last = |column: usize| column + 1 == headings.len();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        let heading = headings.get(column).map_or(0, |heading| heading.trim_start_matches('>').len());
        u16::try_from(cells.max().unwrap_or(0).max(heading).min(60)).unwrap_or(60)
    };
    let widths = (0..headings.len()).map(|column| match is_last(column) {
        true => Constraint::Fill(1),
        false => Constraint::Length(width(column)),
    });
    let cell = |column: usize, text: String| match headings.get(column).is_some_and(|heading| heading.starts_with('>'))
    {
        true if !is_last(column) => Cell::from(Text::from(text).right_aligned()),
        _ => Cell::from(text),
    };
    let row = |row: &Vec<String>| Row::new(row.iter().enumerate().map(|(column, text)| cell(column, one_line(text))));
    let heading = headings.iter().enumerate();
    let heading = heading.map(|(column, heading)| cell(column, heading.trim_start_matches('>').to_uppercase()));
    Table::new(rows.iter().map(row), widths)
        .column_spacing(2)
        .header(Row::new(heading).style(Style::new().dim()))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
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
fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}
