//! What a node is to run, gathered and checked before it starts.

use std::collections::BTreeMap;

use crate::{
    backend::Backend,
    causes::chain,
    context::StateMap,
    engine::{Action, Runner, Timetable, every_minute},
    executing::{Executor, Retention},
    json,
    manage::ExecutorExt,
    model::{JobStatus, NewJob, PruneRule, PruneScope, PruneSpec, ScheduleKey},
    pruner::PrunerConfig,
    registry::{CronEntry, Registration},
    schedule::{self, MissedTicks, Overlap, Schedule, TimeZone},
    schedules::NewSchedule,
    validate,
};

/// What a node is to run, and what is wrong with that.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) runners: BTreeMap<&'static str, Runner>,
    pub(super) timetables: Vec<Timetable>,
    pub(super) problems: Vec<String>,
    /// The schedules that were added under each name, by their keys.
    names: BTreeMap<String, Vec<ScheduleKey>>,
}

impl Plan {
    pub(super) fn add<E: Executor>(&mut self) {
        self.add_runner(Runner::of::<E>());
    }

    fn add_runner(&mut self, runner: Runner) {
        let name = runner.name;
        if let Err(invalid) = validate::name(name) {
            self.problems.push(format!("executor `{name}`: {invalid}"));
        }
        if runner.max_concurrency == Some(0) {
            self.problems
                .push(format!("executor `{name}`: max_concurrency is 0, so it would never run; the least is 1"));
        }
        if runner.cluster.concurrency == Some(0) {
            self.problems
                .push(format!("executor `{name}`: cluster_concurrency is 0, so it would never run; the least is 1"));
        }
        if runner.cluster.per_key == Some(0) {
            self.problems.push(format!(
                "executor `{name}`: the limit of its key_concurrency is 0, so it would never run; the least is 1"
            ));
        }
        if runner.cluster.ordered && runner.cluster.per_key.is_some() {
            self.problems.push(format!(
                "executor `{name}`: its jobs of a key run one at a time, because it is ordered: leave key_concurrency out"
            ));
        }
        let rates = [("rate limit", runner.cluster.rate), ("rate of each key", runner.cluster.key_rate)];
        for (what, rate) in rates {
            if let Some(problem) = rate.and_then(|rate| rate.check().err()) {
                self.problems.push(format!("executor `{name}`: its {what} cannot be kept to: {problem}"));
            }
        }
        if let Some(problem) = runner.circuit_breaker.and_then(|breaker| breaker.check().err()) {
            self.problems.push(format!("executor `{name}`: its circuit breaker cannot be kept to: {problem}"));
        }
        if let Some(problem) = runner.cluster.check_aging().err() {
            self.problems.push(format!("executor `{name}`: its aging cannot be kept to: {problem}"));
        }
        self.add_limits(&runner);
        match self.runners.get(name) {
            Some(known) if (known.type_name)() != (runner.type_name)() => self.problems.push(format!(
                "`{}` and `{}` are both named `{name}`: give one of them another name",
                (known.type_name)(),
                (runner.type_name)()
            )),
            Some(_) => {}
            None => {
                self.timetables.extend(retention(&runner));
                self.runners.insert(name, runner);
                runner.aliases.iter().for_each(|alias| self.add_alias(alias, runner));
            }
        }
    }

    /// Runs what is stored under a former name, too.
    fn add_alias(&mut self, alias: &'static str, runner: Runner) {
        if let Err(invalid) = validate::name(alias) {
            self.problems.push(format!("executor `{}`: the former name `{alias}`: {invalid}", runner.name));
        }
        match self.runners.get(alias) {
            Some(known) => self.problems.push(format!(
                "`{alias}` is a former name of `{}`, and a name of `{}` as well: leave it out of `aliases`",
                (runner.type_name)(),
                (known.type_name)()
            )),
            None => drop(self.runners.insert(alias, Runner { name: alias, aliases: &[], is_former: true, ..runner })),
        }
    }

