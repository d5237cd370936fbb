//! Why tasks are no graph.

/// Why tasks are no graph that can be a workflow, or no part of one.
#[derive(thiserror::Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphError {
    /// It has no name that can be stored.
    #[error("`{}` is no name of a task: give 1 to 255 bytes without U+0000", .0.escape_debug())]
    Name(String),
    /// Two have this name.
    #[error("two tasks are called `{0}`: a name stands for one task of the workflow")]
    DoubledName(String),
    /// The workflow has another one of this name.
    #[error(
        "the workflow already has a task `{0}`, with other data or other predecessors: give the new one another name"
    )]
    TakenName(String),
    /// It comes after one that does not exist.
    #[error("the task `{task}` comes after `{after}`, and the workflow has no task of this name")]
    Unknown {
        /// The task.
        task: String,
        /// The name that is unknown.
        after: String,
    },
    /// They wait for each other.
    #[error("tasks wait for each other, and none would ever run: {}", turns(.0))]
    Circle(Vec<String>),
    /// It runs when one before it has failed, and there is none before it.
    #[error("the task `{0}` runs when one before it has failed, and comes after none")]
    AfterNone(String),
    /// Its job is unique.
    #[error(
        "the task `{0}` is unique, and cannot be: whether it may be stored would depend on other jobs; make the job unique that \
         enqueues the workflow"
    )]
    Unique(String),
    /// Its job is blocked.
    #[error("the task `{0}` is blocked by hand, and cannot be: what it waits for is what it comes after")]
    Blocked(String),
    /// What it takes is not what those before it give.
    #[error("the task `{task}` takes `{takes}`, and what it comes after gives {gives}")]
    Types {
        /// The task.
        task: String,
        /// What its function takes.
        takes: String,
        /// What it would get.
        gives: String,
    },
}

crate::debug_as_sentence!(GraphError);

fn turns(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().rev().map(|name| format!("`{name}`")).collect();
    quoted.join(" after ")
}
