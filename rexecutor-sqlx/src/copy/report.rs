//! What a copy tells while it goes on, and when it is done.

use rexecutor::job::JobId;

/// What a [`DatabaseCopy`](super::DatabaseCopy) is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyProgress {
    /// Rows of a table were compared, and stored where they were missing or different. The counts are those of this pass over the table.
    Compared {
        /// The table.
        table: &'static str,
        /// Which pass it is, from 1 on. Each pass but the first one checks those before it.
        pass: u32,
        /// How many rows were compared.
        rows: u64,
        /// How many of them were stored.
        stored: u64,
        /// The last number that was compared and the last one there is, for tables with numbers.
        number: Option<(i64, i64)>,
    },
    /// Jobs were taken out of the source's table: they are on their way.
    Taken {
        /// How many.
        jobs: u64,
    },
    /// Jobs were stored in the target.
    Arrived {
        /// How many.
        jobs: u64,
    },
    /// The source has forgotten jobs that have arrived.
    Forgotten {
        /// How many.
        jobs: u64,
        /// How many jobs this run has moved until now.
        moved: u64,
    },
}

/// What a [`DatabaseCopy`](super::DatabaseCopy) has done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyReport {
    /// All that the source has is in the target, as compared by counts and digests.
    Whole(WholeCopy),
    /// Jobs that waited are in the target, and not in the source any more.
    Live(LiveCopy),
}

/// What a copy as a whole has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WholeCopy {
    /// The jobs, by status.
    pub statuses: Vec<CheckedRows>,
    /// The other tables.
    pub tables: Vec<CheckedRows>,
    /// How many rows were stored; those that an earlier call had stored are not counted.
    pub stored: u64,
    /// How many jobs were enqueued in the target meanwhile. They stay there.
    pub others: u64,
    /// By how many milliseconds the target's clock is ahead of the source's.
    pub clock_ahead_ms: i64,
}

/// Rows that are the same in the source and in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedRows {
    /// The status, or the table.
    pub name: String,
    /// How many there are.
    pub rows: u64,
    /// The first half of a SHA-256 of them in the order of their keys, in hexadecimal digits.
    pub digest: String,
}

/// What moving jobs has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveCopy {
    /// How many jobs this call has moved.
    pub moved: u64,
    /// The jobs among them that have another number in the target, because theirs is, or was, that of another job.
    pub renumbered: Vec<(JobId, JobId)>,
    /// What is left in the source.
    pub left: LeftBehind,
    /// By how many milliseconds the target's clock is ahead of the source's.
    pub clock_ahead_ms: i64,
}

/// The jobs in a source that are not finished and are not moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftBehind {
    /// They run.
    pub executing: u64,
    /// They wait for other jobs, or for a signal.
    pub blocked: u64,
    /// They are part of a workflow or a batch.
    pub in_flows: u64,
    /// They run in order with others of their key.
    pub ordered: u64,
    /// They wait because a tag of theirs is paused.
    pub set_aside: u64,
    /// Somebody waits for their end.
    pub awaited: u64,
    /// They have been copied as a whole before.
    pub copied: u64,
    /// They have come to wait since the call began.
    pub new: u64,
}

impl LeftBehind {
    /// How many there are in all.
    pub fn total(&self) -> u64 {
        let Self { executing, blocked, in_flows, ordered, set_aside, awaited, copied, new } = *self;
        executing + blocked + in_flows + ordered + set_aside + awaited + copied + new
    }

    /// Adds to the count of this name, as `count_left.sql` gives it.
    pub(crate) fn add(&mut self, name: &str, jobs: u64) {
        let count = match name {
            "executing" => &mut self.executing,
            "blocked" => &mut self.blocked,
            "in_flows" => &mut self.in_flows,
            "ordered" => &mut self.ordered,
            "set_aside" => &mut self.set_aside,
            "awaited" => &mut self.awaited,
            "copied" => &mut self.copied,
            _ => &mut self.new,
        };
        *count += jobs;
    }
}
