//! What runs say of themselves.

use rexecutor::{
    backend::{Outcome, Report, Reports},
    job::{JobId, Lease},
};

use super::harness::{COMPLETE, Harness, job, retry};

impl Harness {
    fn reports(&self) -> Option<&dyn Reports> {
        self.backend.reports()
    }

    async fn said(&self, job: JobId) -> Option<String> {
        self.reports().expect("asked before").reported(job).await.expect("reports can be read")
    }
}

/// The newest report of a run takes the place of the one before, also after its outcome; that of a run whose job was claimed again
/// changes nothing, and the row of the job stays what it is.
pub async fn case_15_2_a_report_is_fenced_by_the_lease(t: &Harness) {
    let Some(reports) = t.reports() else { return };
    let report = async |runs: &[(JobId, Lease, &str)]| {
        let runs = runs.iter().map(|(job, lease, said)| Report::new(*job, *lease, *said)).collect();
        reports.report(runs).await.expect("reports can be stored");
    };
    let (first, other) = (t.running(job("mail")).await, t.running(job("mail")).await);
    let before = t.row(first.id).await;
    assert_eq!(t.said(first.id).await, None);
    let said = r#"{"text":"🦀 \" \\"}"#;
    report(&[(other.id, other.lease, "1"), (first.id, first.lease, said), (JobId::from(i64::MAX), Lease(1), "9")])
        .await;
    assert_eq!((t.said(first.id).await.as_deref(), t.said(other.id).await.as_deref()), (Some(said), Some("1")));
    assert_eq!(t.row(first.id).await, before, "the row is left alone");
    assert_eq!(t.said(JobId::from(i64::MAX)).await, None);

    report(&[(first.id, first.lease, "2")]).await;
    assert!(t.settle(&first, retry(0)).await);
    report(&[(first.id, first.lease, "last words")]).await;
    assert_eq!(t.said(first.id).await.as_deref(), Some("last words"));
    let again = t.claim(t.join().await, "mail", 1).await.remove(0);
    assert_eq!(again.id, first.id);
    for lease in [first.lease, Lease(again.lease.0 + 1)] {
        report(&[(first.id, lease, "a stale run")]).await;
        assert_eq!(t.said(first.id).await.as_deref(), Some("last words"));
    }
    report(&[(again.id, again.lease, "3")]).await;
    assert_eq!(t.said(first.id).await.as_deref(), Some("3"));
    assert!(t.settle(&again, COMPLETE).await, "its row stands where the claim left it");

    // What belongs to jobs that are gone is deleted, and nothing else.
    assert!(t.settle(&other, Outcome::complete(false)).await);
    reports.sweep().await.expect("a sweep works");
    assert_eq!((t.said(other.id).await, t.said(first.id).await.as_deref()), (None, Some("3")));
}
