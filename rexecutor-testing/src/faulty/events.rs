//! Events of a faulty backend. Whoever listens meets the faults of [`Operation::Query`].

use futures::future::BoxFuture;
use rexecutor::backend::{Backend, EventPage, EventReader, Events, Interest, Result, events};

use super::{faulty::Faulty, operation::Operation};

impl<B: Backend> Events for Faulty<B> {
    fn listen(&self, interest: Interest) -> BoxFuture<'_, Result<Box<dyn EventReader + '_>>> {
        let listen = async move {
            let reader = events(self.inner())?.listen(interest).await?;
            Ok(Box::new(FaultyReader { faulty: self, reader }) as Box<dyn EventReader + '_>)
        };
        Box::pin(self.call(Operation::Query, listen))
    }
}

struct FaultyReader<'b, B> {
    faulty: &'b Faulty<B>,
    reader: Box<dyn EventReader + 'b>,
}

impl<B: Backend> EventReader for FaultyReader<'_, B> {
    fn attend(&mut self, interest: Interest) -> BoxFuture<'_, Result<()>> {
        let Self { faulty, reader } = self;
        Box::pin(faulty.call(Operation::Query, async move { reader.attend(interest).await }))
    }

    fn read(&mut self, limit: usize) -> BoxFuture<'_, Result<EventPage>> {
        let Self { faulty, reader } = self;
        Box::pin(faulty.call(Operation::Query, async move { reader.read(limit).await }))
    }

    fn end(&mut self) -> BoxFuture<'_, Result<()>> {
        let Self { faulty, reader } = self;
        Box::pin(faulty.call(Operation::Query, async move { reader.end().await }))
    }
}
