//! Whether the program lives, and whether its backend answers: for load balancers.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rexecutor::backend::{Backend, observe};
use serde_json::json;

use crate::app::Shared;

/// The program answers. Anybody may ask.
pub(crate) async fn live() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

/// The backend answers, and nodes are alive that say what they run. Anybody may ask: it says nothing of jobs.
pub(crate) async fn ready(State(shared): State<Shared>) -> Response {
    let database = shared.backend.ping(Duration::from_secs(2)).await;
    let mut checks = vec![json!({ "check": "database", "ok": database.is_ok() })];
    let is_ready = database.is_ok();
    if is_ready && let Ok(observe) = observe::observe(&*shared.backend) {
        match observe.cluster().await {
            Ok(cluster) => {
                let alive = cluster.nodes.iter().filter(|node| !node.is_silent(cluster.now)).count();
                let silent = cluster.nodes.len() - alive;
                // For a program that only shows the dashboard, that no node lives is no reason to be taken away.
                checks.push(
                    json!({ "check": "nodes", "ok": alive > 0 && silent == 0, "alive": alive, "silent": silent }),
                );
                checks.push(json!({ "check": "claims", "ok": cluster.paused.is_none() }));
            }
            Err(_) => checks.push(json!({ "check": "nodes", "ok": false })),
        }
    }
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "status": if is_ready { "ok" } else { "unavailable" }, "checks": checks }))).into_response()
}
