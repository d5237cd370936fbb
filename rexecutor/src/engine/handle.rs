//! A running node's handle: how it is started, told of more to run, and shut down.

use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    dispatcher::{self, Command, Dispatcher, Report},
    keeper::Keeper,
    membership::{self, Membership},
    options::Options,
    outage::Outage,
    prune::DuePrunes,
    runner::Runner,
    supervise::supervise,
    ticker::{self, Action, Timetable},
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
    /// Cancelled when the dispatcher has settled everything: what runs beside it may stop.
    drained: CancellationToken,
    /// Cancelled when the node has left.
    left: CancellationToken,
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
            drained: CancellationToken::new(),
            left: CancellationToken::new(),
        };
        let connections = dispatcher::Connections {
            commands: orders,
            report: report.clone(),
            wakeup: wakeup.clone(),
            check: check.clone(),
        };
        let dispatcher = Dispatcher::new(environment.clone(), options.clone(), connections);
        let connections = membership::Connections { commands: engine.commands.clone(), report, check };
        let membership = Membership::new(environment, options, connections);
        engine.beside(engine.clone().watch(wakeup));
        let (this, keeper) = (engine.clone(), Keeper::of(&engine.environment, membership));
        tokio::spawn(async move {
            // Dropped at the end of this task, also when the runtime goes away: nobody waits for a node that is gone.
            let _left = this.left.clone().drop_guard();
            let _drained = this.drained.clone().drop_guard();
            this.live(dispatcher, keeper).await;
            tracing::info!("the node has left");
        });
        engine
    }

    /// Runs this executor's jobs too.
    pub(crate) fn add(&self, runner: Runner) {
        let _ = self.commands.send(Command::Add(runner));
    }

    /// Does what these schedules say.
    pub(crate) fn follow(&self, timetables: Vec<Timetable>) {
        ticker::warn_of_ended(&timetables, self.environment.clock.now());
        ticker::tell_of_time_zones(&timetables);
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

    /// Waits until the node has left.
    pub(crate) async fn left(&self) {
        self.left.cancelled().await;
    }

    async fn live(&self, dispatcher: Dispatcher, keeper: Keeper) {
        match &keeper.here {
            None => dispatcher.run().await,
            // Staying alive comes first: a busy dispatcher uses up what tokio lets a task do in one go.
            Some(membership) => tokio::select! {
                biased;
                () = membership.keep() => {}
                () = dispatcher.run() => {}
            },
        }
        self.drained.cancel();
        if let Some(membership) = keeper.here {
            membership.leave().await;
        }
        if let Some(thread) = keeper.thread {
            thread.end().await;
        }
    }

    async fn watch(self, wakeup: Arc<Wakeup>) {
        supervise(self.outage("watch"), || {
            let watching = self.environment.backend.watch(wakeup.clone());
            // What came before the watch was set up was not heard.
            wakeup.wake_all();
            watching
        })
        .await;
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
