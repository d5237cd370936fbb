//! The dashboard, for whoever sits at this machine.

use std::net::SocketAddr;

use axum::http::{header, request::Parts};
use clap::Args;
use rexecutor_web::{Access, Change, Dashboard, Denied, Role};
use serde_json::json;

use crate::{
    failure::Failure,
    output::{Output, remark},
    session::Session,
    stopping::stopped,
};

/// Serves the dashboard on this machine
#[derive(Debug, Args)]
pub(crate) struct Web {
    /// The address and port, of this machine alone; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:7474", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Nobody can change anything. A production database is shown so, unless `--yes` is given
    #[arg(long)]
    read_only: bool,
}

pub(crate) async fn run(session: &Session, web: &Web) -> Result<(), Failure> {
    if !web.listen.ip().is_loopback() {
        return Err(Failure::usage(format!(
            "{} can be reached by others, and the dashboard of this command lets everybody in: listen on 127.0.0.1 and \
             come through `ssh -L`, or serve `rexecutor-web` in a program that knows who asks",
            web.listen
        )));
    }
    let target = &session.guard.target;
    let may_change = !web.read_only && session.guard.confirm("let the dashboard change it").is_ok();
    let role = if may_change { Role::Admin } else { Role::Viewer };
    let by = session.by.clone();
    // A page of another site can have a name that leads here; it cannot send ours.
    let local = move |request: &Parts| {
        let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        match is_local(host) {
            true => Ok(Access::new(by.clone(), role)),
            false => Err(Denied::Forbidden),
        }
    };
    let dashboard = Dashboard::new(session.read().clone(), local).with_audit(told);
    let dashboard = match target.is_production {
        true => dashboard.with_warning_banner(target.shown()),
        false => dashboard.with_banner(target.shown()),
    };
    let listener = tokio::net::TcpListener::bind(web.listen).await;
    let listener = listener.map_err(|error| Failure::usage(format!("{}: {error}", web.listen)))?;
    let address = listener.local_addr().map_err(Failure::io)?;
    say(session.output, address)?;
    tokio::select! {
        served = async { axum::serve(listener, dashboard.router()).await } => served.map_err(Failure::io),
        // Pages that are kept up to date would keep it for as long as they are open.
        () = stopped() => Ok(()),
    }
}

fn say(output: Output, address: SocketAddr) -> Result<(), Failure> {
    output.answer(&json!({ "address": format!("http://{address}/") }), || format!("open http://{address}/"))
}

fn told(change: &Change) {
    let about = [
        (change.object.kind != "executor")
            .then(|| [&*change.object.kind, &*change.object.id].join(" ").trim_end().to_owned()),
        change.executor.as_ref().map(|executor| format!("executor {executor}")),
        change.error.as_ref().map(|error| format!("refused: {error}")),
    ];
    let about: Vec<String> = about.into_iter().flatten().collect();
    remark(&format!("{} {}", change.action, about.join(", ")));
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost:7474", "127.0.0.1:1", "[::1]:7474", "[::1]", "localhost"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["", "evil.example:7474", "127.0.0.1.evil.example", "localhost.evil:80", "10.0.0.1:7474"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
