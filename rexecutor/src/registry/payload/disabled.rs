//! Without the feature `schema` nothing is kept.

use std::marker::PhantomData;

use crate::executing::Executor;

pub(crate) type Payload = PhantomData<()>;

pub(crate) const fn payload_of<E: Executor>() -> Payload {
    // For any executor, as with the feature.
    let _ = E::NAME;
    PhantomData
}

/// Leaves a registration as it is.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_schemas {
    ($registration:expr, $executor:ty) => {
        $registration
    };
}
