//! A dashboard for [rexecutor]: what jobs, executors, schedules and nodes do, seen and steered in a browser, or as JSON.
//!
//! It is an [`axum::Router`], which stands under any prefix in a program of yours. Pages are made on the server; a small script of
//! their own keeps them up to date, and nothing is loaded from anywhere else.
//!
//! # Examples
//!
//! ```
//! use axum::Router;
//! use rexecutor::backend::memory::InMemoryBackend;
//! use rexecutor_web::{Access, Denied, Role};
//!
//! # fn app() -> Router {
//! let dashboard = rexecutor_web::router(InMemoryBackend::new(), |request: &axum::http::request::Parts| {
//!     match request.headers.get("x-user").and_then(|user| user.to_str().ok()) {
//!         Some("ann") => Ok(Access::new("ann", Role::Admin)),
//!         Some(user) => Ok(Access::new(user, Role::Viewer)),
//!         None => Err(Denied::Unauthorized),
//!     }
//! });
//! Router::new().nest("/jobs", dashboard)
//! # }
//! # let _ = app();
//! ```
//!
//! # Who may do what
//!
//! Every request is put to an [`Authorize`], of which there is no default. It says who asks and in which [`Role`]: a viewer
//! sees, an operator also cancels, retries, pauses and triggers, and an administrator also deletes, and pauses the whole cluster.
//! Access may be kept to [some executors](Access::only). Handlers check it, not only the pages.
//!
//! Changes need a token that belongs to whoever has been shown the page, and are refused from other sites. Each is recorded in the
//! [audit log](rexecutor::backend::AuditLog) of the backend, logged, and told to an [`Audit`].

mod access;
mod actions;
mod api;
mod app;
mod assets;
mod audit;
mod bearer;
mod bulk;
mod charts;
mod csrf;
mod enqueue;
mod format;
mod groups;
mod health;
mod history;
mod json;
mod live;
mod overview;
mod pages;
mod problem;
mod request;
mod search;
pub mod shapes;
mod steer;
mod svg;
pub mod views;

pub use self::{
    access::{Access, Authorize, Denied, Role},
    app::{Dashboard, router},
    audit::{Audit, Change},
    bearer::bearer,
};
