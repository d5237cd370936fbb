//! Batches of a simulation, and what must hold of their callbacks.

use std::collections::BTreeMap;

use rand::RngExt;
use rexecutor::{
    ExecutorExt,
    backend::{
        JobRow, NewJob, flows,
        flows::{StoredFlow, When},
    },
    batches::{BatchEvent, BatchSummary, FlowId},
};

use super::{
    Planted,
    jobs::{Plain, Work},
    world::World,
};

impl World {
    /// Enqueues a batch, or adds to one.
    pub(super) async fn batch(&mut self) {
        let count = self.random.random_range(0..8);
        let jobs: Vec<NewJob> = (0..count).map(|_| self.job()).collect();
        let known = self.record.known().batches.keys().next_back().copied();
        let store = self.must(flows(&*self.audit));
        if let Some(flow) = known.filter(|_| count % 3 == 1) {
            if let Ok(answers) = store.add(flow, jobs).await {
                self.record.note(format_args!("batch {} gets {answers:?}", flow.0));
                let mut known = self.record.known();
                known.stored.extend(answers.iter().map(|answer| answer.id()));
                *known.batches.entry(flow).or_default() += answers.len() as u64;
            }
            return;
        }
        let mut flow = StoredFlow::batch("simulated");
        if self.planted != Some(Planted::LosesCallbacks) {
            for when in [When::Finished, When::Succeeded, When::Discarded] {
                let callback = self.must(Plain::builder().with_data(Work::default()).encode());
                flow = flow.with_callback(when, &callback);
            }
        }
        let created = store.create(flow, jobs).await;
        let created = self.must(created);
        self.record.note(format_args!("batch {} of {:?}", created.id.0, created.jobs));
        let mut known = self.record.known();
        known.stored.extend(created.jobs.iter().map(|answer| answer.id()));
        known.batches.insert(created.id, created.jobs.len() as u64);
    }

    /// Each callback came once, and that of the end when all jobs had ended; once all is over none is missing.
    pub(super) fn check_batches(&self, rows: &[JobRow], is_over: bool) {
        let mut ends: BTreeMap<(FlowId, &str), u64> = BTreeMap::new();
        let batches = self.record.known().batches.clone();
        for row in rows {
            let summary = row.extras.summary.as_deref().map(serde_json::from_str::<BatchSummary>);
            let Some(Ok(summary)) = summary else { continue };
            let word = match summary.event {
                BatchEvent::Finished => "finished",
                BatchEvent::Succeeded => "succeeded",
                _ => "discarded",
            };
            let count = ends.entry((summary.id, word)).or_default();
            *count += 1;
            if *count > 1 {
                self.record.broken(format_args!("batch {} has {word} twice", summary.id.0));
            }
            let total = batches.get(&summary.id).copied().unwrap_or_default();
            let (finished, wanted) = (summary.counts.finished(), summary.counts.total());
            if word != "discarded" && (finished != wanted || wanted != total) {
                self.record.broken(format_args!("batch {} has {word} with {finished} of {total}", summary.id.0));
            }
        }
        for flow in batches.keys().filter(|_| is_over) {
            if !ends.contains_key(&(*flow, "finished")) {
                self.record.broken(format_args!("batch {} never finished", flow.0));
            }
        }
    }
}
