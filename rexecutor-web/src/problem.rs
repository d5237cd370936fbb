//! What goes wrong with a request, and how it is told.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use rexecutor::{
    backend::{AmendError, BackendError, flows::FlowError},
    schedules::SchedulesError,
};
use serde_json::json;

use crate::{access::Denied, pages};

/// What went wrong with a request.
#[derive(Debug)]
pub(crate) enum Problem {
    Denied(Denied),
    /// Their role does not allow it.
    Role(&'static str),
    /// The form has no token of theirs, or comes from another site.
    Token,
    NotFound(String),
    /// What was sent makes no sense.
    Invalid(String),
    /// It cannot be done as things are.
    Refused(String),
    Backend(BackendError),
}

impl From<BackendError> for Problem {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

impl From<AmendError> for Problem {
    fn from(error: AmendError) -> Self {
        match error {
            AmendError::Backend(error) => Self::Backend(error),
            AmendError::NotFound(_) => Self::NotFound(error.to_string()),
            error => Self::Refused(error.to_string()),
        }
    }
}

impl From<FlowError> for Problem {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Backend(error) => Self::Backend(error),
            FlowError::NotFound(_) => Self::NotFound(error.to_string()),
            error => Self::Refused(error.to_string()),
        }
    }
}

impl From<SchedulesError> for Problem {
    fn from(error: SchedulesError) -> Self {
        match error {
            SchedulesError::NotFound(_) => Self::NotFound(error.to_string()),
            error => Self::Refused(error.to_string()),
        }
    }
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::Denied(Denied::Forbidden) | Self::Role(_) | Self::Token => StatusCode::FORBIDDEN,
            Self::Denied(_) => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::Backend(error) if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Backend(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What is told of it. What a backend says stays in the log: it may name hosts.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Denied(Denied::Forbidden) => "You may not see this.".to_owned(),
            Self::Denied(_) => "You are not logged in.".to_owned(),
            Self::Role(needed) => format!("This needs the role {needed}."),
            Self::Token => {
                "This form is too old, or comes from another site. Go back, reload the page, and try again.".to_owned()
            }
            Self::NotFound(what) | Self::Invalid(what) | Self::Refused(what) => what.clone(),
            Self::Backend(error) if error.is_transient() => {
                "The database does not answer at present. Reload the page in a moment.".to_owned()
            }
            Self::Backend(_) => "The database has refused this; the log says why.".to_owned(),
        }
    }

    /// As JSON.
    pub(crate) fn json(self) -> Response {
        let (status, sentence) = (self.status(), self.sentence());
        self.finish(status, axum::Json(json!({ "error": sentence })).into_response())
    }

    fn finish(self, status: StatusCode, mut response: Response) -> Response {
        if let Self::Backend(error) = &self {
            tracing::warn!(error = error as &dyn std::error::Error, "a page of the dashboard could not be made");
        }
        *response.status_mut() = status;
        if let Self::Denied(Denied::AskForPassword(realm)) = &self
            && let Ok(value) = format!("Basic realm=\"{realm}\", charset=\"UTF-8\"").parse()
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// As a page.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Self::Denied(Denied::LogIn(address)) = &self {
            return Redirect::to(address).into_response();
        }
        let (status, page) = (self.status(), pages::problem(self.status(), &self.sentence()));
        self.finish(status, page.into_response())
    }
}