    /// Notes a limit that another executor declares otherwise.
    fn add_limits(&mut self, runner: &Runner) {
        for limit in runner.cluster.shared {
            if let Some(problem) = limit.max_rate().and_then(|rate| rate.check().err()) {
                self.problems.push(format!("the rate of the limit `{}` cannot be kept to: {problem}", limit.name()));
            }
            let of = |(_, other): &(&str, Runner)| {
                other.cluster.shared.iter().any(|known| known.name() == limit.name() && known != limit)
            };
            let others = self.runners.iter().map(|(name, runner)| (*name, *runner));
            if let Some((other, _)) = others.into_iter().find(of) {
                self.problems.push(format!(
                    "the executors `{other}` and `{}` declare the limit `{}` in two ways: let both name one `static`",
                    runner.name,
                    limit.name()
                ));
            }
        }
    }

    pub(super) fn add_cron<E: Executor>(&mut self, schedule: Schedule, data: E::Data, missed: MissedTicks) {
        self.add::<E>();
        match E::builder().with_data(data).encode() {
            Ok(job) => self.add_timetable(timetable(schedule, job, missed, Overlap::default(), None), false),
            Err(error) => self.problems.push(format!("the cron job `{}`: {}", E::NAME, chain(&error))),
        }
    }

    pub(super) fn add_entry<E: Executor>(&mut self, entry: NewSchedule<E>, missed: MissedTicks) {
        self.add::<E>();
        let NewSchedule { name, schedule, job, overlap, .. } = entry;
        if let Err(invalid) = validate::entry_name(&name) {
            self.problems.push(format!("the schedule entry `{name}`: {invalid}"));
        }
        match job {
            Ok(job) => {
                let missed = entry.missed.unwrap_or(missed);
                self.add_timetable(timetable(schedule, job, missed, overlap, Some(name)), true);
            }
            Err(error) => self.problems.push(format!("the schedule entry `{name}`: {}", chain(&error))),
        }
    }

    /// Adds a schedule, whose name somebody has chosen or not. What differs from another one in nothing but the order of a list would
    /// never tick.
    fn add_timetable(&mut self, mut timetable: Timetable, is_named: bool) {
        let data = |one: &Timetable| match &one.action {
            Action::Enqueue(job) => json::canonical(&job.data),
            Action::Prune(..) => None,
        };
        if let Some(other) = self.timetables.iter().find(|other| other.key == timetable.key)
            && let (Some(one), Some(two)) = (data(other), data(&timetable))
            && one != two
        {
            self.problems.push(format!(
                "two schedules `{}` of one job have the data {one} and {two}, which differ in nothing but the order of a list, \
                 and are not told apart: change one of the expressions, or the data",
                timetable.schedule.expression()
            ));
        }
        let known = self.names.entry(timetable.name.clone()).or_default();
        let place = known.iter().position(|key| *key == timetable.key).unwrap_or(known.len());
        if place == known.len() {
            known.push(timetable.key.clone());
        }
        if place > 0 && is_named {
            self.problems.push(format!(
                "two schedule entries are named `{}`: give one of them another name, or none where they are schedules of one job",
                timetable.name
            ));
        }
        // Several schedules of one job with the same data are told apart by their order.
        if place > 0 {
            timetable.name = format!("{}#{}", timetable.name, place + 1);
        }
        self.timetables.push(timetable);
    }

    pub(super) fn add_pruner(&mut self, config: PrunerConfig) {
        self.problems
            .extend(config.specs.iter().filter_map(PruneSpec::problem).map(|problem| format!("pruner: {problem}")));
        // One of a cluster's nodes prunes at each tick, if their configurations are alike.
        let key = format!("prune {} {:?}", config.schedule.source(), config.specs);
        let key = ScheduleKey(validate::digest(&key));
        let at_once = config.max_concurrency.unwrap_or(config.specs.len());
        let schedule = Schedule::new(config.schedule, TimeZone::UTC);
        let action = Action::Prune(config.specs.into(), at_once);
        self.timetables.push(Timetable::of_node(key, schedule, action));
    }

