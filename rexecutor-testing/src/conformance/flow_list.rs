//! The list of flows.

use rexecutor::{
    backend::flows::{FlowsPage, FlowsRequest, StoredFlow},
    job::FlowId,
};

use super::harness::{COMPLETE, Harness, job};

impl Harness {
    async fn listed(&self, request: FlowsRequest) -> FlowsPage {
        let page = self.backend.flows().expect("asked before").list_flows(&request).await.expect("flows can be listed");
        assert_eq!(page.now, self.now());
        page
    }
}

fn ids(page: &FlowsPage) -> Vec<FlowId> {
    page.flows.iter().map(|flow| flow.id).collect()
}

/// Flows are listed page by page with how they stand, those that have ended and those that have not.
pub async fn case_15_5_flows_are_listed_by_whether_they_have_ended(t: &Harness) {
    let Some(flows) = t.backend.flows() else { return };
    let none = t.listed(FlowsRequest::new()).await;
    assert_eq!((none.flows.len(), none.next), (0, None));
    let (mut all, began) = (Vec::new(), t.now());
    for nth in 0..5_usize {
        let flow = StoredFlow::batch(format!("flow {nth}"));
        all.push(flows.create(flow, vec![job("mail"); nth]).await.expect("it is stored").id);
        t.wait(1).await;
    }
    all.reverse();
    let page = t.listed(FlowsRequest::new()).await;
    assert_eq!(ids(&page), all);
    let seen = &page.flows[0];
    assert_eq!((seen.flow.name(), (seen.created_at - began).num_seconds()), ("flow 4", 4));
    assert_eq!((seen.counts.scheduled, seen.counts.total(), seen.is_least), (4, 4, false));
    assert_eq!(page.flows[4].flow.end().map(|end| end.counts.total()), Some(0), "one without jobs has ended");

    // The first three jobs are those of the second and the third flow.
    let node = t.join().await;
    for run in t.claim(node, "mail", 2).await {
        assert!(t.settle(&run, COMPLETE).await);
    }
    let open = t.listed(FlowsRequest::new().that_are_open(Some(true))).await;
    assert_eq!(ids(&open), all[..3]);
    let third = &open.flows[2];
    assert_eq!((third.counts.complete, third.counts.scheduled), (1, 1));
    let ended = t.listed(FlowsRequest::new().that_are_open(Some(false))).await;
    assert_eq!(ids(&ended), all[3..]);
    assert_eq!(ended.flows[0].counts.complete, 1);

    for is_open in [None, Some(true), Some(false)] {
        let whole = ids(&t.listed(FlowsRequest::new().that_are_open(is_open)).await);
        let (mut seen, mut next) = (Vec::new(), None);
        loop {
            let page = t.listed(FlowsRequest::new().that_are_open(is_open).at_most(2).before(next)).await;
            assert!(page.flows.len() <= 2);
            seen.extend(ids(&page));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(seen, whole);
    }
    assert_eq!((FlowsRequest::new().at_most(0).limit, FlowsRequest::new().at_most(usize::MAX).limit), (1, 100));

    // Jobs are counted as far as it costs little.
    let most = FlowsRequest::COUNTED + 7;
    let large = flows.create(StoredFlow::batch("large"), vec![job("print"); most]).await.expect("it is stored").id;
    let page = t.listed(FlowsRequest::new().at_most(1)).await;
    assert_eq!((page.flows[0].id, page.next), (large, Some(large)));
    assert_eq!((page.flows[0].counts.scheduled, page.flows[0].is_least), (FlowsRequest::COUNTED as u64, true));
}
