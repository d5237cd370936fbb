use super::*;
use crate::Role;

fn read(pairs: &[(&str, &str)]) -> Search {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Search::read(&pairs).unwrap()
}

fn filter(text: &str) -> Result<Filter, String> {
    let search = Search { text: text.to_owned(), ..Search::default() };
    let filter = search.filter(&Access::new("ann", Role::Viewer), DateTime::UNIX_EPOCH);
    filter.map_err(|problem| problem.sentence())
}

#[test]
fn every_hint_is_understood() {
    for (example, _) in HINTS {
        filter(example).unwrap_or_else(|problem| panic!("{example}: {problem}"));
    }
}

#[test]
fn words_become_conditions() {
    let all = |filters: &[Filter]| Ok(Filter::All(filters.to_vec()));
    let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
    assert_eq!(filter(" "), all(&[]));
    assert_eq!(filter("mail"), all(&[Filter::Executor("mail".into())]));
    assert_eq!(filter("#42"), all(&[Filter::IdIn(vec![42.into()])]));
    let either = Filter::Any(vec![Filter::Executor("a".into()), Filter::Executor("b".into())]);
    assert_eq!(filter("executor:a executor:b"), all(&[either]));
    assert_eq!(filter("tag:x tag:y"), all(&[Filter::TagsAllOf(vec!["x".into(), "y".into()])]));
    assert_eq!(filter("error:\"timed out\""), all(&[Filter::ErrorContains("timed out".into())]));
    assert_eq!(filter("since:1h"), all(&[Filter::InsertedAfter(at(-3_600))]));
    assert_eq!(filter("before:1970-01-02"), all(&[Filter::InsertedBefore(at(86_400))]));
    assert_eq!(filter("before:1970-01-01T00:01Z"), all(&[Filter::InsertedBefore(at(60))]));
    assert_eq!(filter("executor:unknown:x"), all(&[Filter::Executor("unknown:x".into())]));
    assert_eq!(filter("Acme::mail"), all(&[Filter::Executor("Acme::mail".into())]));
    let unknown = filter("unknown:x").unwrap_err();
    assert!(
        unknown.starts_with("`unknown:x`: there is no filter `unknown`; there are executor, tag, any, id,"),
        "{unknown}"
    );
    assert!(unknown.ends_with("The executor of this name is `executor:unknown:x`."), "{unknown}");
    assert_eq!(filter("tag:"), Err("`tag:` says nothing behind the colon; write `tag:vip`, say.".into()));
    assert!(["executor:", "executor:,", "tag:,,", "id:,"].into_iter().all(|all| filter(all).is_err()));
    assert_eq!(filter("node:x"), Err("`node:x`: `x` is no number.".into()));
    assert!(filter("since:99999999999999999d").is_err() && filter("id:").is_err());
}

#[test]
fn what_somebody_may_not_see_is_in_no_filter_of_theirs() {
    let search = read(&[("q", "executor:secret")]);
    let access = Access::new("bob", Role::Admin).only(["mail"]);
    let last = |filter: &Filter| match filter {
        Filter::All(filters) => filters.last().cloned(),
        _ => None,
    };
    let filter = search.filter(&access, DateTime::UNIX_EPOCH).unwrap();
    assert_eq!(last(&filter), Some(Filter::Executor("mail".into())));
    let nobody = Access::new("eve", Role::Admin).only(Vec::<String>::new());
    let filter = search.filter(&nobody, DateTime::UNIX_EPOCH).unwrap();
    assert_eq!(last(&filter), Some(Filter::Any(Vec::new())));
}

#[test]
fn the_order_suits_the_statuses() {
    assert_eq!(read(&[]).order(), JobOrder::Newest);
    assert_eq!(read(&[("status", "scheduled,retryable")]).order(), JobOrder::Due);
    assert_eq!(read(&[("status", "discarded")]).order(), JobOrder::Finished);
    assert_eq!(read(&[("status", "discarded,scheduled")]).order(), JobOrder::Newest);
    assert_eq!(read(&[("status", "executing"), ("order", "due")]).order(), JobOrder::Newest);
    assert_eq!(read(&[("status", "discarded")]).orders(), [JobOrder::Newest, JobOrder::Oldest, JobOrder::Finished]);
}

#[test]
fn an_address_says_what_it_was_read_from() {
    let search =
        read(&[("q", "a & b"), ("status", "discarded,complete"), ("order", "oldest"), ("limit", "7"), ("x", "y")]);
    let parameters: Vec<_> = search.parameters().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(Search::read(&parameters).unwrap(), search);
    for (name, value) in [("status", "done"), ("order", "up"), ("after", "x"), ("limit", "-1")] {
        assert!(Search::read(&[(name.to_owned(), value.to_owned())]).is_err(), "{name}");
    }
    let told = "`status:done`: `done` is no status; there are blocked, scheduled, executing, retryable, complete, cancelled, discarded.";
    assert_eq!(filter("status:done").unwrap_err(), told);
}
