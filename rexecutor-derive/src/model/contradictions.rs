//! Arguments that are right alone and wrong together.

use syn::ReturnType;

use super::{
    Job, Retain, Unique, Weight,
    unique::{By, Kind},
};
use crate::{
    args::{self, Arg, integer},
    errors::Errors,
    expand,
    signature::First,
};

/// Finds the arguments of a job that contradict each other.
pub(super) fn find(job: &Job, args: &[Arg], errors: &mut Errors) {
    let named = |name: &str| args.iter().find(|arg| arg.name == name);
    if let (Some(_), Some(unique)) = (named("unique_within"), named("unique")) {
        errors.push(&unique.name, "`unique_within` says that already; write `unique(within = \"..\")` alone");
    }
    if let Some(alias) = job.aliases.iter().find(|alias| alias.value() == job.name.value()) {
        errors.push(alias, format!("`{}` is the name that it has: leave it out", job.name.value()));
    }
    windows(job, args, errors);
    let [node, cluster] = [&job.max_concurrency, &job.cluster_concurrency].map(|most| most.as_ref().and_then(integer));
    if let (Some(node), Some(cluster), Some(arg)) = (node, cluster, named("max_concurrency"))
        && node > cluster
    {
        let problem = format!(
            "`max_concurrency = {node}` is more than all nodes together may run (`cluster_concurrency = {cluster}`): lower it \
             or leave it out"
        );
        errors.push(&arg.name, problem);
    }
    let of_key = job.keyed.as_ref().and_then(|keyed| integer(&keyed.limit));
    if let (Some(of_key), Some(cluster), Some(arg)) = (of_key, cluster, named("concurrency"))
        && of_key > cluster
    {
        let problem = format!(
            "`limit = {of_key}` for one key is more than all keys together may run (`cluster_concurrency = {cluster}`): lower it"
        );
        errors.push(&arg.name, problem);
    }
    order(job, args, errors);
    if let Some(aging) = named("aging")
        && let Some(keyed) = ["concurrency", "ordered_by", "per"].into_iter().find(|name| named(name).is_some())
    {
        let problem = format!(
            "`{keyed}` serves its keys in turn, whatever the priorities, so that no job could rise: leave one of the two out"
        );
        errors.push(&aging.name, problem);
    }
    if let (Some(Retain::Nothing), Some(arg), ReturnType::Type(_, ty)) =
        (job.retain, named("retain"), &job.function.sig.output)
        && let Some(ok) = expand::ok(ty).filter(|ok| !["()", "ExecutionResult"].contains(&last_word(&args::shown(ok))))
    {
        let problem = format!(
            "the `{}` that it returns is stored with the complete job, which this deletes at once: retain it for some time, as \
             with `retain = \"1h\"`, or return `Ok(())`",
            args::shown(ok)
        );
        errors.push(&arg.name, problem);
    }
    costs(job, args, errors);
    if let (Some(timeout), Some(deadline), Some(arg)) = (job.timeout, job.deadline, named("timeout"))
        && timeout > deadline
    {
        let problem =
            "an attempt never runs for so long, because the job's `deadline` comes before: lower it or leave it out";
        errors.push(&arg.name, problem);
    }
    if let (Some(Unique { by: By::Data, .. }), First::Data(ty) | First::Job(ty, _)) =
        (&job.unique, &job.signature.first)
        && args::shown(ty).split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "HashSet")
    {
        let problem = "a `HashSet` is written in another order each time, so that equal data would not be unique: take a \
                       `BTreeSet`, or compare a key with `unique(key = |data| ..)`";
        errors.push(ty, problem);
    }
    if let (Some(retain), Some(unique), Some(arg)) = (job.retain, &job.unique, named("retain")) {
        let too_short = match retain {
            Retain::Forever => false,
            Retain::Nothing => true,
            Retain::Millis(kept) => unique.within_millis.is_none_or(|within| within > kept),
        };
        if too_short && unique.covers_complete() {
            errors.push(
                &arg.name,
                match unique.kind {
                    Kind::Throttle => {
                        "complete jobs are deleted while they still hold others back: retain them for as long as the `throttle`"
                    }
                    _ => {
                        "complete jobs are deleted while they are still to be unique: retain them for longer, or leave \
                         `complete` out of the statuses with `unique(statuses = [..])`"
                    }
                },
            );
        }
    }
}

