//! The audit log.

use std::time::Duration;

use rexecutor::{
    backend::{AuditEntry, AuditLog, AuditObject, AuditPage, AuditRequest},
    job::{ExecutorName, FlowId, JobId},
};

use super::harness::Harness;

impl Harness {
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        self.backend.audit_log()
    }

    async fn record(&self, entries: Vec<AuditEntry>) {
        self.audit_log().expect("asked before").record_audit(entries).await.expect("entries can be recorded");
    }

    async fn audited(&self, request: AuditRequest) -> AuditPage {
        let page =
            self.audit_log().expect("asked before").audit_page(&request).await.expect("the audit log can be read");
        assert_eq!(page.now, self.now());
        page
    }
}

/// What all pages have.
async fn all_actions(t: &Harness) -> Vec<String> {
    let (mut all, mut next) = (Vec::new(), None);
    loop {
        let page = t.audited(AuditRequest::new().at_most(500).before(next)).await;
        all.extend(actions(&page).into_iter().map(str::to_owned));
        next = page.next;
        if next.is_none() {
            return all;
        }
    }
}

fn actions(page: &AuditPage) -> Vec<&str> {
    page.records.iter().map(|record| record.entry.action.as_str()).collect()
}

/// What is recorded comes back as it was, the newest first, and only what is asked for.
pub async fn what_people_change_is_recorded_and_found(t: &Harness) {
    let Some(_) = t.audit_log() else { return };
    t.record(Vec::new()).await;
    let none = t.audited(AuditRequest::new()).await;
    assert_eq!((none.records.len(), none.next, none.is_partial), (0, None, false));

    let began = t.now();
    let hostile = "'; DROP TABLE x --\" \u{1f980} {\u{7}\n";
    let mail = || Some(ExecutorName::from("mail"));
    let cancel = AuditEntry::new("ann", "cancel", AuditObject::job(JobId::from(7))).with_via("dashboard");
    let cancel = cancel.with_executor(mail()).with_before(r#"{"status":"scheduled"}"#).with_after(r#"{"reason":"no"}"#);
    let strange = AuditEntry::new(hostile, hostile, AuditObject::new(hostile, hostile)).with_via(hostile);
    let strange = strange.with_executor(Some(hostile.into())).with_before(hostile).with_after(hostile);
    let strange = strange.with_error(Some(hostile.to_owned())).kept_for(Duration::MAX);
    t.record(vec![cancel.clone(), strange.clone()]).await;
    t.wait(60).await;
    let pause = AuditEntry::new("bob", "pause", AuditObject::cluster()).with_error(Some("not allowed".to_owned()));
    let retry = AuditEntry::new("bob", "retry", AuditObject::job(JobId::from(7))).with_executor(mail());
    let zero = AuditEntry::new("a\0b", "cancel", AuditObject::flow(FlowId(9))).with_executor(Some("print".into()));
    let zero = zero.with_before("x".repeat(AuditEntry::MOST_TEXT + 1));
    t.record(vec![pause.clone(), retry.clone(), zero.clone()]).await;

    let all = t.audited(AuditRequest::new()).await;
    let expected = [zero, retry, pause, strange, cancel].map(AuditEntry::bounded);
    assert_eq!(all.records.iter().map(|record| record.entry.clone()).collect::<Vec<_>>(), expected);
    let ats: Vec<_> = all.records.iter().map(|record| (record.at - began).num_seconds()).collect();
    assert_eq!((ats, all.next, all.is_partial), (vec![60, 60, 60, 0, 0], None, false));
    assert!(all.records.is_sorted_by(|newer, older| newer.id > older.id));
    assert_eq!(all.records[0].entry.by, "a\u{fffd}b");

    let of = |request| async { actions(&t.audited(request).await).join(" ") };
    let new = AuditRequest::new;
    let (ann, bob) = (Some("ann".to_owned()), Some("bob".to_owned()));
    assert_eq!(of(new().by(bob.clone())).await, "retry pause");
    assert_eq!(of(new().by(Some(hostile.to_owned()))).await, hostile);
    assert_eq!(of(new().by(Some("a\0b".to_owned()))).await, "cancel", "as it is stored");
    assert_eq!(of(new().by(Some("An".to_owned()))).await, "");
    assert_eq!(of(new().of_action(Some("cancel".to_owned()))).await, "cancel cancel");
    let job = Some(AuditObject::job(JobId::from(7)));
    assert_eq!(of(new().of_object(job.clone())).await, "retry cancel");
    assert_eq!(of(new().of_object(job.clone()).by(ann.clone())).await, "cancel");
    assert_eq!(of(new().of_object(Some(AuditObject::flow(FlowId(7))))).await, "");
    assert_eq!(of(new().of_object(Some(AuditObject::cluster()))).await, "pause");
    assert_eq!(
        of(new().of_executors(Some(vec!["mail".into(), hostile.into()]))).await,
        format!("retry {hostile} cancel")
    );
    assert_eq!(of(new().of_executors(Some(Vec::new()))).await, "", "those about all executors are not among them");
    let narrow =
        new().of_executors(Some(vec!["mail".into()])).of_object(job).by(bob).of_action(Some("retry".to_owned()));
    assert_eq!(of(narrow).await, "retry");

    let calls = (0..16).map(|nth| {
        let entry = AuditEntry::new("many", nth.to_string(), AuditObject::jobs());
        t.audit_log().expect("asked before").record_audit(vec![entry])
    });
    for answer in futures::future::join_all(calls).await {
        answer.expect("entries can be recorded");
    }
    assert_eq!(t.audited(new().by(Some("many".to_owned()))).await.records.len(), 16);
}

/// Pages follow each other without a gap, whatever is recorded meanwhile, and each costs a bounded number of rows.
pub async fn the_audit_log_is_read_page_by_page(t: &Harness) {
    let Some(_) = t.audit_log() else { return };
    let entry = |nth: usize| AuditEntry::new("ann", nth.to_string(), AuditObject::job(JobId::from(1)));
    t.record((0..7).map(entry).collect()).await;
    for request in [AuditRequest::new(), AuditRequest::new().of_object(Some(AuditObject::job(JobId::from(1))))] {
        let (mut seen, mut next) = (Vec::new(), None);
        loop {
            let page = t.audited(request.clone().at_most(3).before(next)).await;
            assert!(page.records.len() <= 3 && !page.is_partial);
            seen.extend(actions(&page).into_iter().map(str::to_owned).filter(|action| action.len() == 1));
            // It comes before what was read.
            t.record(vec![AuditEntry::new("bob", "later", AuditObject::cluster())]).await;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(seen.concat(), "6543210");
    }
    assert_eq!(AuditRequest::new().at_most(0).limit, 1);
    assert_eq!(AuditRequest::new().at_most(usize::MAX).limit, AuditRequest::MOST);

    // One that is rare, behind more than a page looks at.
    let dull = AuditEntry::new("cy", "dull", AuditObject::tag("x"));
    t.record(vec![AuditEntry::new("cy", "rare", AuditObject::tag("x"))]).await;
    for _ in 0..4 {
        t.record(vec![dull.clone(); AuditRequest::LOOKED_AT / 3]).await;
    }
    let (by, rare) = (Some("cy".to_owned()), Some("rare".to_owned()));
    for request in [AuditRequest::new().of_action(rare.clone()), AuditRequest::new().of_action(rare).by(by)] {
        let (mut found, mut next, mut pages) = (0, None, 0);
        loop {
            let page = t.audited(request.clone().before(next)).await;
            (found, next, pages) = (found + page.records.len(), page.next, pages + 1);
            assert!(!page.is_partial || next.is_some());
            if next.is_none() {
                break;
            }
        }
        assert!(found == 1 && pages <= 3, "{found} in {pages}");
    }
}

/// What has been kept for long enough is not shown any more, and deleted.
pub async fn the_audit_log_prunes_itself(t: &Harness) {
    let Some(log) = t.audit_log() else { return };
    let entry = |action: &str, seconds| {
        AuditEntry::new("ann", action, AuditObject::cluster()).kept_for(Duration::from_secs(seconds))
    };
    t.record(vec![entry("short", 60), entry("long", 3_600)]).await;
    let default = AuditEntry::new("ann", "default", AuditObject::cluster());
    t.record(vec![default, entry("ever", u64::MAX)]).await;
    t.wait(59).await;
    assert_eq!(actions(&t.audited(AuditRequest::new()).await), ["ever", "default", "long", "short"]);
    t.wait(1).await;
    assert_eq!(actions(&t.audited(AuditRequest::new()).await), ["ever", "default", "long"]);
    assert!(!log.prune_audit().await.expect("it can be pruned"));
    t.wait(90 * 24 * 3_600).await;
    assert_eq!(actions(&t.audited(AuditRequest::new()).await), ["ever"]);

    // Many are deleted in several calls, and by whoever records.
    let many = AuditRequest::PRUNED * 2 + 10;
    t.record(vec![entry("many", 1); many]).await;
    t.wait(1).await;
    assert_eq!(all_actions(t).await, ["ever"], "however many there are yet");
    t.record(vec![entry("new", 3_600)]).await;
    assert!(log.prune_audit().await.expect("it can be pruned"));
    assert!(!log.prune_audit().await.expect("it can be pruned"), "all are gone");
    assert_eq!(actions(&t.audited(AuditRequest::new()).await), ["new", "ever"]);
}
