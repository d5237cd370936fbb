//! What runs stream.

use rexecutor::{
    backend::{JobRow, NewChunk, Offset, Outcome, Streams},
    job::{JobId, Lease},
};

use super::harness::{COMPLETE, Harness, job, retry};

impl Harness {
    fn streams(&self) -> Option<&dyn Streams> {
        self.backend.streams()
    }

    async fn append(&self, chunks: Vec<NewChunk>) {
        self.streams().expect("asked before").append(chunks).await.expect("chunks can be stored");
    }

    /// The texts that stand after an offset.
    async fn read(&self, job: JobId, after: Offset, limit: usize) -> Vec<String> {
        let streams = self.streams().expect("asked before");
        let chunks = streams.chunks(job, after, limit).await.expect("chunks can be read");
        chunks.into_iter().map(|chunk| chunk.text).collect()
    }
}

/// The chunk of a run that holds this lease.
fn chunk(run: &JobRow, lease: Lease, number: u32, text: &str) -> NewChunk {
    NewChunk::new(run.id, Offset::new(lease, number), run.attempt, text)
}

/// Chunks are read in their order from anywhere, also after the job has ended; one that is stored twice is there once, and the row of the
/// job stays what it is.
pub async fn case_15_3_a_stream_is_read_from_anywhere(t: &Harness) {
    let Some(streams) = t.streams() else { return };
    let (run, other) = (t.running(job("answer")).await, t.running(job("answer")).await);
    let before = t.row(run.id).await;
    assert_eq!(t.read(run.id, Offset::START, 9).await, [""; 0]);
    let words = ["to ", "be \u{1f980} \" \\ ' \n", "or not"];
    let chunks = (1..).zip(words).map(|(number, word)| chunk(&run, run.lease, number, word));
    let mut chunks: Vec<NewChunk> = chunks.collect();
    chunks.insert(1, chunk(&other, other.lease, 1, "another"));
    t.append(chunks.clone()).await;
    // An answer was lost.
    t.append(chunks).await;
    assert_eq!(t.read(run.id, Offset::START, 9).await, words);
    assert_eq!(t.read(run.id, Offset::START, 2).await, words[..2]);
    assert_eq!(t.read(run.id, Offset::new(run.lease, 1), 1).await, words[1..2]);
    assert_eq!(t.read(run.id, Offset::new(run.lease, 3), 9).await, [""; 0]);
    assert_eq!(t.read(run.id, Offset::new(Lease(i64::MAX), u32::MAX), 9).await, [""; 0]);
    assert_eq!(t.read(JobId::from(i64::MAX), Offset::START, 9).await, [""; 0]);
    let bytes: usize = words.iter().map(|word| word.len()).sum();
    assert_eq!(streams.stream_bytes(run.id).await.ok(), u64::try_from(bytes).ok());
    assert_eq!(t.row(run.id).await, before, "the row is left alone");
    assert!(t.settle(&run, COMPLETE).await, "its row stands where the claim left it");
    assert_eq!(t.read(run.id, Offset::START, 9).await, words);

    // What belongs to jobs that are gone is deleted, and nothing else.
    assert!(t.settle(&other, Outcome::complete(false)).await);
    streams.sweep_streams().await.expect("a sweep works");
    assert_eq!(t.read(other.id, Offset::START, 9).await, [""; 0]);
    assert_eq!(t.read(run.id, Offset::START, 9).await, words);
}

/// A run whose job was claimed again says nothing any more; its last words may come after its outcome. The next run goes on behind it.
pub async fn case_15_3_a_stream_is_fenced_by_the_lease(t: &Harness) {
    let Some(streams) = t.streams() else { return };
    let first = t.running(job("answer")).await;
    let no_job = NewChunk::new(JobId::from(i64::MAX), Offset::new(Lease(1), 1), 1, "nobody");
    t.append(vec![chunk(&first, first.lease, 1, "a"), no_job]).await;
    assert!(t.settle(&first, retry(0)).await);
    t.append(vec![chunk(&first, first.lease, 2, "b")]).await;
    let again = t.claim(t.join().await, "answer", 1).await.remove(0);
    assert_eq!(again.id, first.id);
    for lease in [first.lease, Lease(again.lease.0 + 1)] {
        t.append(vec![chunk(&first, lease, 3, "stale"), chunk(&again, again.lease, 1, "c")]).await;
    }
    assert_eq!(t.read(first.id, Offset::START, 9).await, ["a", "b", "c"]);
    assert_eq!(t.read(first.id, Offset::new(first.lease, 2), 9).await, ["c"]);
    let chunks = streams.chunks(first.id, Offset::START, 9).await.expect("chunks can be read");
    assert_eq!(chunks.iter().map(|chunk| chunk.attempt).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(chunks[2].offset, Offset::new(again.lease, 1));
}
