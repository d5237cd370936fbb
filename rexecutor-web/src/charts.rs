//! Charts of how jobs went over time. Colours are classes: nothing stands in a `style` attribute.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use rexecutor::history::{Histogram, HistoryStep, Point, RunEnd};

use crate::{format::iso, svg::ceiling};

/// Where a chart begins and ends, in its own units.
const LEFT: f64 = 64.0;
const WIDE: f64 = 860.0;
const HALF: f64 = 640.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 150.0;

/// What is drawn of how runs ended, from the bottom up: the word, the class that gives it its colour, and which ends it means.
pub(crate) const ENDS: [(&str, &str, &[RunEnd]); 5] = [
    ("completed", "complete", &[RunEnd::Completed]),
    (
        "put off",
        "scheduled",
        &[RunEnd::Snoozed, RunEnd::Throttled, RunEnd::Deferred, RunEnd::Suspended, RunEnd::GivenBack],
    ),
    ("cancelled", "cancelled", &[RunEnd::Cancelled]),
    ("retried", "retryable", &[RunEnd::Retried]),
    ("discarded", "discarded", &[RunEnd::Discarded]),
];

/// The shares that are drawn of times: the word, and the class of the line.
pub(crate) const SHARES: [(&str, &str, f64); 3] = [("p50", "p50", 0.5), ("p95", "p95", 0.95), ("p99", "p99", 0.99)];

/// How many runs ended how, step by step.
pub(crate) fn throughput(points: &[Point], step: HistoryStep) -> Markup {
    let of = |point: &Point, ends: &[RunEnd]| ends.iter().map(|end| point.count(*end)).sum::<u64>();
    let most = points.iter().map(Point::runs).max().unwrap_or(0);
    let top = ceiling(u32::try_from(most).unwrap_or(u32::MAX));
    let height = |count: u64| share(count, u64::from(top)) * (BOTTOM - TOP);
    let width = (WIDE - LEFT) / float(points.len().max(1));
    let failures: u64 = points.iter().map(Point::failures).sum();
    let runs: u64 = points.iter().map(Point::runs).sum();
    let label = format!("{runs} runs, {failures} failed, at most {most} in one {}", step.as_str());
    html! {
        svg.chart viewBox="0 0 860 176" role="img" aria-label=(label) {
            @for (part, value) in [(0.0, 0), (0.5, top / 2), (1.0, top)] {
                (gridline(WIDE, BOTTOM - part * (BOTTOM - TOP), &compact(value)))
            }
            @for (place, point) in points.iter().enumerate().filter(|(_, point)| point.runs() > 0) {
                @let x = LEFT + float(place) * width;
                g {
                    title { (said(point, step)) }
                    @for (layer, (_, class, ends)) in ENDS.iter().enumerate().filter(|(_, (.., ends))| of(point, ends) > 0) {
                        @let below: u64 = ENDS.iter().take(layer).map(|(.., ends)| of(point, ends)).sum();
                        @let high = height(of(point, ends)).max(1.5);
                        rect class=(format!("{class} bar-part")) x=(tenths(x)) width=(tenths((width * 0.8).max(1.0)))
                            y=(tenths(BOTTOM - height(below) - high)) height=(tenths(high)) {}
                    }
                }
            }
            (times_below(WIDE, points, step))
        }
    }
}

/// How long something took, step by step, on a scale on which each line is ten times the one below.
pub(crate) fn times(points: &[Point], step: HistoryStep, what: &str, of: impl Fn(&Point) -> Histogram) -> Markup {
    let found: Vec<[Option<f64>; 3]> = points
        .iter()
        .map(|point| {
            let times = of(point);
            SHARES.map(|(_, _, share)| times.quantile(share).map(|time| time.as_secs_f64().max(0.000_1)))
        })
        .collect();
    let all = || found.iter().flatten().flatten().copied();
    let lines = lines(all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max));
    let [low, high] = [lines.first(), lines.last()].map(|line| line.map_or(1.0, |(seconds, _)| *seconds).log10());
    let y = |seconds: f64| BOTTOM - (seconds.log10() - low) / (high - low).max(0.1) * (BOTTOM - TOP);
    let width = (HALF - LEFT) / float(points.len().max(1));
    let x = |place: usize| LEFT + (float(place) + 0.4) * width;
    let label = format!("{what}, by the {}", step.as_str());
    html! {
        svg.chart.half viewBox="0 0 640 176" role="img" aria-label=(label) {
            @let every = lines.len().div_ceil(6);
            @for (seconds, word) in lines.iter().step_by(every) { (gridline(HALF, y(*seconds), word)) }
            @for (place, (_, class, _)) in SHARES.iter().enumerate() {
                @for part in connected(&found, place) {
                    @if let [(at, seconds)] = part.as_slice() {
                        circle class=(format!("dot {class}")) cx=(tenths(x(*at))) cy=(tenths(y(*seconds))) r="2.2" {}
                    } @else {
                        @let line: Vec<String> = part.iter().map(|(at, seconds)| format!("{},{}", tenths(x(*at)), tenths(y(*seconds)))).collect();
                        polyline class=(format!("line {class}")) points=(line.join(" ")) {}
                    }
                }
            }
            (times_below(HALF, points, step))
        }
    }
}

