//! Being asked to stop.

/// Waits until the process is asked to stop: by Ctrl-C, or by `kill` and whatever else ends services on Unix. From this call on, also
/// before it is waited for, that no longer ends the process by itself.
#[cfg(unix)]
pub(crate) fn stopped() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let [interrupt, terminate] = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let received = async |signal: std::io::Result<tokio::signal::unix::Signal>| match signal {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        };
        tokio::select! {
            () = received(interrupt) => {}
            () = received(terminate) => {}
        }
    }
}

/// Waits until the process is asked to stop, by Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn stopped() -> impl Future<Output = ()> {
    async { drop(tokio::signal::ctrl_c().await) }
}
