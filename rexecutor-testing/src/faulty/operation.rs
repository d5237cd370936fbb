//! The calls to a backend.

use rexecutor::each_role;

macro_rules! operations {
    ($(trait $role:ident {
        $($operation:ident => fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        /// A call to a backend.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $($(
                #[doc = concat!("[`", stringify!($role), "::", stringify!($method), "`](rexecutor::backend::",
                    stringify!($role), "::", stringify!($method), ")")]
                $operation,
            )*)*
        }

        impl Operation {
            /// How many there are.
            pub(super) const COUNT: usize = [$($(Self::$operation),*),*].len();
        }
    };
}

each_role!(operations);
