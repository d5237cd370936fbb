//! How many tokens a job costs.

use super::executor::Executor;
use crate::{model::Rate, validate::InvalidJob};

/// How many tokens a new job with these data costs; `None`: one.
pub(crate) fn weight<E: Executor>(data: &E::Data) -> Result<Option<u32>, InvalidJob> {
    if !E::WEIGHS {
        return Ok(None);
    }
    let weight = E::weight(data);
    let own = [("the rate", E::RATE_LIMIT), ("the rate of a key", E::KEY_RATE)];
    let own = own.into_iter().filter_map(|(what, rate)| Some((what.to_owned(), rate?)));
    let shared =
        E::LIMITS.iter().filter_map(|limit| Some((format!("the limit `{}`", limit.name()), limit.max_rate()?)));
    let smallest = own.chain(shared).min_by_key(|(_, rate): &(String, Rate)| rate.burst);
    match smallest {
        Some((what, Rate { burst, .. })) if weight > burst => Err(InvalidJob::new(
            "weight",
            format!(
                "the job costs {weight} tokens, and {what} never has more than {burst}, its burst, so it could never start: \
                 raise the burst or split the job"
            ),
        )),
        _ => Ok((weight > 1).then_some(weight)),
    }
}

/// A number of tokens, as a job's data say it: one that is negative, or larger than any rate, is the largest, which is refused.
#[doc(hidden)]
pub fn weight_of<N: TryInto<u32>>(tokens: N) -> u32 {
    tokens.try_into().unwrap_or(u32::MAX)
}