    /// Adds jobs that `#[job]` has registered.
    pub(super) fn add_registered(&mut self, jobs: &[Registration], missed: MissedTicks) {
        for pair in jobs.windows(2) {
            if let [first, second] = pair
                && first.name() == second.name()
            {
                self.problems.push(format!(
                    "two jobs are named `{}`, at {} and {}: write `#[job(name = \"..\")]` on one of them",
                    first.name(),
                    place(first),
                    place(second)
                ));
            }
        }
        for job in jobs {
            if self.runners.get(job.name()).is_none_or(|known| known.is_former) {
                self.add_runner(job.runner());
            }
            for cron in job.crons() {
                match registered_timetable(cron, missed) {
                    Ok(timetable) => self.add_timetable(timetable, cron.entry().is_some()),
                    Err(problem) => {
                        self.problems.push(format!("the job `{}` at {}: {problem}", job.name(), place(job)))
                    }
                }
            }
        }
    }

    /// Notes what the backend cannot do of that which is asked for: limits of the cluster, and overlaps of schedules.
    pub(super) fn check_capabilities(&mut self, backend: &dyn Backend) {
        if backend.control().is_none() {
            for runner in self.runners.values().filter(|runner| runner.cluster.is_some()) {
                self.problems.push(format!(
                    "executor `{}` has a limit in the whole cluster, and the backend `{}` keeps to none (`Backend::control`)",
                    runner.name,
                    backend.name()
                ));
            }
            for runner in self.runners.values().filter(|runner| runner.circuit_breaker.is_some()) {
                self.problems.push(format!(
                    "executor `{}` has a circuit breaker, and the backend `{}` pauses none (`Backend::control`)",
                    runner.name,
                    backend.name()
                ));
            }
        }
        if backend.entries().is_none() {
            for timetable in self.timetables.iter().filter(|timetable| timetable.overlap != Overlap::Allow) {
                self.problems.push(format!(
                    "the schedule `{}` has an overlap of its own, and the backend `{}` keeps no schedule entries \
                     (`Backend::entries`), so that it cannot tell whether a job of an earlier tick is finished",
                    timetable.name,
                    backend.name()
                ));
            }
        }
    }

    /// Notes each state that a registered job needs and that was not given.
    pub(super) fn check_state(&mut self, jobs: &[Registration], state: &StateMap) {
        for job in jobs {
            for (id, name) in job.requirements().states() {
                if !state.has(*id) {
                    self.problems.push(format!(
                        "the job `{}` at {} takes `State<{name}>`, which was not given: write `.with_state(..)` with one",
                        job.name(),
                        place(job)
                    ));
                }
            }
        }
    }
}

fn place(job: &Registration) -> String {
    let (file, line) = job.location();
    format!("{file}:{line}")
}

fn timetable(
    schedule: Schedule,
    job: NewJob,
    missed: MissedTicks,
    overlap: Overlap,
    name: Option<String>,
) -> Timetable {
    let (key, name) = (schedule::key(&schedule, &job), name.unwrap_or_else(|| schedule::name(&job)));
    Timetable { key, name, schedule, missed, overlap, action: Action::Enqueue(Box::new(job)) }
}

fn registered_timetable(cron: &CronEntry, missed: MissedTicks) -> Result<Timetable, String> {
    let schedule = cron.schedule().map_err(|error| error.to_string())?;
    let job = cron.job().map_err(|error| chain(&error))?;
    let (missed, overlap) = (cron.missed().unwrap_or(missed), cron.overlap());
    Ok(timetable(schedule, job, missed, overlap, cron.entry().map(ToOwned::to_owned)))
}

/// What deletes the jobs of an executor that are kept for a while.
fn retention(runner: &Runner) -> Option<Timetable> {
    let Retention::For(age) = runner.retention else { return None };
    let finished = JobStatus::ALL.iter().copied().filter(|status| status.is_finished());
    let names = || std::iter::once(runner.name).chain(runner.aliases.iter().copied());
    let only = || PruneScope::Only(names().map(Into::into).collect());
    let spec = |status| PruneSpec::new(status, PruneRule::MaxAge(age), only());
    let action = Action::Prune(finished.map(spec).collect(), 1);
    every_minute(&format!("retain {} {age}", runner.name), action)
}
