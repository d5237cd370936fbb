//! Who may see and change what.

use axum::http::request::Parts;
use futures::future::BoxFuture;
use rexecutor::job::ExecutorName;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees everything that [`Access`] allows, and changes nothing.
    Viewer,
    /// Also cancels, retries and releases jobs, changes their priority, pauses and resumes executors and schedules, triggers
    /// schedules, and sees the audit log.
    Operator,
    /// Also deletes jobs, and pauses and resumes the whole cluster.
    Admin,
}

impl Role {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// Who asks, and what they may see and change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    name: String,
    role: Role,
    executors: Option<Vec<ExecutorName>>,
}

impl Access {
    /// Somebody of this name, which audits and pauses tell, in this role.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role, executors: None }
    }

    /// … who sees the jobs and schedules of these executors only. The names of nodes are seen by everybody.
    #[must_use]
    pub fn only(self, executors: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let executors = executors.into_iter().map(|name| ExecutorName::from(name.into()));
        Self { executors: Some(executors.collect()), ..self }
    }

    /// Who it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// In which role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Which executors they may see; `None`: all.
    pub fn executors(&self) -> Option<&[ExecutorName]> {
        self.executors.as_deref()
    }

    /// Whether they may see this executor.
    pub fn sees(&self, executor: &ExecutorName) -> bool {
        self.executors.as_ref().is_none_or(|executors| executors.contains(executor))
    }
}

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied {
    /// Nobody is logged in: the answer is 401.
    Unauthorized,
    /// … and the browser is to ask for a name and a password: 401, with this realm.
    AskForPassword(&'static str),
    /// … and is to go to this address to log in.
    LogIn(String),
    /// They may not see this at all: 403.
    Forbidden,
}

/// Decides about every request, but for those of the [assets](crate) and of `/live`, which show nothing.
///
/// A closure is one: `|request: &Parts| Ok(Access::new("ann", Role::Viewer))`.
pub trait Authorize: Send + Sync + 'static {
    /// Who asks, and what they may do.
    ///
    /// # Errors
    ///
    /// When the request is not to be answered.
    fn authorize<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<Access, Denied>>;
}

impl<F: Fn(&Parts) -> Result<Access, Denied> + Send + Sync + 'static> Authorize for F {
    fn authorize<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<Access, Denied>> {
        Box::pin(std::future::ready(self(request)))
    }
}
