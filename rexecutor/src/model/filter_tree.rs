//! How conditions are put together: chains are flat, and what nests too deep, or is too long, is an error.
//!
//! # Invariant
//!
//! - Whatever is built with [`Filter::and`], [`Filter::or`] and [`Filter::negated`] nests no deeper than its author wrote
//!   alternating calls; walking over more than [`MAX_CONDITION_DEPTH`] levels is left to [`check`](Filter::check), which needs
//!   no stack, and to dropping.

use super::filter::Filter;
use crate::limits::{MAX_CONDITION_DEPTH, MAX_CONDITIONS};

/// Why a condition cannot be asked.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// A value to compare with does not encode as JSON.
    #[error("a value to compare with does not encode as JSON")]
    Encode(#[from] serde_json::Error),
    /// It has too many conditions.
    #[error("a query of more than {MAX_CONDITIONS} conditions: ask several times, or use a list, as in `id_in`")]
    TooMany,
    /// It nests too deep.
    #[error(
        "a query in which `and`, `or` and `!` are nested more than {MAX_CONDITION_DEPTH} levels deep: ask several times"
    )]
    TooDeep,
}

crate::debug_as_sentence!(FilterError);

impl Filter {
    /// Both hold.
    #[must_use]
    pub fn and(mut self, mut other: Self) -> Self {
        match (&mut self, &mut other) {
            (Self::All(first), Self::All(second)) => first.append(second),
            (Self::All(first), _) => first.push(other),
            // The order means nothing, and a place at the end costs nothing.
            (_, Self::All(second)) => {
                second.push(self);
                return other;
            }
            _ => return Self::All(vec![self, other]),
        }
        self
    }

    /// One of them holds at least.
    #[must_use]
    pub fn or(mut self, mut other: Self) -> Self {
        match (&mut self, &mut other) {
            (Self::Any(first), Self::Any(second)) => first.append(second),
            (Self::IdIn(first), Self::IdIn(second)) => first.append(second),
            (Self::StatusIn(first), Self::StatusIn(second)) => first.append(second),
            (Self::TagsOneOf(first), Self::TagsOneOf(second)) => first.append(second),
            (Self::Any(first), _) => first.push(other),
            (_, Self::Any(second)) => {
                second.push(self);
                return other;
            }
            _ => return Self::Any(vec![self, other]),
        }
        self
    }

    /// It does not hold.
    #[must_use]
    pub fn negated(mut self) -> Self {
        match &mut self {
            Self::Not(inner) => std::mem::replace(&mut **inner, Self::nothing()),
            _ => Self::Not(Box::new(self)),
        }
    }

    /// Whether a backend can be asked this: every backend does so first.
    ///
    /// # Errors
    ///
    /// When it has more than [`MAX_CONDITIONS`] conditions, or nests deeper than [`MAX_CONDITION_DEPTH`].
    pub fn check(&self) -> Result<(), FilterError> {
        let (mut count, mut left) = (0_usize, vec![(self, 1)]);
        while let Some((filter, depth)) = left.pop() {
            count += 1;
            if count > MAX_CONDITIONS {
                return Err(FilterError::TooMany);
            }
            let inner = match filter {
                Self::All(filters) | Self::Any(filters) => filters.as_slice(),
                Self::Not(filter) => std::slice::from_ref(&**filter),
                _ => continue,
            };
            if depth > MAX_CONDITION_DEPTH {
                return Err(FilterError::TooDeep);
            }
            left.extend(inner.iter().map(|filter| (filter, depth + 1)));
        }
        Ok(())
    }

    fn nothing() -> Self {
        Self::All(Vec::new())
    }

    /// Moves what it is made of to `left`.
    fn take_apart(&mut self, left: &mut Vec<Self>) {
        match self {
            Self::All(filters) | Self::Any(filters) => left.append(filters),
            Self::Not(filter) => left.push(std::mem::replace(&mut **filter, Self::nothing())),
            _ => {}
        }
    }
}

impl Drop for Filter {
    /// Without a call for each level: the stack might not have room for all of them.
    fn drop(&mut self) {
        let mut left = Vec::new();
        self.take_apart(&mut left);
        while let Some(mut filter) = left.pop() {
            filter.take_apart(&mut left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobId, JobStatus};

    fn job(id: i64) -> Filter {
        Filter::IdIn(vec![JobId::from(id)])
    }

    fn data(number: i64) -> Filter {
        Filter::Data(serde_json::json!(number).into())
    }

    /// Case 30: each call made another level.
    #[test]
    fn case_30_chains_are_flat() {
        let chain = |join: fn(Filter, Filter) -> Filter| (0..20_000).map(data).reduce(join).unwrap();
        assert!(matches!(&chain(Filter::or), Filter::Any(filters) if filters.len() == 20_000));
        assert!(matches!(&chain(Filter::and), Filter::All(filters) if filters.len() == 20_000));
        let backwards = (0..20_000).map(data).reduce(|chain, one| one.or(chain)).unwrap();
        assert!(matches!(&backwards, Filter::Any(filters) if filters.len() == 20_000));
        assert!(matches!(chain(Filter::or).clone().check(), Err(FilterError::TooMany)));
        let ids = (0..20_000).map(job).reduce(Filter::or).unwrap();
        assert!(matches!(&ids, Filter::IdIn(ids) if ids.len() == 20_000));
        assert!(ids.check().is_ok());
        assert_eq!(job(1).negated().negated(), job(1));
    }

    #[test]
    fn what_is_joined_means_what_the_calls_say() {
        let (a, b, c) = (data(1), job(2), Filter::StatusIn(vec![JobStatus::Complete]));
        let any = |filters: &[&Filter]| Filter::Any(filters.iter().map(|filter| (*filter).clone()).collect());
        assert_eq!(a.clone().or(b.clone()).and(c.clone()), Filter::All(vec![any(&[&a, &b]), c.clone()]));
        assert_eq!(a.clone().or(b.clone()).or(c.clone()), any(&[&a, &b, &c]));
        assert_eq!(a.clone().and(b.clone()).or(c.clone()), any(&[&Filter::All(vec![a.clone(), b.clone()]), &c]));
        assert_eq!(Filter::All(Vec::new()).and(a.clone()), Filter::All(vec![a.clone()]));
        assert_eq!(a.clone().or(Filter::All(Vec::new())), any(&[&a, &Filter::All(Vec::new())]));
    }

    /// Case 30: dropping a deep condition took the process down.
    #[test]
    fn case_30_a_condition_of_any_depth_is_refused_and_dropped() {
        let deep = (0..500_000).fold(job(1), |inner, _| Filter::Any(vec![Filter::Not(Box::new(inner))]));
        assert!(matches!(deep.check(), Err(FilterError::TooDeep)));
        let nested = |depth| (0..depth).fold(job(1), |inner, _| Filter::Not(Box::new(inner)));
        assert!(nested(MAX_CONDITION_DEPTH).check().is_ok());
        assert!(matches!(nested(MAX_CONDITION_DEPTH + 1).check(), Err(FilterError::TooDeep)));
    }
}
