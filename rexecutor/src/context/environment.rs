//! What the runs of a node share.

use std::sync::Arc;

use super::state::StateMap;
use crate::{backend::Backend, clock::Clock};

/// What the runs of a node share.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) state: Arc<StateMap>,
}
