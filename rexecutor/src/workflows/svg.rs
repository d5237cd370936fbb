//! Graphs as SVG.
//!
//! Tasks stand in columns: each one column behind the last of those that it comes after. Within a column they stand in the order of the middle
//! of those before them, which keeps most edges from crossing.

use std::fmt::Write as _;

use super::graph::{Graph, Node, TaskState};
use crate::model::RunWhen;

const ROW: f64 = 44.0;
const HEIGHT: f64 = 30.0;
const GAP: f64 = 56.0;
const MARGIN: f64 = 16.0;
/// How wide a character is, about, of a sans-serif font of 13 pixels.
const CHARACTER: f64 = 7.4;
/// The longest part of a name that is shown.
const LONGEST: usize = 28;

/// The colours of a box and of its border. They differ in lightness, too.
pub(super) const fn colours(state: TaskState) -> (&'static str, &'static str) {
    match state {
        TaskState::Waiting => ("#f4f4f5", "#a1a1aa"),
        TaskState::Running => ("#dbeafe", "#2563eb"),
        TaskState::Retrying => ("#fef3c7", "#d97706"),
        TaskState::Succeeded => ("#d1fae5", "#059669"),
        TaskState::Failed => ("#fee2e2", "#dc2626"),
        TaskState::Skipped => ("#fafafa", "#d4d4d8"),
    }
}

struct Place {
    x: f64,
    y: f64,
    width: f64,
}

impl Graph {
    /// A picture, as a complete SVG document that needs nothing else. Each task is a `<g class="task STATE">`, within a link where `link`
    /// gives one for its job.
    pub fn to_svg(&self, link: impl Fn(crate::model::JobId) -> Option<String>) -> String {
        let (tasks, more) = self.drawn();
        let (places, width, height) = layout(tasks);
        let height = if more > 0 { height + ROW } else { height };
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>{}</title>\n",
            escaped(&self.name)
        );
        for (place, task) in places.iter().zip(tasks) {
            for before in task.after.iter().filter_map(|before| places.get(*before)) {
                edge(&mut svg, before, place, task.run_when);
            }
        }
        for (place, task) in places.iter().zip(tasks) {
            node(&mut svg, place, task, task.job.and_then(&link).as_deref());
        }
        if more > 0 {
            let y = height - MARGIN;
            let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y:.0}\" fill=\"#71717a\">… and {more} more</text>");
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn layout(tasks: &[Node]) -> (Vec<Place>, f64, f64) {
    let mut columns: Vec<Vec<usize>> = Vec::new();
    let mut column_of = vec![0_usize; tasks.len()];
    for (place, task) in tasks.iter().enumerate() {
        // Those before it stand before it, but in a circle, of which none is stored.
        let before = task.after.iter().filter(|before| **before < place);
        let column = before.map(|before| column_of[*before] + 1).max().unwrap_or_default();
        column_of[place] = column;
        if columns.len() <= column {
            columns.resize_with(column + 1, Vec::new);
        }
        columns[column].push(place);
    }
    let tallest = columns.iter().map(Vec::len).max().unwrap_or_default();
    let height = count(tallest.max(1)) * ROW + 2.0 * MARGIN - (ROW - HEIGHT);
    let mut places: Vec<Place> = tasks.iter().map(|_| Place { x: 0.0, y: 0.0, width: 0.0 }).collect();
    let mut x = MARGIN;
    for column in &mut columns {
        let middle = |place: &usize| {
            let before = tasks[*place].after.iter().filter(|before| **before < *place);
            let (sum, n) = before.fold((0.0, 0_usize), |(sum, n), before| (sum + places[*before].y, n + 1));
            if n == 0 { 0.0 } else { sum / count(n) }
        };
        let mut ordered: Vec<(f64, usize)> = column.iter().map(|place| (middle(place), *place)).collect();
        ordered.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let widest = column.iter().map(|place| width_of(&tasks[*place])).fold(0.0, f64::max);
        let top = (height - count(column.len()) * ROW + (ROW - HEIGHT)) / 2.0;
        for (row, (_, place)) in ordered.into_iter().enumerate() {
            places[place] = Place { x, y: top + count(row) * ROW, width: widest };
        }
        x += widest + GAP;
    }
    (places, (x - GAP + MARGIN).max(2.0 * MARGIN), height)
}

