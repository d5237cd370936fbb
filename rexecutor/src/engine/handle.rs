//! A running node's handle: how it is started, told of more to run, and shut down.

use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::{Notify, mpsc, watch as channel};
use tokio_util::sync::CancellationToken;

use super::{
    dispatcher::{self, Command, Dispatcher, Report},
    emitting,
    entries::{Book, Declared, EntryTicker},
    flows,
    heartbeat_thread::Heartbeats,
    history,
    membership::{self, Membership},
    options::Options,
    outage::Outage,
    prune::DuePrunes,
    reporting,
    runner::Runner,
    supervise::supervise,
    survey::{self, Presence},
    ticker::{self, Action, Timetable},
    watch,
};
use crate::{
    backend::Wakeup,
    clock::Clock,
    context::{Environment, JobThreads},
};

/// A running node's handle. Dropping it leaves the node running.
#[derive(Clone)]
pub(crate) struct Engine {
    environment: Environment,
    options: Options,
    commands: mpsc::UnboundedSender<Command>,
    /// The schedule entries that the node declares, where its backend keeps entries.
    declared: Arc<channel::Sender<Vec<Declared>>>,
    /// Cancelled when the dispatcher has settled everything: what runs beside it may stop.
    drained: CancellationToken,
    /// Cancelled when the node has left.
    left: CancellationToken,
    /// Cancelled when nothing keeps the node from leaving but jobs that block their threads.
    blocked: CancellationToken,
    /// Cancelled when the node has given such jobs back, since their threads end with the process.
    given_up: CancellationToken,
}