/// What stands at a bar when it is pointed at.
fn said(point: &Point, step: HistoryStep) -> String {
    let at = match step {
        HistoryStep::Day => point.at().format("%Y-%m-%d"),
        _ => point.at().format("%Y-%m-%d %H:%M UTC"),
    };
    format!("{at}: {} runs, {} failed", point.runs(), point.failures())
}

fn gridline(right: f64, y: f64, value: &str) -> Markup {
    html! {
        line.gridline x1=(tenths(LEFT - 4.0)) x2=(tenths(right)) y1=(tenths(y)) y2=(tenths(y)) {}
        text.axis x=(tenths(LEFT - 10.0)) y=(tenths(y + 4.0)) text-anchor="end" { (value) }
    }
}

/// The times below a chart.
fn times_below(right: f64, points: &[Point], step: HistoryStep) -> Markup {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return html! {} };
    let at = |part: i32| first.at() + (last.at() - first.at()) * part / 4;
    let is_long = (last.at() - first.at()) > TimeDelta::hours(36) || step == HistoryStep::Day;
    let text = |at: DateTime<Utc>| if is_long { at.format("%m-%d") } else { at.format("%H:%M") }.to_string();
    html! {
        @for part in 0..=4 {
            @let x = LEFT + f64::from(part) / 4.0 * (right - LEFT);
            @let anchor = match part { 0 => "start", 4 => "end", _ => "middle" };
            text.axis.clock.inner[(1..4).contains(&part)] x=(tenths(x)) y="168" text-anchor=(anchor)
                data-day=[is_long.then(|| iso(at(part)))] data-minute=[(!is_long).then(|| iso(at(part)))] { (text(at(part))) }
        }
    }
}

/// Lines of a scale of times, in seconds, each about ten times the one before.
const LINES: [(f64, &str); 12] = [
    (0.000_1, "0.1 ms"),
    (0.001, "1 ms"),
    (0.01, "10 ms"),
    (0.1, "100 ms"),
    (1.0, "1 s"),
    (10.0, "10 s"),
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3_600.0, "1 h"),
    (36_000.0, "10 h"),
    (259_200.0, "3 d"),
    (2_592_000.0, "30 d"),
];

/// Those between which the times lie, two at least.
fn lines(least: f64, most: f64) -> &'static [(f64, &'static str)] {
    let most = if most > 0.0 { most } else { 1.0 };
    let from = LINES.iter().rposition(|(line, _)| *line <= least.min(most)).unwrap_or(0).min(LINES.len() - 2);
    let to = LINES.iter().position(|(line, _)| *line >= most).unwrap_or(LINES.len() - 1).max(from + 1);
    LINES.get(from..=to).unwrap_or(&LINES)
}

/// The parts of a line that have a value at each step.
fn connected(found: &[[Option<f64>; 3]], place: usize) -> Vec<Vec<(usize, f64)>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    for (at, shares) in found.iter().enumerate() {
        match shares.get(place).copied().flatten() {
            Some(seconds) => part.push((at, seconds)),
            None if part.is_empty() => {}
            None => parts.push(std::mem::take(&mut part)),
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// In thousands or millions, where it is a round number of them.
fn compact(number: u32) -> String {
    match number {
        1_000_000.. if number.is_multiple_of(100_000) => format!("{} M", f64::from(number) / 1e6),
        1_000.. if number.is_multiple_of(100) => format!("{} k", f64::from(number) / 1e3),
        _ => number.to_string(),
    }
}

/// With one place behind the point.
fn tenths(number: f64) -> String {
    format!("{number:.1}")
}

fn share(count: u64, of: u64) -> f64 {
    float(usize::try_from(count).unwrap_or(usize::MAX)) / float(usize::try_from(of.max(1)).unwrap_or(usize::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "what is drawn has fewer places")]
fn float(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_lie_between_the_lines_of_their_scale() {
        let words = |least, most| lines(least, most).iter().map(|(_, word)| *word).collect::<Vec<_>>();
        assert_eq!(words(0.02, 3.0), ["10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(words(1.0, 1.0), ["1 s", "10 s"]);
        assert_eq!(words(f64::MAX, 0.0).len(), 2, "nothing has ended");
        assert_eq!(words(0.0, 1e9).len(), LINES.len());
        assert_eq!(words(1e9, 1e9), ["3 d", "30 d"]);
    }

    #[test]
    fn a_round_number_is_short() {
        assert_eq!(
            [0, 999, 1_000, 2_500, 20_000_000, 1_234].map(compact),
            ["0", "999", "1 k", "2.5 k", "20 M", "1234"]
        );
    }

    #[test]
    fn a_line_breaks_where_nothing_ended() {
        let found: Vec<[Option<f64>; 3]> =
            [Some(1.0), Some(2.0), None, None, Some(3.0)].map(|value| [value, None, None]).to_vec();
        let parts = connected(&found, 0);
        assert_eq!(parts, [vec![(0, 1.0), (1, 2.0)], vec![(4, 3.0)]]);
        assert_eq!(connected(&found, 1), [[]; 0]);
    }
}
