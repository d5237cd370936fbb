//! Graphs as text, and as Mermaid diagrams.

use std::fmt::Write as _;

use super::graph::{Graph, Node, TaskState};
use crate::model::RunWhen;

impl Graph {
    /// A line for each task, after those that it comes after, with the sign of its state.
    ///
    /// ```
    /// use rexecutor::{prelude::*, workflows::Workflow};
    ///
    /// #[job]
    /// async fn work(what: String) {}
    ///
    /// let work = |what: &str| Work::builder().with_data(what.to_owned());
    /// let mut order = Workflow::new("order 7");
    /// let charge = order.task("charge", work("charge"));
    /// let pack = order.task("pack", work("pack"));
    /// order.task("ship", work("ship").after((&charge, &pack)));
    /// order.task("refund", work("refund").after_failure(&pack));
    /// assert_eq!(order.graph().to_text(), "\
    /// order 7
    ///   · charge
    ///   · pack
    ///   · ship    after charge, pack
    ///   · refund  on failure of pack
    /// ");
    /// ```
    pub fn to_text(&self) -> String {
        let (tasks, more) = self.drawn();
        let mut text = format!("{}\n", one_line(&self.name));
        let width = tasks.iter().filter(|task| !task.after.is_empty()).map(|task| task.name.chars().count()).max();
        let width = width.unwrap_or_default().min(40);
        for task in tasks {
            let (sign, name) = (task.state.sign(), one_line(&task.name));
            let before = before(task, tasks);
            let line = match before.is_empty() {
                true => format!("  {sign} {name}"),
                false => format!("  {sign} {name:width$}  {before}"),
            };
            let _ = writeln!(text, "{}", line.trim_end());
        }
        if more > 0 {
            let _ = writeln!(text, "  … and {more} more");
        }
        text
    }

    /// A flowchart in [Mermaid](https://mermaid.js.org)'s language, which many viewers of Markdown draw.
    pub fn to_mermaid(&self) -> String {
        let (tasks, more) = self.drawn();
        let mut text = "flowchart LR\n".to_owned();
        for (place, task) in tasks.iter().enumerate() {
            let (name, state) = (escaped(&task.name), task.state);
            let _ = writeln!(text, "    t{place}[\"{} {name}\"]:::{}", state.sign(), state.as_str());
            for before in task.after.iter().filter(|before| **before < tasks.len()) {
                let arrow = if task.run_when == RunWhen::AllSucceeded { "-->" } else { "-.->" };
                let _ = writeln!(text, "    t{before} {arrow} t{place}");
            }
        }
        if more > 0 {
            let _ = writeln!(text, "    more[\"… and {more} more\"]");
        }
        for state in TaskState::ALL {
            let (fill, stroke) = super::svg::colours(*state);
            let _ = writeln!(text, "    classDef {} fill:{fill},stroke:{stroke},color:#111", state.as_str());
        }
        text
    }
}

fn before(task: &Node, tasks: &[Node]) -> String {
    const MOST: usize = 5;
    if task.after.is_empty() {
        return String::new();
    }
    let names = task.after.iter().filter_map(|before| tasks.get(*before)).take(MOST);
    let names: Vec<String> = names.map(|before| one_line(&before.name)).collect();
    let rest = match task.after.len() - names.len() {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    let how = match task.run_when {
        RunWhen::AllSucceeded => "after",
        RunWhen::NoneFailed => "after branches",
        RunWhen::AllEnded => "after any end of",
        RunWhen::AnyFailed => "on failure of",
    };
    format!("{how} {}{rest}", names.join(", "))
}

fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// As Mermaid wants it within quotes.
fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for c in one_line(name).chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' | ';' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
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
    fn a_name_cannot_break_out_of_a_diagram() {
        let graph = Graph::of_tasks("w", &[task(1, "a\"]; click <b>\n#", &[], JobStatus::Complete)]);
        let text = graph.to_mermaid();
        assert!(text.contains("t0[\"✓ a#34;]#59; click #60;b#62; #35;\"]:::succeeded\n"), "{text}");
        assert!(graph.to_text().ends_with("  ✓ a\"]; click <b> #\n"));
    }

    #[test]
    fn a_large_graph_is_cut_and_says_so() {
        let tasks: Vec<_> = (0..600).map(|id| task(id, &format!("t{id}"), &[], JobStatus::Scheduled)).collect();
        let mut tasks = tasks;
        tasks.push(task(600, "end", &(0..600).collect::<Vec<_>>(), JobStatus::Blocked));
        let graph = Graph::of_tasks("w", &tasks);
        assert!(graph.to_text().ends_with("… and 101 more\n"));
        assert!(graph.to_mermaid().contains("… and 101 more"));
        let few = Graph::of_tasks(
            "w",
            &[&tasks[..9], &[task(600, "end", &[0, 1, 2, 3, 4, 5, 6], JobStatus::Blocked)]].concat(),
        );
        assert!(few.to_text().contains("after t0, t1, t2, t3, t4 and 2 more"), "{}", few.to_text());
    }
}
