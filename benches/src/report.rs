//! What is printed: a table for people, lines of JSON for programs.

use serde::{Deserialize, Serialize};

use crate::{error::Result, machine::Machine, sample::Sample, settings::Settings, stats::Spread};

/// One result: what several runs have given for one measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) workload: String,
    pub(crate) case: String,
    pub(crate) backend: String,
    pub(crate) measure: String,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) runs: usize,
    pub(crate) jobs: usize,
    pub(crate) payload: usize,
    pub(crate) concurrency: Option<usize>,
}

/// A line, as it is written.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    line: &'a Line,
    machine: &'a Machine,
}

impl Line {
    pub(crate) fn to_json(&self, machine: &Machine) -> Result<String> {
        Ok(serde_json::to_string(&Written { line: self, machine })?)
    }
}

/// Reads lines that were written; empty ones count for nothing.
pub(crate) fn parse(text: &str) -> Result<Vec<Line>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| format!("line {} is not a result: {error}", number + 1).into())
    };
    lines.map(read).collect()
}

/// Makes lines of the samples of several runs of so many jobs, in the order of the first.
pub(crate) fn lines(workload: &str, jobs: usize, settings: &Settings, runs: Vec<Vec<Sample>>) -> Vec<Line> {
    let mut results: Vec<(String, &'static str, Vec<f64>)> = Vec::new();
    for Sample { case, measure, value } in runs.into_iter().flatten() {
        match results.iter_mut().find(|result| result.0 == case && result.1 == measure) {
            Some((_, _, values)) => values.push(value),
            None => results.push((case, measure, vec![value])),
        }
    }
    let line = |(case, measure, values): (String, &str, Vec<f64>)| {
        let Spread { median, min, max } = Spread::of(&values)?;
        Some(Line {
            workload: workload.to_owned(),
            case,
            backend: settings.backend.to_string(),
            measure: measure.to_owned(),
            median,
            min,
            max,
            runs: values.len(),
            jobs,
            payload: settings.payload(),
            concurrency: settings.concurrency,
        })
    };
    results.into_iter().filter_map(line).collect()
}

/// An aligned table, which is Markdown.
pub(crate) fn table(lines: &[Line]) -> String {
    let head = ["workload", "backend", "jobs", "measure", "median", "min", "max", "runs"].map(str::to_owned);
    let row = |line: &Line| {
        let name = [line.workload.as_str(), line.case.as_str()];
        let name = name.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
        [
            name,
            line.backend.clone(),
            if line.jobs == 0 { String::new() } else { number(line.jobs as f64) },
            line.measure.clone(),
            number(line.median),
            number(line.min),
            number(line.max),
            line.runs.to_string(),
        ]
    };
    let rows: Vec<[String; 8]> = std::iter::once(head).chain(lines.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 8] = std::array::from_fn(width);
    // Words stand at the left, numbers at the right.
    let is_word = |column| [0, 1, 3].contains(&column);
    let cell = |(column, text): (usize, &String)| match is_word(column) {
        true => format!(" {text:<width$} |", width = widths[column]),
        false => format!(" {text:>width$} |", width = widths[column]),
    };
    let mut written: Vec<String> =
        rows.iter().map(|row| format!("|{}\n", row.iter().enumerate().map(cell).collect::<String>())).collect();
    let rule =
        |column: usize| format!(" {}{} |", "-".repeat(widths[column] - 1), if is_word(column) { "-" } else { ":" });
    written.insert(1, format!("|{}\n", (0..widths.len()).map(rule).collect::<String>()));
    written.concat()
}

/// Three digits that count, and commas between thousands.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        value if value.fract() == 0.0 || value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 0.1 => 2,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) =
        text.split_once('.').map_or((text.as_str(), String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let comma = |(place, digit): (usize, char)| {
        let is_group = place > 0 && (digits.len() - place).is_multiple_of(3);
        is_group.then_some(',').into_iter().chain([digit])
    };
    format!("{sign}{}{fraction}", digits.chars().enumerate().flat_map(comma).collect::<String>())
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Given {
        #[command(flatten)]
        settings: Settings,
    }

    pub(crate) fn some_lines() -> Vec<Line> {
        let Given { settings } = Given::parse_from(["benches", "--jobs", "20000"]);
        let run = |rate| vec![Sample::new("", "jobs/s", rate), Sample::new("another process", "p50 ms", rate / 1e4)];
        lines("drain", 20_000, &settings, vec![run(30_000.0), run(10_000.0), run(26_543.21)])
    }

    #[test]
    fn lines_have_the_median_of_the_runs() {
        let lines = some_lines();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].median, lines[0].min, lines[0].max, lines[0].runs), (26_543.21, 10_000.0, 30_000.0, 3));
        assert_eq!((lines[1].case.as_str(), lines[1].measure.as_str()), ("another process", "p50 ms"));
    }

    #[test]
    fn a_table_is_aligned() {
        let expected = "\
| workload               | backend |   jobs | measure | median |    min |    max | runs |
| ---------------------- | ------- | -----: | ------- | -----: | -----: | -----: | ---: |
| drain                  | memory  | 20,000 | jobs/s  | 26,543 | 10,000 | 30,000 |    3 |
| drain, another process | memory  | 20,000 | p50 ms  |   2.65 |      1 |      3 |    3 |
";
        assert_eq!(table(&some_lines()), expected);
    }

    #[test]
    fn numbers_show_what_counts() {
        let shown = [0.0, 0.012_34, 0.5, 12.345, 123.45, 1_234.5, 1_234_567.0, -1_234.0].map(number);
        assert_eq!(shown, ["0", "0.0123", "0.50", "12.3", "123", "1,234", "1,234,567", "-1,234"]);
    }

    #[tokio::test]
    async fn a_line_of_json_is_read_as_it_was_written() {
        let machine = Machine::look(&crate::target::Target::Memory).await.unwrap();
        let lines = some_lines();
        let written: String = lines.iter().map(|line| line.to_json(&machine).unwrap() + "\n").collect();
        assert_eq!(written.lines().count(), lines.len());
        assert!(written.contains(r#""machine":{"cores":"#));
        assert_eq!(parse(&written).unwrap(), lines);
        let error = parse("\n{}\n").unwrap_err().to_string();
        assert!(error.starts_with("line 2 is not a result"), "{error}");
    }
}
