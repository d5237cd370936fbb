//! How jobs went, as it is shown: over which span, read how often.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    backend::Backend,
    clock::{Clock, SystemClock},
    history::{HistoryStep, Timeline},
};
use tokio::sync::Mutex;

use crate::{problem::Problem, request::Cx};

/// The spans that are shown, with the word of each in addresses.
const SPANS: [(Span, &str, Duration); 3] = [
    (Span::Hour, "1h", Duration::from_secs(3_600)),
    (Span::Day, "24h", Duration::from_secs(24 * 3_600)),
    (Span::Week, "7d", Duration::from_secs(7 * 24 * 3_600)),
];

/// How long back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    Hour,
    Day,
    Week,
}

impl Span {
    pub(crate) const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    pub(crate) fn as_str(self) -> &'static str {
        SPANS[self as usize].1
    }

    fn read(word: &str) -> Option<Self> {
        SPANS.iter().find(|(_, known, _)| *known == word).map(|(span, ..)| *span)
    }

    fn length(self) -> Duration {
        SPANS[self as usize].2
    }

    /// For how long what was read is shown again: the longer the span, the less changes in a moment, and the more there is to read.
    fn fresh(self) -> Duration {
        match self {
            Self::Hour => Duration::from_secs(2),
            Self::Day => Duration::from_secs(15),
            Self::Week => Duration::from_secs(60),
        }
    }
}

/// What is asked of the history in an address: how long back, `last`, and of which executor, `of`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) span: Span,
    pub(crate) of: Option<String>,
}

impl Wanted {
    pub(crate) fn read(parameters: &[(String, String)]) -> Result<Self, Problem> {
        let get = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let span = match get("last") {
            None | Some("") => Span::Hour,
            Some(word) => {
                Span::read(word).ok_or_else(|| Problem::Invalid("`last` is one of `1h`, `24h` and `7d`.".to_owned()))?
            }
        };
        Ok(Self { span, of: get("of").filter(|name| !name.is_empty()).map(str::to_owned) })
    }
}

/// What was read last, and when, in the time that nobody can set.
type Read = Option<(Duration, Arc<Timeline>)>;

/// What was read last of each span. All viewers share it.
#[derive(Debug, Default)]
pub(crate) struct Cache([Mutex<Read>; 3]);

impl Cache {
    async fn read(&self, backend: &dyn Backend, span: Span) -> Result<Arc<Timeline>, Problem> {
        let mut known = self.0[span as usize].lock().await;
        let now = SystemClock.elapsed();
        if let Some((_, timeline)) = known.as_ref().filter(|(at, _)| now.saturating_sub(*at) < span.fresh()) {
            return Ok(timeline.clone());
        }
        let timeline = rexecutor::history().last_on_backend(span.length(), backend).await;
        let timeline = Arc::new(timeline.map_err(|error| match error {
            rexecutor::executor::JobsError::Backend(error) => Problem::from(error),
            other => Problem::Invalid(other.to_string()),
        })?);
        *known = Some((now, timeline.clone()));
        Ok(timeline)
    }
}

/// How the jobs went that they may see; `None`: the backend keeps no history.
pub(crate) async fn timeline(cx: &Cx, span: Span) -> Result<Option<Timeline>, Problem> {
    if cx.backend().history().is_none() {
        return Ok(None);
    }
    let timeline = cx.shared.history.read(cx.backend(), span).await?;
    Ok(Some((*timeline).clone().retain(|executor| cx.access.sees(executor))))
}

/// How many minutes a timeline has.
pub(crate) fn minutes(timeline: &Timeline) -> f64 {
    ((timeline.now() - timeline.since()).as_seconds_f64() / 60.0).max(1.0 / 60.0)
}

/// What a step is called.
pub(crate) fn step(timeline: &Timeline) -> &'static str {
    match timeline.step() {
        HistoryStep::Minute => "minute",
        HistoryStep::Hour => "hour",
        _ => "day",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_from_the_address() {
        let read = |parameters: &[(&str, &str)]| {
            let parameters: Vec<_> =
                parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Wanted::read(&parameters).ok().map(|asked| (asked.span, asked.of))
        };
        assert_eq!(read(&[]), Some((Span::Hour, None)));
        assert_eq!(read(&[("last", "7d"), ("of", "mail")]), Some((Span::Week, Some("mail".to_owned()))));
        assert_eq!(read(&[("last", ""), ("of", "")]), Some((Span::Hour, None)));
        assert_eq!(read(&[("last", "8d")]), None);
        assert!(Span::ALL.iter().all(|span| Span::read(span.as_str()) == Some(*span)));
    }
}
