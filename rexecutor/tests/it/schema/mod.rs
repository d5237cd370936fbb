//! Which changes of a job's types its stored jobs do not survive.

mod assertion;
mod pairs;
mod snapshots;
mod stored;