/// A number of tasks, of which there are few.
fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn label(task: &Node) -> String {
    let mut name: String = task.name.chars().take(LONGEST).collect();
    if task.name.chars().count() > LONGEST {
        name.push('…');
    }
    format!("{} {name}", task.state.sign())
}

fn width_of(task: &Node) -> f64 {
    count(label(task).chars().count()) * CHARACTER + 20.0
}

fn edge(svg: &mut String, from: &Place, to: &Place, run_when: RunWhen) {
    let (x1, y1) = (from.x + from.width, from.y + HEIGHT / 2.0);
    let (x2, y2) = (to.x, to.y + HEIGHT / 2.0);
    let bend = ((x2 - x1) / 2.0).max(GAP / 2.0);
    let dashes = if run_when == RunWhen::AllSucceeded { "" } else { " stroke-dasharray=\"4 3\"" };
    let _ = writeln!(
        svg,
        "<path d=\"M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}\" fill=\"none\" stroke=\"#a1a1aa\"{dashes}/>",
        x1 + bend,
        x2 - bend
    );
}

fn node(svg: &mut String, place: &Place, task: &Node, link: Option<&str>) {
    let (fill, stroke) = colours(task.state);
    let Place { x, y, width } = place;
    if let Some(link) = link {
        let _ = write!(svg, "<a href=\"{}\">", escaped(link));
    }
    let _ = write!(
        svg,
        "<g class=\"task {state}\"><title>{name}: {state}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
         height=\"{HEIGHT}\" rx=\"6\" fill=\"{fill}\" stroke=\"{stroke}\"/><text x=\"{:.1}\" y=\"{:.1}\" fill=\"#18181b\">{}</text></g>",
        x + 10.0,
        y + 20.0,
        escaped(&label(task)),
        state = task.state.as_str(),
        name = escaped(&task.name),
    );
    svg.push_str(if link.is_some() { "</a>\n" } else { "\n" });
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML has no other control characters.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::graph::tests::task;
    use super::*;
    use crate::model::JobStatus;

    #[test]
    fn a_diamond_is_drawn_in_three_columns_without_overlaps() {
        let status = JobStatus::Complete;
        let tasks = [
            task(1, "a", &[], status),
            task(2, "b", &[1], status),
            task(3, "c", &[1], status),
            task(4, "d", &[2, 3], status),
        ];
        let graph = Graph::of_tasks("w", &tasks);
        let (places, width, height) = layout(&graph.tasks);
        assert!(places[0].x + places[0].width < places[1].x && places[1].x + places[1].width < places[3].x);
        assert!((places[1].x - places[2].x).abs() < 0.1 && places[2].y - places[1].y >= HEIGHT);
        assert!(places[3].x + places[3].width < width && places[2].y + HEIGHT < height);
        let svg = graph.to_svg(|job| Some(format!("jobs/{job}")));
        assert_eq!((svg.matches("<path").count(), svg.matches("<rect").count()), (4, 4));
        assert!(svg.contains("<a href=\"jobs/4\">") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_name_cannot_break_out_of_a_picture() {
        let graph = Graph::of_tasks("</title><script>", &[task(1, "\"><script>\u{1}&'", &[], JobStatus::Discarded)]);
        let svg = graph.to_svg(|_| Some("\"onclick=\"x".to_owned()));
        assert!(!svg.contains("<script") && !svg.contains("\"onclick") && !svg.contains('\u{1}'), "{svg}");
        assert!(Graph::of_tasks("empty", &[]).to_svg(|_| None).contains("viewBox"));
    }
}
