//! What a job takes from the tasks before it in a workflow.

use std::any::TypeId;

use super::{executor::Executor, output::HasOutput};

/// What the tasks before this one in its [workflow](crate::workflows) gave: a job takes it as a parameter after its data.
///
/// After a single task it holds that one's output. After several it holds a tuple of their outputs, in the order in which they were named, or
/// a `Vec` where they were named by a list. Where a task before may have failed or been skipped, so that it gave nothing, its output is an
/// `Option`. All of that is checked by the compiler where the workflow is built from
/// [builders](crate::job::builder::JobBuilder::after).
///
/// ```
/// use rexecutor::{prelude::*, workflows::Tasks};
///
/// #[job]
/// async fn measure(text: String) -> Result<usize, String> {
///     Ok(text.len())
/// }
///
/// #[job]
/// async fn compare(Upstream((first, second)): Upstream<(usize, usize)>) -> Result<bool, String> {
///     Ok(first > second)
/// }
///
/// let mut tasks = Tasks::new();
/// let one = tasks.task("one", Measure::builder().with_data("a".to_owned()));
/// let two = tasks.task("two", Measure::builder().with_data("bcd".to_owned()));
/// tasks.task("compare", Compare::builder().after((&one, &two)));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Upstream<T>(pub T);

/// A job that takes nothing from the tasks before it.
#[derive(Debug, Clone, Copy)]
pub struct NoUpstream;

/// Says what a job takes from the tasks before it: an [`Upstream`], or [`NoUpstream`]. `#[job]` implements it.
#[diagnostic::on_unimplemented(
    message = "nothing says what jobs of `{Self}` take from the tasks before them",
    label = "not an executor that can be a task by itself",
    note = "`#[job]` implements `HasUpstream`; for an executor that is written by hand, add `impl HasUpstream for {Self} {{ type Upstream = NoUpstream; }}`"
)]
pub trait HasUpstream: Executor {
    /// [`Upstream`] of what it takes, or [`NoUpstream`].
    type Upstream;
}

/// That a job can come after tasks that give `T`: because it takes that, or nothing.
#[diagnostic::on_unimplemented(
    message = "a job that takes `{Self}` cannot come after tasks that give `{T}`",
    label = "these tasks give something else",
    note = "the outputs come in the order in which the tasks are named: one by itself, several as a tuple, a list as a `Vec`",
    note = "where a task may have failed or been skipped, take an `Option` of its output"
)]
pub trait Accepts<T> {}

impl<T> Accepts<T> for Upstream<T> {}

impl<T> Accepts<T> for NoUpstream {}

/// That a job can come first: because it takes nothing from others.
#[diagnostic::on_unimplemented(
    message = "a job that takes `{Self}` comes after other tasks",
    label = "it comes after none",
    note = "name what it comes after: `.after(&first)`"
)]
pub trait ComesFirst {}

impl ComesFirst for NoUpstream {}

/// A type, to compare and to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeName {
    id: TypeId,
    name: &'static str,
}

impl TypeName {
    /// The name of a type.
    pub fn of<T: 'static>() -> Self {
        Self { id: TypeId::of::<T>(), name: std::any::type_name::<T>() }
    }

    /// For people, without the modules that it stands in.
    pub fn shown(self) -> String {
        let mut shown = String::new();
        for word in self.name.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
            shown.push_str(word.rsplit("::").next().unwrap_or(word));
        }
        shown
    }
}

/// A part of what a job takes: a type, and what it may be missing of.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The type.
    pub whole: TypeName,
    /// Of an `Option`, what is in it.
    pub some: Option<TypeName>,
}

impl Part {
    /// Whether an output of this type can be given there; it may be missing where the task before may have failed.
    pub fn takes(self, output: TypeName, may_be_missing: bool) -> bool {
        self.some == Some(output) || (!may_be_missing && self.whole == output)
    }
}

/// What a job takes from the tasks before it, as its function says.
#[derive(Debug, Clone)]
pub enum Parts {
    /// One type, of which the function does not say more.
    One,
    /// A tuple.
    Tuple(Vec<Part>),
    /// A `Vec`.
    List(Part),
}

/// What a job gives, and what it takes from the tasks before it.
#[derive(Debug, Clone)]
pub struct JobTypes {
    /// What it gives.
    pub output: TypeName,
    /// What it takes; `None`: nothing.
    pub upstream: Option<(Part, Parts)>,
}

impl JobTypes {
    /// Those of an executor that takes nothing.
    pub fn of<E: HasOutput>() -> Self {
        Self { output: TypeName::of::<E::Output>(), upstream: None }
    }

    /// … that takes this.
    #[must_use]
    pub fn with_upstream(self, whole: Part, parts: Parts) -> Self {
        Self { upstream: Some((whole, parts)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_shown_without_its_modules() {
        assert_eq!(TypeName::of::<Vec<Option<String>>>().shown(), "Vec<Option<String>>");
        assert_eq!(TypeName::of::<(std::num::NonZeroU8, u32)>().shown(), "(NonZero<u8>, u32)");
    }
}
