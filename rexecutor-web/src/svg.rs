//! Charts, drawn here. Colours are classes: nothing stands in a `style` attribute.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use rexecutor::{backend::JobRow, job::JobStatus};

/// How many bars a chart has.
const BARS: usize = 60;

/// The statuses from the bottom up.
const STACK: [JobStatus; 3] = [JobStatus::Complete, JobStatus::Cancelled, JobStatus::Discarded];

/// Finished jobs over time, by how they ended, between two instants.
pub(crate) fn finished(jobs: &[JobRow], since: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    let whole = (now - since).num_microseconds().unwrap_or(i64::MAX).max(1);
    let mut bars = [[0_u32; 3]; BARS];
    for job in jobs {
        let Some(at) = job.finished_at() else { continue };
        let part = (at - since).num_microseconds().unwrap_or(0).clamp(0, whole - 1);
        let bar = usize::try_from(i128::from(part) * 60 / i128::from(whole)).unwrap_or(0).min(BARS - 1);
        if let Some(place) = STACK.iter().position(|status| *status == job.status) {
            bars[bar][place] += 1;
        }
    }
    let most = bars.iter().map(|bar| bar.iter().sum::<u32>()).max().unwrap_or(0);
    let top = ceiling(most);
    let height = |count: u32| f64::from(count) / f64::from(top) * 140.0;
    let at = |fraction: i32| since + (now - since) * fraction / 4;
    let label = format!("{} finished jobs since {}, at most {most} in a bar", jobs.len(), since.format("%H:%M:%S UTC"));
    html! {
        svg.chart viewBox="0 0 860 176" role="img" aria-label=(label) {
            @for (share, value) in [(0, 0), (1, top / 2), (2, top)] {
                @let y = 150 - 70 * share;
                line.gridline x1="40" x2="860" y1=(y) y2=(y) {}
                text.axis x="34" y=(y + 4) text-anchor="end" { (value) }
            }
            @for (place, bar) in bars.iter().enumerate() {
                @let x = 44.0 + f64::from(u32::try_from(place).unwrap_or(0)) * 13.6;
                @for (layer, status) in STACK.iter().enumerate().filter(|(layer, _)| bar[*layer] > 0) {
                    @let below: u32 = bar.iter().take(layer).sum();
                    rect class=(format!("{status} bar-part")) x=(format!("{x:.1}")) width="10.6"
                        y=(format!("{:.1}", 150.0 - height(below) - height(bar[layer])))
                        height=(format!("{:.1}", height(bar[layer]).max(1.5))) {}
                }
            }
            @for fraction in 0..=4 {
                @let x = 44 + fraction * 203;
                @let anchor = match fraction { 0 => "start", 4 => "end", _ => "middle" };
                text.axis.clock.inner[(1..4).contains(&fraction)] x=(x) y="168" text-anchor=(anchor) data-time=(crate::format::iso(at(fraction))) {
                    (at(fraction).format("%H:%M:%S"))
                }
            }
        }
    }
}

/// An even number that a scale can end with.
pub(crate) fn ceiling(most: u32) -> u32 {
    let mut unit = 1;
    loop {
        for step in [2, 4, 10] {
            if most <= step * unit {
                return step * unit;
            }
        }
        unit = unit.saturating_mul(10);
        if unit > 100_000_000 {
            return u32::MAX;
        }
    }
}

/// How much of something is used, as a bar.
pub(crate) fn meter(used: usize, of: usize) -> Markup {
    let share = used.min(of) * 100 / of.max(1);
    html! {
        svg.meter viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="6" {}
            rect.used width=(share) height="6" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_with_a_round_number_above() {
        assert_eq!([0, 2, 3, 5, 11, 39, 41, 1_234].map(ceiling), [2, 2, 4, 10, 20, 40, 100, 2_000]);
        assert_eq!(ceiling(u32::MAX), u32::MAX);
    }

    #[test]
    fn bars_are_drawn_within_the_picture() {
        let mut job = JobRow::empty(1.into(), "mail".into());
        job.status = JobStatus::Discarded;
        let now = DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(1);
        let drawn = |at| {
            let mut job = job.clone();
            job.set_finished_at(Some(at));
            finished(&[job], DateTime::UNIX_EPOCH, now).into_string()
        };
        assert!(drawn(now).contains(r#"class="discarded bar-part" x="846.4""#), "{}", drawn(now));
        assert!(drawn(DateTime::UNIX_EPOCH).contains(r#"class="discarded bar-part" x="44.0""#));
        assert!(!drawn(now).contains("style="));
    }
}
