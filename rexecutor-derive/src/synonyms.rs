//! What other job systems call the arguments of `#[job]`.

/// A word of theirs, the argument of ours, and what else is to be said.
type Synonym = (&'static str, &'static str, &'static str);

const FIRST_RUN: &str = ", counting the first run";
const BETWEEN: &str = "; how long to wait between attempts is `backoff = constant(\"30s\")`";
const SINGLE: &str = "; when a single job is due is said as it is enqueued, `builder().schedule_in(..)`";
const QUEUE: &str = "; there are no queues: each job has a line of its own, with limits of its own (`max_concurrency`, \
                     `priority`), and a node runs the jobs that it is given (`.only::<..>()`)";
const KEYED: &str = ", as `concurrency(key = |data| data.customer, limit = 2)`";
const ORDERED: &str = ", as `ordered_by = |data| data.customer`";
const SHARED: &str = ", the `static` of a limit that several jobs share, as `limit = STRIPE`";
const MIDDLEWARE: &str = ", an `async fn(run: Run, next: Next) -> ExecutionResult`, as `middleware = audit`";
const WEIGHT: &str = ", how many tokens of the rate a job costs, as `weight = |data| data.tokens`";
const PER: &str = ", so that each key has a rate of its own, as `per = |data| data.customer`";
const RATE: &str = ", jobs and a time as `\"100/1m\"`";
const FORMER: &str = ", as `aliases = [\"send_email\"]`";
const BREAKER: &str = ", as `circuit_breaker(after = 20, within = \"1m\", pause = \"5m\")`";
const QUOTED: &str = ", a duration as `\"30s\"`";
const DATE: &str = ", a date as `\"2027-01-31\"`";
const EVERY: &str = ", as `every = \"5m\"` for every five minutes";
const CRON: &str = ", as `cron = \"0 */5 * * * *\"` for every five minutes";

const SYNONYMS: [Synonym; 133] = [
    ("retries", "max_attempts", FIRST_RUN),
    ("retry", "max_attempts", FIRST_RUN),
    ("max_retries", "max_attempts", FIRST_RUN),
    ("retry_limit", "max_attempts", FIRST_RUN),
    ("attempts", "max_attempts", FIRST_RUN),
    ("tries", "max_attempts", FIRST_RUN),
    ("max_tries", "max_attempts", FIRST_RUN),
    ("queue", "executor", QUEUE),
    ("queue_name", "executor", QUEUE),
    ("struct_name", "executor", ""),
    ("worker", "executor", ""),
    ("kind", "name", ""),
    ("id", "name", ""),
    ("job_name", "name", ""),
    ("job_type", "name", ""),
    ("rename", "name", ""),
    ("alias", "aliases", FORMER),
    ("former_names", "aliases", FORMER),
    ("old_names", "aliases", FORMER),
    ("renamed_from", "aliases", FORMER),
    ("limits", "limit", SHARED),
    ("shared_limit", "limit", SHARED),
    ("limiter", "limit", SHARED),
    ("rate_limiter", "limit", SHARED),
    ("layer", "middleware", MIDDLEWARE),
    ("layers", "middleware", MIDDLEWARE),
    ("wrap", "middleware", MIDDLEWARE),
    ("around", "middleware", MIDDLEWARE),
    ("hooks", "middleware", MIDDLEWARE),
    ("interceptor", "middleware", MIDDLEWARE),
    ("before", "middleware", MIDDLEWARE),
    ("workers", "max_concurrency", ""),
    ("threads", "max_concurrency", ""),
    ("pool_size", "max_concurrency", ""),
    ("parallelism", "max_concurrency", ""),
    ("max_running", "max_concurrency", ""),
    ("global_limit", "cluster_concurrency", ""),
    ("global_concurrency", "cluster_concurrency", ""),
    ("total_concurrency", "cluster_concurrency", ""),
    ("total_limit", "cluster_concurrency", ""),
    ("per_key", "concurrency", KEYED),
    ("partition", "concurrency", KEYED),
    ("partition_by", "concurrency", KEYED),
    ("concurrency_key", "concurrency", KEYED),
    ("key_concurrency", "concurrency", KEYED),
    ("group", "concurrency", KEYED),
    ("group_by", "concurrency", KEYED),
    ("group_key", "concurrency", KEYED),
    ("order_by", "ordered_by", ORDERED),
    ("ordered", "ordered_by", ORDERED),
    ("sequence", "ordered_by", ORDERED),
    ("fifo", "ordered_by", ORDERED),
    ("serial", "ordered_by", ORDERED),
    ("sequential", "ordered_by", ORDERED),
    ("rate", "rate_limit", RATE),
    ("breaker", "circuit_breaker", BREAKER),
    ("circuit", "circuit_breaker", BREAKER),
    ("pause_after", "circuit_breaker", BREAKER),
    ("cost", "weight", WEIGHT),
    ("costs", "weight", WEIGHT),
    ("tokens", "weight", WEIGHT),
    ("units", "weight", WEIGHT),
    ("rate_key", "per", PER),
    ("rate_per", "per", PER),
    ("rate_by", "per", PER),
    ("rate_limit_by", "per", PER),
    ("priority_aging", "aging", QUOTED),
    ("age", "aging", QUOTED),
    ("cooldown", "throttle", QUOTED),
    ("max_wait", "longest", QUOTED),
    ("per_second", "rate_limit", RATE),
    ("per_minute", "rate_limit", RATE),
    ("max_queue_size", "max_pending", ""),
    ("queue_limit", "max_pending", ""),
    ("capacity", "max_pending", ""),
    ("max_waiting", "max_pending", ""),
    ("timeout_secs", "timeout", QUOTED),
    ("timeout_seconds", "timeout", QUOTED),
    ("timeout_ms", "timeout", QUOTED),
    ("max_duration", "timeout", QUOTED),
    ("expires_in", "deadline", QUOTED),
    ("expires", "deadline", QUOTED),
    ("ttl", "deadline", QUOTED),
    ("ttr", "timeout", QUOTED),
    ("tz", "timezone", ""),
    ("zone", "timezone", ""),
    ("time_zone", "timezone", ""),
    ("interval", "every", EVERY),
    ("schedule", "cron", CRON),
    ("scheduled", "cron", CRON),
    ("repeat", "cron", CRON),
    ("start", "starts", DATE),
    ("end", "ends", DATE),
    ("until", "ends", DATE),
    ("spread", "jitter", QUOTED),
    ("crontab", "cron", CRON),
    ("delay", "backoff", SINGLE),
    ("run_at", "cron", SINGLE),
    ("run_in", "cron", SINGLE),
    ("schedule_in", "cron", SINGLE),
    ("schedule_at", "cron", SINGLE),
    ("scheduled_at", "cron", SINGLE),
    ("retry_delay", "backoff", BETWEEN),
    ("retry_in", "backoff", BETWEEN),
    ("retry_after", "backoff", BETWEEN),
    ("retry_backoff", "backoff", BETWEEN),
    ("wait", "backoff", BETWEEN),
    ("retention", "retain", ""),
    ("keep", "retain", ""),
    ("keep_for", "retain", ""),
    ("ttl", "retain", ""),
    ("expires", "retain", ""),
    ("remove_on_complete", "retain", ", as `retain = \"none\"`"),
    ("dedup", "unique", ""),
    ("deduplicate", "unique", ""),
    ("unique_for", "unique_within", QUOTED),
    ("unique_by", "unique", ", as `unique(by = data)`"),
    ("unique_key", "unique", ", as `unique(key = |data| data.user)`"),
    ("lock", "unique", ""),
    ("args", "data", ""),
    ("payload", "data", ""),
    ("sync", "blocking", ""),
    ("spawn_blocking", "blocking", ""),
    ("tag", "tags", ", as `tags = [\"mail\"]`"),
    ("labels", "tags", ", as `tags = [\"mail\"]`"),
    // Within `unique(..)` and `backoff = ..(..)`.
    ("period", "within", QUOTED),
    ("states", "statuses", ""),
    ("failures", "after", ", a number of failures as `after = 20`"),
    ("threshold", "after", ", a number of failures as `after = 20`"),
    ("reset_after", "pause", QUOTED),
    ("factor", "power", ""),
    ("exponent", "power", ""),
    ("cap", "max", QUOTED),
];

/// What to write for a word of another job system, if it stands for one of the known arguments.
pub(crate) fn hint(word: &str, known: &[&str]) -> Option<String> {
    let (_, meant, more) = SYNONYMS.iter().find(|(synonym, meant, _)| *synonym == word && known.contains(meant))?;
    Some(match more.strip_prefix("; ") {
        Some(more) => format!("did you mean `{meant}`? {more}"),
        None => format!("did you mean `{meant}`{more}?"),
    })
}
