//! Jobs in odd places and with odd names.

use rexecutor::prelude::*;

mod rexecutor_like {
    #[allow(non_camel_case_types, dead_code)]
    pub struct String;
    pub mod core {}
    pub mod std {}

    #[rexecutor::job]
    pub(super) async fn hidden(_data: u32) {}
}

mod backend {
    use rexecutor::prelude::*;

    #[job]
    pub async fn inside_backend() {}
}

#[job(name = "raw")]
async fn r#match(r#type: String) {
    drop(r#type);
}

macro_rules! jobs {
    ($($name:ident, $attempts:literal;)*) => {
        $(
            #[job(max_attempts = $attempts)]
            async fn $name(_data: Option<u8>) {}
        )*
    };
}

jobs! {
    first, 1;
    second, 2;
}

/// Calls a job as the function that it is.
#[job]
async fn doubled(number: u32) -> Result<(), String> {
    if number > 10 { Err("too large".to_owned()) } else { Ok(()) }
}

#[cfg(any())]
#[job]
async fn left_out(_nonsense: DoesNotExist) {}

#[job]
#[deprecated]
async fn old() {}

#[job]
async fn twelve(
    _1: State<u8>, _2: State<u16>, _3: State<u32>, _4: State<u64>, _5: State<i8>, _6: State<i16>, _7: State<i32>,
    _8: State<i64>, _9: State<f32>, _10: State<f64>, _11: State<bool>, _12: JobContext,
) {
}

fn main() {
    #[job]
    async fn in_a_body(_data: (u8, u8)) -> ExecutionResult {
        ExecutionResult::Done
    }

    assert_eq!(Match::NAME, "raw");
    assert_eq!(Second::MAX_ATTEMPTS, 2);
    assert_eq!(<InABody as Executor>::NAME, "in_a_body");
    let _ = (First::builder(), backend::InsideBackend, rexecutor_like::Hidden);
    let future = doubled(11);
    drop(future);
    assert_eq!(Rexecutor::registered().len(), 9);
}
