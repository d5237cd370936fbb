//! The README and the guides. Their programs are compiled and run as tests of this package.
#![doc = include_str!("../../README.md")]
#![doc(test(attr(deny(unused_must_use))))]

/// What is done when something fails, and every error of the API.
#[doc = include_str!("../errors.md")]
pub mod errors {}

/// What a node says in the log.
#[doc = include_str!("../logs.md")]
pub mod logs {}

/// Code around the runs of jobs.
#[doc = include_str!("../middleware.md")]
pub mod middleware {}

/// What can be monitored.
#[doc = include_str!("../metrics.md")]
pub mod metrics {}

/// The programs of a service.
#[doc = include_str!("../services.md")]
pub mod services {}

/// Changing jobs that are stored.
#[doc = include_str!("../deploys.md")]
pub mod deploys {}

/// The guide to testing.
#[doc = include_str!("../testing.md")]
pub mod testing {}

/// The guide to limits.
#[doc = include_str!("../limits.md")]
pub mod limits {}

/// The guide to batches.
#[doc = include_str!("../batches.md")]
pub mod batches {}

/// The guide to results.
#[doc = include_str!("../results.md")]
pub mod results {}

/// The guide to schedules.
#[doc = include_str!("../schedules.md")]
pub mod schedules {}

/// The guide to PostgreSQL.
#[doc = include_str!("../postgres.md")]
pub mod postgres {}

/// The guide to SQLite files.
#[doc = include_str!("../sqlite.md")]
pub mod sqlite {}

/// The command `rexecutor`.
#[doc = include_str!("../cli.md")]
pub mod cli {}

/// Enqueuing from other languages.
#[doc = include_str!("../enqueue-from-sql.md")]
pub mod enqueue_from_sql {}

/// The guide to the dashboard.
#[doc = include_str!("../dashboard.md")]
pub mod dashboard {}