impl Engine {
    /// Starts a node on the present runtime.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn start(mut environment: Environment, options: Options) -> Self {
        if environment.clock.is_real() {
            environment.workers = Some(Arc::default());
            environment.job_threads = JobThreads::new(options.max_running).map(Arc::new);
        }
        let (commands, orders) = mpsc::unbounded_channel();
        let (wakeup, check, report) = <(Arc<Wakeup>, Arc<Notify>, Arc<Report>)>::default();
        let engine = Self {
            environment: environment.clone(),
            options: options.clone(),
            commands,
            declared: Arc::default(),
            drained: CancellationToken::new(),
            left: CancellationToken::new(),
            blocked: CancellationToken::new(),
            given_up: CancellationToken::new(),
        };
        let ticker_wakeup = wakeup.clone();
        let (presence, present) = channel::channel(Presence::default());
        let connections = dispatcher::Connections {
            commands: orders,
            report: report.clone(),
            wakeup: wakeup.clone(),
            check: check.clone(),
            presence,
            blocked: engine.blocked.clone(),
            given_up: engine.given_up.clone(),
        };
        let dispatcher = Dispatcher::new(environment.clone(), options.clone(), connections);
        let connections = membership::Connections { commands: engine.commands.clone(), report, check };
        let membership = Membership::new(environment, options, connections);
        let (backend, outage) = (engine.environment.backend.clone(), engine.outage("watch"));
        engine.beside(async move { watch::watch(wakeup, outage, |wakeup| backend.watch(wakeup)).await });
        let entries = EntryTicker {
            environment: engine.environment.clone(),
            wakeup: ticker_wakeup,
            presence: present.clone(),
            declared: engine.declared.subscribe(),
            label: engine.options.label.clone(),
            poll: engine.options.poll_interval,
            book: Book::default(),
        };
        if engine.environment.backend.entries().is_some() {
            let outage = engine.outage("tick");
            engine.beside(async move { supervise(outage, || entries.step().boxed()).await });
        }
        if engine.environment.backend.reports().is_some() {
            engine.beside(reporting::store(engine.environment.clone(), engine.outage("progress")));
        }
        if engine.environment.backend.streams().is_some() {
            // Before any job runs: one that came earlier would take it that nobody stores what it says.
            engine.environment.emitter.serve();
            engine.beside(emitting::store(engine.environment.clone(), engine.outage("streams")));
        }
        if engine.environment.backend.history().is_some() {
            // Before any job ends, too.
            engine.environment.recorder.serve();
            engine.beside(history::store(engine.environment.clone(), engine.outage("history")));
        }
        let interval = engine.options.node_timeout;
        engine.beside(flows::sweep(engine.environment.clone(), interval, engine.outage("batches")));
        engine.beside(survey::look(
            engine.environment.clone(),
            present,
            engine.options.poll_interval,
            engine.outage("survey"),
        ));
        let (this, heartbeats) = (engine.clone(), Heartbeats::of(&engine.environment, membership));
        // Dropped with the task, also when the runtime goes away before it has begun: nobody waits for a node that is gone.
        let guards = [&engine.drained, &engine.left].map(|token| token.clone().drop_guard());
        tokio::spawn(async move {
            let _guards = guards;
            this.live(dispatcher, heartbeats).await;
            tracing::info!("the node has left");
        });
        engine
    }

    /// Runs this executor's jobs too.
    pub(crate) fn add(&self, runner: Runner) {
        let _ = self.commands.send(Command::Add(Box::new(runner)));
    }

    /// Does what these schedules say.
    pub(crate) fn follow(&self, timetables: Vec<Timetable>) {
        ticker::warn_of_ended(&timetables, self.environment.clock.now());
        ticker::tell_of_time_zones(&timetables);
        let (entries, timetables) = ticker::declared(&self.environment, timetables);
        if !entries.is_empty() {
            self.declared.send_modify(|declared| declared.extend(entries));
        }
        if timetables.is_empty() {
            return;
        }
        let (environment, timetables) = (self.environment.clone(), Arc::<[Timetable]>::from(timetables));
        let (poll, prunes) = (self.options.poll_interval, Arc::new(DuePrunes::default()));
        if timetables.iter().any(|timetable| matches!(timetable.action, Action::Prune(..))) {
            self.beside(self.clone().prune(prunes.clone()));
        }
        let step = move || ticker::tick(environment.clone(), timetables.clone(), prunes.clone(), poll).boxed();
        self.beside(supervise(self.outage("tick"), step));
    }

    async fn prune(self, prunes: Arc<DuePrunes>) {
        supervise(self.outage("prune"), || prunes.prune_next(&self.environment).boxed()).await;
    }

    /// Begins to shut down.
    pub(crate) fn shut_down(&self) {
        let _ = self.commands.send(Command::ShutDown);
    }

    /// Shuts down once nothing is left to run.
    pub(crate) fn shut_down_when_idle(&self) {
        let _ = self.commands.send(Command::ShutDownWhenIdle);
    }

    /// Drops what runs, stores what can be, and ends, for the process is about to.
    pub(crate) fn end_with_process(&self) {
        let _ = self.commands.send(Command::EndWithProcess);
    }

    /// Waits until nothing keeps the node from leaving but jobs that block their threads.
    pub(crate) async fn blocked(&self) {
        self.blocked.cancelled().await;
    }

    /// Whether jobs were given back that block their threads still: the process must end.
    pub(crate) fn has_given_up(&self) -> bool {
        self.given_up.is_cancelled()
    }

    /// Waits until the node has left.
    pub(crate) async fn left(&self) {
        self.left.cancelled().await;
    }

    async fn live(&self, dispatcher: Dispatcher, heartbeats: Heartbeats) {
        match &heartbeats.here {
            None => {
                dispatcher.run().await;
                self.drained.cancel();
                self.store_last().await;
            }
            Some(membership) => {
                let mut keeping = Box::pin(membership.keep());
                // Staying alive comes first: a busy dispatcher uses up what tokio lets a task do in one go.
                tokio::select! {
                    biased;
                    () = &mut keeping => {}
                    () = dispatcher.run() => {}
                }
                self.drained.cancel();
                self.store_last().await;
                membership.end(keeping).await;
            }
        }
        if let Some(thread) = heartbeats.thread {
            thread.end().await;
        }
    }

    /// Stores what runs have said and how they went, once nothing runs any more.
    async fn store_last(&self) {
        futures::join!(reporting::store_last(&self.environment), history::store_last(&self.environment));
    }

    fn outage(&self, what: &'static str) -> Outage {
        Outage::new(self.environment.clock.clone(), what, self.options.seed)
    }

    fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        let drained = self.drained.clone();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = drained.cancelled_owned() => {}
                () = work.fuse() => {}
            }
        });
    }
}
