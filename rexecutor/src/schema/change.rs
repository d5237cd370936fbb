//! What has changed of a job's types, and what to write so that its stored jobs decode.

use std::fmt;

/// Which of a job's types has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// What a job works on.
    Data,
    /// What else is stored with it.
    Metadata,
    /// What it gives when it succeeds.
    Output,
}

impl Part {
    /// Every part.
    pub const ALL: &[Self] = &[Self::Data, Self::Metadata, Self::Output];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Metadata => "metadata",
            Self::Output => "output",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A change that breaks stored jobs. Its [`Display`](fmt::Display) is a sentence that says what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakingChange {
    /// The job's name, as it was.
    pub job: String,
    /// Which of its types; `None`: the job itself is gone.
    pub part: Option<Part>,
    /// Where in that type, as `address.street` or `lines[].price`; empty for the type itself.
    pub path: String,
    /// What has changed.
    pub kind: ChangeKind,
    /// Whether it affects only jobs that are older than the snapshot: the program that wrote the snapshot could still read them.
    pub is_older: bool,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// No job has this name any more, nor is it a former name of one.
    JobRemoved,
    /// The type had a schema and has none: nothing can be said of it.
    NotDescribed {
        /// The type.
        type_name: String,
    },
    /// A required field is new.
    NewField {
        /// A field that is gone, which it may have been.
        renamed_from: Option<String>,
    },
    /// A field that could be missing is required.
    NowRequired,
    /// A field is gone, and unknown ones are refused.
    FieldRefused,
    /// A value of another type is expected.
    Type {
        /// What was written.
        was: String,
        /// What is read.
        is: String,
    },
    /// A variant of an enum holds another type.
    VariantType {
        /// The variant.
        variant: String,
        /// What was written.
        was: String,
        /// What is read.
        is: String,
    },
    /// The variants of an enum are told apart by something else.
    Tag {
        /// The field that said which one it is; `None`: the name of the variant was the only key, or the value.
        was: Option<String>,
        /// … and that says so now.
        is: Option<String>,
    },
    /// It could be null.
    NotNull {
        /// What is read.
        is: String,
    },
    /// An enum lacks a variant.
    VariantRemoved {
        /// The variant.
        variant: String,
        /// Those that the enum has.
        variants: Vec<String>,
    },
    /// A schema that is not understood has changed.
    CannotTell {
        /// What is not understood.
        about: String,
    },
}

impl fmt::Display for BreakingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { job, part, path, kind, is_older } = self;
        write!(f, "job `{job}`")?;
        if let Some(part) = part {
            match path.as_str() {
                "" => write!(f, ", {part}")?,
                path => write!(f, ", {part}, field `{path}`")?,
            }
        }
        if *is_older {
            f.write_str(" (in jobs that are older than the snapshot)")?;
        }
        let field = path.rsplit('.').next().unwrap_or_default();
        match kind {
            ChangeKind::JobRemoved => write!(
                f,
                ": no job has this name any more, so its stored jobs would wait for ever; write `aliases = [\"{job}\"]` in the \
                 `#[job]` that took its place, or keep it until none of its jobs is stored"
            ),
            ChangeKind::NotDescribed { type_name } => write!(
                f,
                ": `{type_name}` has no schema any more, so nobody can tell whether stored jobs decode; derive \
                 `schemars::JsonSchema` for it"
            ),
            ChangeKind::NewField { renamed_from: None } => {
                write!(
                    f,
                    ": it is new, and stored jobs lack it; write `#[serde(default)]` on it, or make it an `Option`"
                )
            }
            ChangeKind::NewField { renamed_from: Some(old) } => write!(
                f,
                ": it is new, and stored jobs lack it; if it was called `{old}`, write `#[serde(alias = \"{old}\")]` on it, else \
                 `#[serde(default)]`"
            ),
            ChangeKind::NowRequired => {
                write!(
                    f,
                    ": it could be missing, and is required now; write `#[serde(default)]` on it, or keep the `Option`"
                )
            }
            ChangeKind::FieldRefused => write!(
                f,
                ": it is gone, and `#[serde(deny_unknown_fields)]` refuses jobs that have it; leave that attribute out, or keep \
                 the field; if it was renamed, write `#[serde(alias = \"{field}\")]` on its new name"
            ),
            ChangeKind::Type { was, is } => {
                write!(f, ": it was {was}, and is {is}; keep its type")?;
                match path.as_str() {
                    "" => {}
                    _ => f.write_str(", or give the changed field a new name and `#[serde(default)]`")?,
                }
                write!(f, ", or give the job a new name and keep the old one until none of its jobs is stored")
            }
            ChangeKind::VariantType { variant, was, is } => write!(
                f,
                ": in the variant `{variant}` it was {was}, and is {is}; keep its type, or add a variant with another name and \
                 keep this one until none of its jobs is stored"
            ),
            ChangeKind::Tag { was, is } => write!(
                f,
                ": the variants of this enum were told apart by {}, and are by {}; {}, or give the job a new name and keep the \
                 old one until none of its jobs is stored",
                told_by(was.as_deref()),
                told_by(is.as_deref()),
                match was {
                    Some(tag) => format!("write `#[serde(tag = \"{tag}\")]` as before"),
                    None => "leave the attribute `#[serde(tag = ..)]` out".to_owned(),
                }
            ),
            ChangeKind::NotNull { is } => {
                write!(f, ": it could be null, and is {is}; keep the `Option`, or give the changed field a new name")
            }
            ChangeKind::VariantRemoved { variant, variants } => {
                write!(
                    f,
                    ": the variant `{variant}` is gone; keep it, or if it was renamed, write `#[serde(alias = \"{variant}\")]` \
                     on its new name"
                )?;
                match variants.as_slice() {
                    [] => Ok(()),
                    variants => write!(f, " (there are `{}`)", variants.join("`, `")),
                }
            }
            ChangeKind::CannotTell { about } => write!(
                f,
                ": its schema has changed, and uses {about}, which cannot be compared; decode a stored job with the new program, \
                 and accept the new schema if that works"
            ),
        }
    }
}

/// What tells variants apart.
fn told_by(tag: Option<&str>) -> String {
    tag.map_or_else(|| "their names alone".to_owned(), |tag| format!("the field `{tag}`"))
}
