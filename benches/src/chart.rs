//! A bar chart of results, as SVG that reads well on light and on dark paper.

use std::fmt::Write;

use crate::{
    error::Result,
    report::{Line, number},
};

const ROW: usize = 26;
const TOP: usize = 56;
const LABEL: usize = 330;
const BARS: usize = 420;
const VALUE: usize = 110;

/// One colour for each backend; anything else is grey. Each stands out from white and from black.
const COLOURS: [(&str, &str); 3] = [("memory", "#8a6fd1"), ("sqlite", "#2f8fbf"), ("postgres", "#d9822b")];

/// Draws the lines of one measure: a bar is the median, and the thin line across its end goes from the least to the most.
pub(crate) fn draw(title: &str, measure: &str, lines: &[Line]) -> Result<String> {
    let chosen: Vec<&Line> = lines.iter().filter(|line| line.measure == measure).collect();
    if chosen.is_empty() {
        let mut known: Vec<&str> = lines.iter().map(|line| line.measure.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        return Err(format!("no line has the measure `{measure}`; there are: {}", known.join(", ")).into());
    }
    let most = chosen.iter().map(|line| line.max.max(line.median)).fold(f64::MIN_POSITIVE, f64::max);
    let (width, height) = (LABEL + BARS + VALUE, TOP + ROW * chosen.len() + 12);
    let mut svg = String::new();
    writeln!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{title}: {measure}</title>
<style>
text {{ font: 13px system-ui, sans-serif; fill: #24292f; }}
.title {{ font-size: 16px; font-weight: 600; }}
.spread {{ stroke: #24292f; }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3; }} .spread {{ stroke: #e6edf3; }} }}
</style>
<text class="title" x="12" y="24">{title}</text>
<text x="12" y="44">{measure}: the median of the runs, and from the least to the most</text>"##,
        title = escaped(title),
        measure = escaped(measure),
    )?;
    for (place, line) in chosen.iter().enumerate() {
        svg.push_str(&bar(line, TOP + ROW * place, most));
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn bar(line: &Line, top: usize, most: f64) -> String {
    let length = |value: f64| (value / most).clamp(0.0, 1.0) * BARS as f64;
    let end = |value: f64| LABEL as f64 + length(value);
    let name = [&line.workload, &line.case, &line.backend].into_iter().filter(|word| !word.is_empty());
    let name = name.map(String::as_str).collect::<Vec<_>>().join(" · ");
    let colour = COLOURS.iter().find(|(backend, _)| *backend == line.backend).map_or("#808080", |(_, colour)| colour);
    format!(
        r##"<text x="{text_end}" y="{base}" text-anchor="end">{name}</text>
<rect x="{LABEL}" y="{bar_top}" width="{width:.1}" height="{bar_height}" rx="2" fill="{colour}"/>
<line class="spread" x1="{least:.1}" x2="{greatest:.1}" y1="{middle}" y2="{middle}"/>
<text x="{value_start:.1}" y="{base}">{value}</text>
"##,
        text_end = LABEL - 8,
        base = top + 17,
        name = escaped(&name),
        bar_top = top + 4,
        width = length(line.median),
        bar_height = ROW - 8,
        least = end(line.min),
        greatest = end(line.max),
        middle = top + ROW / 2,
        value_start = end(line.max.max(line.median)) + 6.0,
        value = number(line.median),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::some_lines;

    #[test]
    fn a_chart_has_a_bar_for_each_line_of_its_measure() {
        let mut lines = some_lines();
        let half =
            Line { median: 15_000.0, backend: "sqlite".to_owned(), case: "a < b".to_owned(), ..lines[0].clone() };
        lines.push(half);
        let svg = draw("Jobs & more", "jobs/s", &lines).unwrap();
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains(r#"width="210.0""#), "half of the greatest is half as long: {svg}");
        assert!(svg.contains("Jobs &amp; more") && svg.contains("drain · a &lt; b · sqlite"));
        assert!(svg.contains("prefers-color-scheme: dark"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_measure_that_no_line_has_is_answered_with_those_that_there_are() {
        let error = draw("", "furlongs", &some_lines()).unwrap_err().to_string();
        assert_eq!(error, "no line has the measure `furlongs`; there are: jobs/s, p50 ms");
    }
}
