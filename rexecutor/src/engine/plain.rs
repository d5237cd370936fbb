//! Outcomes in other words, for a backend that cannot store what they say.

use crate::{
    json,
    model::{ErrorType, Failure, Outcome, Settlement},
    validate,
};

/// The same outcome with its text in ASCII, other characters shown as `\u{..}`; `None`, if that changes nothing.
pub(super) fn plain(settlement: &Settlement) -> Option<Settlement> {
    let outcome = match &settlement.outcome {
        Outcome::Retry { delay, error } => Outcome::retry(*delay, failure(error)?),
        Outcome::SettledInTransaction { delay, error } => Outcome::settled_in_transaction(*delay, failure(error)?),
        Outcome::Discard { error } => Outcome::discard(failure(error)?),
        Outcome::Defer { delay, error } => Outcome::defer(*delay, failure(error)?),
        Outcome::Cancel { reason } => Outcome::cancel(text(reason)?),
        // Still JSON, and the same.
        Outcome::Complete { output: Some(output), .. } if !output.is_ascii() => {
            Outcome::complete_with(json::ascii(output)).and_enqueue(settlement.outcome.jobs().to_vec())
        }
        Outcome::Complete { .. } | Outcome::Snooze { .. } | Outcome::Throttle { .. } => return None,
        Outcome::Suspend { .. } | Outcome::GiveBack => return None,
    };
    let breaker = settlement.breaker.as_deref().copied();
    let plain = Settlement::new(settlement.id, settlement.lease, outcome).with_flow(settlement.flow);
    Some(plain.with_circuit_breaker(breaker))
}

fn failure(failure: &Failure) -> Option<Failure> {
    let (name, details) = (text(failure.error_type.as_str()), text(&failure.details));
    if name.is_none() && details.is_none() {
        return None;
    }
    let error_type = name.map_or_else(|| failure.error_type.clone(), ErrorType::from);
    Some(Failure::new(error_type, details.unwrap_or_else(|| failure.details.clone())))
}

fn text(text: &str) -> Option<String> {
    let is_plain = |c: char| matches!(c, '\n' | '\t' | ' '..='~');
    if text.chars().all(is_plain) {
        return None;
    }
    let shown = text.chars().map(|c| if is_plain(c) { c.to_string() } else { c.escape_unicode().to_string() });
    Some(validate::text(&shown.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::model::{JobId, Lease};

    fn plain_of(outcome: Outcome) -> Option<Outcome> {
        plain(&Settlement::new(JobId::from(1), Lease(1), outcome)).map(|settlement| settlement.outcome)
    }

    #[test]
    fn text_is_shown_in_ascii_and_what_has_none_is_left() {
        let failed = |details| Outcome::retry(TimeDelta::zero(), Failure::new(ErrorType::Panic, details));
        assert_eq!(plain_of(failed("sent ✓\n\u{7}")), Some(failed("sent \\u{2713}\n\\u{7}")));
        assert_eq!(plain_of(failed("sent")), None);
        assert_eq!(plain_of(Outcome::cancel("é")), Some(Outcome::cancel("\\u{e9}")));
        assert_eq!(plain_of(Outcome::complete(true)), None);
        assert_eq!(plain_of(Outcome::complete_with("\"sent\"")), None);
        let output = r#"{"é":"🦀"}"#;
        let Some(Outcome::Complete { output: Some(plain), .. }) = plain_of(Outcome::complete_with(output)) else {
            panic!("it is stored in ASCII")
        };
        assert!(plain.is_ascii());
        let [plain, output] = [&*plain, output].map(|json| serde_json::from_str::<serde_json::Value>(json).unwrap());
        assert_eq!(plain, output);
        let long = plain_of(Outcome::cancel("é".repeat(40_000)));
        assert!(matches!(long, Some(Outcome::Cancel { reason }) if reason.len() <= 64 * 1024));
    }
}