fn last_word(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or_default().trim()
}

/// What does not go with `ordered_by`.
fn order(job: &Job, args: &[Arg], errors: &mut Errors) {
    let named = |name: &str| args.iter().find(|arg| arg.name == name);
    if named("ordered_by").is_none() {
        if let Some(arg) = named("on_discard") {
            errors.push(&arg.name, "no jobs wait behind a discarded one: add `ordered_by = |data| data.customer`");
        }
        return;
    }
    if let Some(arg) = named("concurrency") {
        let problem = "`ordered_by` runs the jobs of a key one at a time, so there is no limit for a key beside it: leave one of \
                       the two out";
        errors.push(&arg.name, problem);
    }
    if let (Some(arg), Some(priority)) = (named("priority"), &job.priority)
        && integer(priority) != Some(0)
    {
        let problem =
            "ordered jobs start in the order in which they were enqueued, whatever their priority: leave it out";
        errors.push(&arg.name, problem);
    }
}

/// What does not go with a rate, or needs one.
fn costs(job: &Job, args: &[Arg], errors: &mut Errors) {
    let named = |name: &str| args.iter().find(|arg| arg.name == name);
    if named("rate_limit").is_none() {
        if let Some(burst) = named("burst") {
            errors.push(&burst.name, "a burst without a rate: add `rate_limit = \"100/1m\"`");
        }
        if let Some(per) = named("per") {
            errors.push(&per.name, "a key without a rate that each key has: add `rate_limit = \"100/1m\"`");
        }
        if let Some(weight) = named("weight").filter(|_| job.limits.is_empty()) {
            let problem = "a weight without a rate of which the job takes tokens: add `rate_limit = \"100/1m\"`, or a `limit` that has \
                           a rate";
            errors.push(&weight.name, problem);
        }
    }
    let burst = match (&job.burst, &job.rate_limit) {
        (Some(burst), _) => integer(burst),
        (None, rate) => rate.as_ref().map(|rate| rate.jobs.into()),
    };
    if let (Some(Weight::Always(weight)), Some(burst), Some(arg)) = (&job.weight, burst, named("weight"))
        && let Some(weight) = integer(weight).filter(|weight| *weight > burst)
    {
        let problem = format!(
            "no job could ever start: each costs {weight} tokens, and there are never more than {burst}; raise the `burst`"
        );
        errors.push(&arg.name, problem);
    }
    let other = [
        ("concurrency", job.keyed.as_ref().map(|keyed| &keyed.key)),
        ("ordered_by", job.ordered.as_ref().map(|order| &order.key)),
    ];
    let other = other.into_iter().find_map(|(name, key)| Some((name, key?)));
    if let (Some(per), Some((name, key)), Some(arg)) = (&job.per, other, named("per"))
        && args::shown(per) != args::shown(key)
    {
        let problem = format!(
            "a job has one key, and `{name}` says another one, `{}`: let both say the same, or give the key of one of them to a \
             job of its own",
            args::shown(key)
        );
        errors.push(&arg.name, problem);
    }
}

/// What does not go with `debounce` and `throttle`.
fn windows(job: &Job, args: &[Arg], errors: &mut Errors) {
    let named = |name: &str| args.iter().find(|arg| arg.name == name);
    let mut ways = ["unique_within", "unique", "debounce", "throttle"].into_iter().filter_map(named);
    if let (Some(first), Some(other)) = (ways.next(), ways.next())
        && (other.name == "debounce" || other.name == "throttle")
    {
        let problem =
            format!("`{}` and `{}` both say which calls become a job: give one of them", first.name, other.name);
        errors.push(&other.name, problem);
    }
    let window = ["debounce", "throttle"].into_iter().find_map(named);
    if let Some(arg) = window.filter(|_| !job.crons.is_empty()) {
        let problem =
            format!("each tick of a schedule is a job: `{}` would hold it back; leave one of the two out", arg.name);
        errors.push(&arg.name, problem);
    }
    if let (Some(Unique { kind: Kind::Debounce { longest_millis }, .. }), Some(deadline), Some(arg)) =
        (&job.unique, job.deadline, named("deadline"))
        && deadline <= *longest_millis
    {
        let problem = "the deadline counts from the first call, and comes before the longest wait of `debounce` is over: make \
                       it longer, or say `debounce(within = \"..\", longest = \"..\")`";
        errors.push(&arg.name, problem);
    }
}
