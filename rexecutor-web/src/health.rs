//! Whether the program lives, and whether its backend answers: for load balancers.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{Backend, observe},
    clock::{Clock, SystemClock},
    schedule::TimeZoneData,
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::app::{Inner, Shared};

/// What was found the last time, and when. Anybody may ask, so that all who ask at once share one look.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Option<(DateTime<Utc>, bool, Value)>>);

/// For how long an answer is given again.
const FRESH: TimeDelta = TimeDelta::seconds(1);

/// The program answers. Anybody may ask.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The backend answers; and how nodes are, of which it says nothing else. Anybody may ask: it says nothing of jobs.
pub(crate) async fn ready(State(shared): State<Shared>) -> Response {
    let mut known = shared.health.0.lock().await;
    let now = SystemClock.now();
    let (is_ready, body) = match &*known {
        Some((at, is_ready, body)) if (now - *at).abs() < FRESH => (*is_ready, body.clone()),
        _ => {
            let (is_ready, body) = look(&shared).await;
            *known = Some((now, is_ready, body.clone()));
            (is_ready, body)
        }
    };
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

async fn look(shared: &Inner) -> (bool, Value) {
    let is_ready = shared.backend.ping(Duration::from_secs(2)).await.is_ok();
    let mut checks = vec![json!({ "check": "database", "ok": is_ready })];
    if is_ready && let Ok(observe) = observe::observe(&*shared.backend) {
        match observe.cluster().await {
            Ok(cluster) => {
                let alive = cluster.nodes.iter().filter(|node| !node.is_silent(cluster.now)).count();
                let silent = cluster.nodes.len() - alive;
                // That no node lives is no reason to take a program away that only shows this.
                checks.push(
                    json!({ "check": "nodes", "ok": alive > 0 && silent == 0, "alive": alive, "silent": silent }),
                );
                checks.push(json!({ "check": "claims", "ok": cluster.paused.is_none() }));
            }
            Err(_) => checks.push(json!({ "check": "nodes", "ok": false })),
        }
    }
    // Not whether they are old: a program that has none of the zones that have changed is well with them.
    checks.push(json!({ "check": "time_zones", "ok": true, "rules": TimeZoneData::used().to_string() }));
    (is_ready, json!({ "status": if is_ready { "ok" } else { "unavailable" }, "checks": checks }))
}
