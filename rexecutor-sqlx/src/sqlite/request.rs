//! What the writer's thread is asked to do.

use std::{sync::Arc, time::Duration};

use futures::future::LocalBoxFuture;
use rexecutor::{
    backend::{BackendError, Enqueued, NewJob, Result, Settlement},
    clock::{Clock, SystemClock},
};
use tokio::sync::{mpsc, oneshot};

use super::{core::Core, error::stopped};

/// The most requests that are taken on at once.
pub(super) const ROUND: usize = 1000;

/// Jobs or settlements of one caller, and where the answer goes.
#[derive(Debug)]
pub(super) struct Call<I, O> {
    pub(super) items: I,
    pub(super) answer: oneshot::Sender<Result<Vec<O>>>,
}

/// What the thread is asked to do.
pub(super) enum Request {
    /// Stores jobs, together with those of other callers.
    Enqueue(Call<Vec<NewJob>, Enqueued>),
    /// Stores outcomes, together with those of other callers; answers which were stored.
    Settle(Call<Arc<[Settlement]>, bool>),
    /// Anything else, on its own.
    Step(Step),
    /// … that is left out, and its answer with it, while the file is not open.
    Peek(Step),
    /// Closes the file until the next request, if no node of this process is left; the answer is dropped then.
    Rest(oneshot::Sender<()>),
}

/// It is given the error for which it cannot be done.
pub(super) type Step = Box<dyn for<'w> FnOnce(Result<&'w mut Core>) -> LocalBoxFuture<'w, ()> + Send>;

/// A request, and since when its caller waits, in the time that nobody can set.
pub(super) struct Arrival<R = Request> {
    pub(super) at: Duration,
    pub(super) request: R,
}

impl<R> Arrival<R> {
    /// … of another kind.
    pub(super) fn map<T>(self, other: impl FnOnce(R) -> T) -> Arrival<T> {
        Arrival { at: self.at, request: other(self.request) }
    }
}

/// The way to the thread.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    requests: mpsc::UnboundedSender<Arrival>,
    /// What goes before all requests.
    urgent: mpsc::UnboundedSender<Arrival<Step>>,
}

impl Requests {
    pub(super) fn channel() -> (Self, Inbox) {
        let (requests, arrivals) = mpsc::unbounded_channel();
        let (urgent, at_once) = mpsc::unbounded_channel();
        (Self { requests, urgent }, Inbox { arrivals, urgent: at_once, first: None })
    }

    /// Hands a request in. It fails only if the thread is gone.
    pub(super) fn send(&self, request: Request) -> Result<()> {
        self.requests.send(Arrival { at: SystemClock.elapsed(), request }).map_err(|_| stopped())
    }

    /// … that is done before everything that waits: at the end of the transaction that is under way.
    pub(super) fn send_urgent(&self, request: Step) -> Result<()> {
        self.urgent.send(Arrival { at: SystemClock.elapsed(), request }).map_err(|_| stopped())
    }
}

/// What has come, in two queues.
pub(super) struct Inbox {
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    urgent: mpsc::UnboundedReceiver<Arrival<Step>>,
    /// What was taken out of the second one already.
    first: Option<Arrival<Step>>,
}

impl Inbox {
    /// Waits until something has come, and takes in what is not urgent; whether anybody is left to ask.
    pub(super) async fn wait(&mut self, arrivals: &mut Vec<Arrival>) -> bool {
        if self.first.is_some() {
            return true;
        }
        tokio::select! {
            biased;
            Some(step) = self.urgent.recv() => {
                self.first = Some(step);
                true
            }
            count = self.arrivals.recv_many(arrivals, ROUND) => count > 0,
        }
    }

    /// Takes in what is there and is not urgent.
    pub(super) fn receive(&mut self, arrivals: &mut Vec<Arrival>) {
        while arrivals.len() < ROUND
            && let Ok(arrival) = self.arrivals.try_recv()
        {
            arrivals.push(arrival);
        }
    }

    /// The next that is urgent.
    pub(super) fn urgent(&mut self) -> Option<Arrival<Step>> {
        self.first.take().or_else(|| self.urgent.try_recv().ok())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.urgent.is_empty() && self.arrivals.is_empty()
    }
}

impl Request {
    /// Whether the file has to be opened for it.
    pub(super) fn needs_the_file(&self) -> bool {
        match self {
            Self::Enqueue(_) | Self::Settle(_) | Self::Step(_) => true,
            Self::Peek(_) | Self::Rest(_) => false,
        }
    }

    /// Answers that it cannot be done.
    pub(super) async fn refuse(self, error: impl Fn() -> BackendError) {
        match self {
            Self::Enqueue(call) => drop(call.answer.send(Err(error()))),
            Self::Settle(call) => drop(call.answer.send(Err(error()))),
            Self::Step(step) | Self::Peek(step) => step(Err(error())).await,
            Self::Rest(answer) => drop(answer),
        }
    }
}

/// What is done together, by kind.
#[derive(Default)]
pub(super) struct Round {
    pub(super) enqueues: Vec<Arrival<Call<Vec<NewJob>, Enqueued>>>,
    pub(super) settles: Vec<Arrival<Call<Arc<[Settlement]>, bool>>>,
    pub(super) steps: Vec<Arrival<Step>>,
    pub(super) rests: Vec<oneshot::Sender<()>>,
}

impl Round {
    pub(super) fn of(arrivals: impl Iterator<Item = Arrival>) -> Self {
        let mut round = Self::default();
        for Arrival { at, request } in arrivals {
            match request {
                Request::Enqueue(request) => round.enqueues.push(Arrival { at, request }),
                Request::Settle(request) => round.settles.push(Arrival { at, request }),
                Request::Step(request) | Request::Peek(request) => round.steps.push(Arrival { at, request }),
                Request::Rest(answer) => round.rests.push(answer),
            }
        }
        round
    }

    /// Until when the first of them waits that waits for so long.
    pub(super) fn first_deadline(&self, limit: Duration) -> Duration {
        let enqueues = self.enqueues.iter().map(|arrival| arrival.at);
        let settles = self.settles.iter().map(|arrival| arrival.at);
        let steps = self.steps.iter().map(|arrival| arrival.at);
        let first = enqueues.chain(settles).chain(steps).min();
        first.map_or(Duration::MAX, |first| first.saturating_add(limit))
    }
}
