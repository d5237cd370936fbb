//! Old and new types: what is said of a change is what their decoders do.

mod fields;
mod parts;
mod values;
mod variants;

use std::marker::PhantomData;

use rexecutor::{prelude::*, schema::Snapshot};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

/// An executor of any type.
struct Takes<T>(PhantomData<fn() -> T>);

#[async_trait::async_trait]
impl<T: Serialize + DeserializeOwned + Send + 'static> Executor for Takes<T> {
    type Data = T;
    type Metadata = ();
    const NAME: &'static str = "takes";

    async fn execute(_job: Job<T, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

/// What is said of a change.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// Stored values decode.
    Fits,
    /// They decode, which the schemas alone do not tell: the decoder does.
    FitsByDecoder(&'static [&'static str]),
    /// Some do not, at these fields.
    Breaks(&'static [&'static str]),
    /// Some do not, at these fields; by the schemas alone it would be these.
    BreaksByDecoder(&'static [&'static str], &'static [&'static str]),
}

fn snapshot<T: JsonSchema + Serialize + DeserializeOwned + Send + 'static>() -> Snapshot {
    Snapshot::new().with_executor::<Takes<T>>()
}

/// Compares the verdict with what the decoder does with values of the old type.
#[track_caller]
fn check<Old, New>(values: &[Old], verdict: &Verdict)
where
    Old: JsonSchema + Serialize + DeserializeOwned + Send + 'static,
    New: JsonSchema + Serialize + DeserializeOwned + Send + 'static,
{
    let stored = values.iter().map(|value| serde_json::to_string(value).unwrap());
    let decoded: Vec<_> = stored.map(|json| (serde_json::from_str::<New>(&json).map(drop), json)).collect();
    let all_decode = decoded.iter().all(|(decoded, _)| decoded.is_ok());
    let (old, new) = (snapshot::<Old>(), snapshot::<New>());
    let parsed = |snapshot: &Snapshot| Snapshot::parse(&snapshot.to_string()).unwrap();
    let said = new.breaking_changes(&parsed(&old));
    let said: Vec<String> = said.iter().map(|change| change.path.clone()).collect();
    let by_files = parsed(&new).breaking_changes(&parsed(&old));
    let by_files: Vec<String> = by_files.iter().map(|change| change.path.clone()).collect();
    let (wanted, wanted_of_files): (&[&str], &[&str]) = match verdict {
        Verdict::Fits => (&[], &[]),
        Verdict::FitsByDecoder(files) => (&[], files),
        Verdict::Breaks(paths) => (paths, paths),
        Verdict::BreaksByDecoder(paths, files) => (paths, files),
    };
    assert_eq!(all_decode, wanted.is_empty(), "what the decoder does: {decoded:?}\n{old}\n{new}");
    assert_eq!(said, wanted, "{old}\n{new}");
    assert_eq!(by_files, wanted_of_files, "by files alone\n{old}\n{new}");
}

macro_rules! pairs {
    ($($name:ident { $($old:item)* } to { $($new:item)* } $values:expr => $verdict:expr;)*) => {
        $(
            #[test]
            fn $name() {
                #![allow(dead_code)]
                mod old {
                    #![allow(unused_imports)]
                    use super::*;
                    $(#[derive(Serialize, Deserialize, JsonSchema)] $old)*
                }
                mod new {
                    #![allow(unused_imports)]
                    use super::*;
                    $(#[derive(Serialize, Deserialize, JsonSchema)] $new)*
                }
                #[allow(unused_imports)]
                use old::*;
                check::<old::Data, new::Data>(&$values, &$verdict);
            }
        )*
    };
}

use pairs;
