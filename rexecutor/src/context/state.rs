//! What the jobs of a node share: a value for each type.

use std::{
    any::{Any, TypeId},
    collections::BTreeMap,
    fmt,
    sync::Arc,
};

/// A value for each type.
#[derive(Default, Clone)]
pub struct StateMap(BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl StateMap {
    /// Adds a value, in place of one of the same type.
    #[doc(hidden)]
    pub fn insert<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// A copy of the value of this type.
    pub(crate) fn get<T: Clone + 'static>(&self) -> Option<T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref().cloned()
    }

    pub(crate) fn has(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }
}

impl fmt::Debug for StateMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateMap").field("values", &self.0.len()).finish()
    }
}
