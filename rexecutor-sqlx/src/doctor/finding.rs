//! What an examination has found.

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at, as `column`, `index` or `rights`.
    pub check: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub what: String,
    /// What puts it right; `None` where only a person can know.
    pub repair: Option<Repair>,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// Jobs are lost, wait or fail because of it, or will.
    Problem,
    /// It costs something, or may be meant.
    Notice,
}

/// What puts a [`Finding`] right.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// Statements, each ended by a semicolon, to be run outside of a transaction by the owner of the tables.
    Sql(String),
    /// A command of the shell, on the machine of the database.
    Command(String),
}

impl Repair {
    /// The statements, or the command.
    pub fn text(&self) -> &str {
        match self {
            Self::Sql(text) | Self::Command(text) => text,
        }
    }
}

impl Finding {
    pub(crate) fn problem(check: &'static str, what: impl Into<String>, repair: Option<Repair>) -> Self {
        Self { level: Level::Problem, check, what: what.into(), repair }
    }

    pub(crate) fn notice(check: &'static str, what: impl Into<String>, repair: Option<Repair>) -> Self {
        Self { level: Level::Notice, check, what: what.into(), repair }
    }

    /// A problem that statements repair.
    pub(crate) fn mend(check: &'static str, what: impl Into<String>, sql: impl Into<String>) -> Self {
        Self::problem(check, what, Some(Repair::Sql(sql.into())))
    }
}
