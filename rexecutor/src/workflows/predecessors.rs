//! Naming tasks that others come after.

use std::{fmt, marker::PhantomData, sync::Arc};

/// A task of a workflow that gives a `T`: what [`Tasks::task`](super::Tasks::task) returns, to say what comes after it. It is cheap to clone.
pub struct TaskRef<T> {
    name: Arc<str>,
    output: PhantomData<fn() -> T>,
}

impl<T> TaskRef<T> {
    /// The task that is called so, which gives a `T`, of a workflow that was built elsewhere.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), output: PhantomData }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<T> Clone for TaskRef<T> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), output: PhantomData }
    }
}

impl<T> fmt::Debug for TaskRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskRef").field(&self.name).finish()
    }
}

/// A [`TaskRef`], or a reference to one.
#[diagnostic::on_unimplemented(message = "`{Self}` is no task of a workflow", label = "not a `TaskRef`")]
pub trait Predecessor {
    /// What the task gives.
    type Output;

    /// What it is called.
    fn name(&self) -> String;
}

impl<T> Predecessor for TaskRef<T> {
    type Output = T;

    fn name(&self) -> String {
        self.name.as_ref().to_owned()
    }
}

impl<P: Predecessor> Predecessor for &P {
    type Output = P::Output;

    fn name(&self) -> String {
        (**self).name()
    }
}

/// What a task comes after: one [`TaskRef`], a tuple of up to eight, or a list of them, each by value or by reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no tasks of a workflow",
    label = "not what `Tasks::task` returns",
    note = "give one `TaskRef`, a tuple of up to eight, or a `Vec`, a slice or an array of them"
)]
pub trait Predecessors {
    /// What they give together.
    type Outputs;
    /// The same, where each of them may have given nothing.
    type Ends;

    /// What they are called, and whether what they give is a list.
    fn names(&self) -> (Vec<String>, bool);
}

impl<T> Predecessors for TaskRef<T> {
    type Outputs = T;
    type Ends = Option<T>;

    fn names(&self) -> (Vec<String>, bool) {
        (vec![Predecessor::name(self)], false)
    }
}

impl<P: Predecessors + ?Sized> Predecessors for &P {
    type Outputs = P::Outputs;
    type Ends = P::Ends;

    fn names(&self) -> (Vec<String>, bool) {
        (**self).names()
    }
}

impl<P: Predecessor> Predecessors for [P] {
    type Outputs = Vec<P::Output>;
    type Ends = Vec<Option<P::Output>>;

    fn names(&self) -> (Vec<String>, bool) {
        (self.iter().map(Predecessor::name).collect(), true)
    }
}

impl<P: Predecessor> Predecessors for Vec<P> {
    type Outputs = Vec<P::Output>;
    type Ends = Vec<Option<P::Output>>;

    fn names(&self) -> (Vec<String>, bool) {
        self.as_slice().names()
    }
}

impl<P: Predecessor, const N: usize> Predecessors for [P; N] {
    type Outputs = Vec<P::Output>;
    type Ends = Vec<Option<P::Output>>;

    fn names(&self) -> (Vec<String>, bool) {
        self.as_slice().names()
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)+) => {$(
        impl<$($name: Predecessor),+> Predecessors for ($($name,)+) {
            type Outputs = ($($name::Output,)+);
            type Ends = ($(Option<$name::Output>,)+);

            #[allow(non_snake_case)]
            fn names(&self) -> (Vec<String>, bool) {
                let ($($name,)+) = self;
                (vec![$($name.name()),+], true)
            }
        }
    )+};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
