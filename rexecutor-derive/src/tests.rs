//! Parsing and expansion, without the compiler.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{job_tokens, model::Job};

mod no_panic;

/// The mistakes of one use.
fn mistakes(args: TokenStream, item: TokenStream) -> Vec<String> {
    match Job::parse(args, item) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

fn item() -> TokenStream {
    quote!(
        async fn welcome_email(to: String) {}
    )
}

#[track_caller]
fn check(args: TokenStream, words: &[&str]) {
    let found = mistakes(args, item());
    assert_eq!(found.len(), words.len(), "{found:#?}");
    for words in words {
        assert!(found.iter().any(|found| found.contains(words)), "{words}: {found:#?}");
    }
}

#[test]
fn every_argument_is_taken() {
    let all = quote!(
        name = "mail",
        executor = Mail,
        max_attempts = 3,
        max_concurrency = 10,
        cluster_concurrency = 40,
        concurrency(key = |data| data.len(), limit = 2),
        rate_limit = "100/1m",
        burst = 10,
        weight = |data| data.len(),
        per = |data| data.len(),
        middleware = [audit, crate::REGION],
        max_pending = 5_000,
        max_data_bytes = 4096,
        priority = 1,
        tags = ["a", "b"],
        timeout = "30s",
        deadline = "1h",
        blocking,
        backoff = exponential("4s", max = "7d", jitter = 0.1),
        unique(key = |data| data.len(), within = "5m", statuses = [scheduled], on_conflict = replace(priority, data)),
        retain = "7d",
        rerun = never,
        cron = "0 0 0 * * *",
        cron("@daily", timezone = "Asia/Tokyo", data = String::new(), jitter = "1m", starts = "2027-01-31"),
        every = "90s",
        every("1h", data = String::new(), ends = "2040-12-31T12:00"),
        jitter = "30s",
        timezone = "Europe/London",
        data = vec![1, 2].len().to_string(),
        crate = jobs::rexecutor,
    );
    check(all.clone(), &[]);
    let expansion = job_tokens(all, item(), || None).to_string();
    syn::parse_str::<syn::File>(&expansion).unwrap();
    let dates =
        "with_dates (:: core :: option :: Option :: Some (\"2027-01-31\") , :: core :: option :: Option :: None)";
    for part in
        ["& audit , & crate :: REGION", "const KEY_RATE", "const WEIGHS : bool = true", "weight_of (data . len ())"]
    {
        assert!(expansion.contains(part), "{part} in {expansion}");
    }
    for part in [dates, "\"@every 90s\"", "from_millis (30000u64)", "from_millis (60000u64)"] {
        assert!(expansion.contains(part), "{part} in {expansion}");
    }
    for part in ["struct Mail", "\"Asia/Tokyo\"", "\"Europe/London\"", "jobs :: rexecutor :: Executor for Mail"] {
        assert!(expansion.contains(part), "{part} in {expansion}");
    }
}

#[test]
fn what_is_wrong_with_a_schedule_is_told_where_it_stands() {
    let data = quote!(data = String::new());
    for (args, words) in [
        (quote!(cron = "0 0 0 31 * *"), "in 7 months of 12"),
        (quote!(every = "500ms"), "`500ms` is not an interval"),
        (quote!(every = 90), "text in quotes, as `every = \"90s\"`"),
        (quote!(every("90s", timezone = "Asia/Tokyo")), "`every` counts from midnight in UTC"),
        (quote!(every = "90s", timezone = "Asia/Tokyo"), "`every` counts from midnight in UTC"),
        (quote!(every = "90s", jitter = "2h"), "a jitter is at most an hour"),
        (quote!(cron = "@daily", starts = "tomorrow"), "`tomorrow` is not a date"),
        (quote!(cron = "@yearly", starts = "2027-01-02", ends = "2027-12-31"), "no tick between its start and its end"),
        (quote!(cron("@daily", end = "2027-12-31")), "did you mean `ends`, a date"),
        (quote!(cron()), "write `cron("),
        (quote!(cron = "@daily", missed = "all"), "`missed` is `skip`, `last`, `all`, or `all(5)`"),
        (quote!(cron = "@daily", missed = all(0)), "a whole number from 1 to 65535"),
        (quote!(cron("@daily", overlap = cancel)), "`overlap` is `allow`, `skip`, `queue` or `replace`"),
        (quote!(cron = "@daily", entry = ""), "the name of a schedule entry is empty"),
    ] {
        check(quote!(#args, #data), &[words]);
    }
    check(quote!(overlap = skip), &["a policy for overlapping ticks without a schedule: add `cron = \"..\"`"]);
    check(quote!(jitter = "30s"), &["a jitter without a schedule: add `cron = \"..\"`"]);
    check(quote!(every = "90s"), &["add `data = ..`"]);
}

#[test]
fn all_mistakes_are_shown_at_once() {
    check(
        quote!(max_attempts = 0, timeot = "30s", timeout = "soon"),
        &["from 1 to 65535", "`timeout`?", "not a duration"],
    );
}

#[test]
fn case_09_words_of_other_job_systems_are_understood() {
    for (args, words) in [
        (quote!(retries = 3), "unknown argument `retries`; did you mean `max_attempts`, counting the first run?"),
        (quote!(max_retries = 3), "`max_attempts`"),
        (quote!(attempts = 3), "`max_attempts`"),
        (quote!(queue = "mail"), "did you mean `executor`? there are no queues: each job has a line of its own"),
        (quote!(concurrency = 3), "did you mean `max_concurrency`?"),
        (
            quote!(partition_by = 3),
            "did you mean `concurrency`, as `concurrency(key = |data| data.customer, limit = 2)`?",
        ),
        (quote!(timeout_secs = 30), "did you mean `timeout`, a duration as `\"30s\"`?"),
        (quote!(tz = "UTC"), "did you mean `timezone`?"),
        (quote!(cron("@daily", tz = "UTC", data = String::new())), "did you mean `timezone`?"),
        (quote!(interval = "5m"), "did you mean `every`, as `every = \"5m\"`"),
        (quote!(schedule = "5m"), "did you mean `cron`, as `cron = \"0 */5 * * * *\"`"),
        (quote!(delay = "5m"), "did you mean `backoff`? when a single job is due is said as it is enqueued"),
        (quote!(unique(states = [scheduled])), "did you mean `statuses`?"),
        (quote!(backoff = polynomial("4s", power = 2, cap = "1h")), "did you mean `max`"),
    ] {
        check(args, &[words]);
    }
}

#[test]
fn case_09_a_job_that_cannot_stand_where_it_does_is_one_mistake() {
    for (text, words) in [
        (
            "impl Mailer {\n    #[job]\n    async fn welcome_email(to: String) {}\n}",
            "move `welcome_email` out of the `impl`",
        ),
        (
            "struct WelcomeEmail;\n\n#[job]\nasync fn welcome_email(to: String) {}",
            "`#[job(executor = WelcomeEmailJob)]`",
        ),
    ] {
        let line = 1 + text.lines().position(|line| line.contains("#[job")).unwrap();
        let source = || Some(crate::surroundings::Source { text: text.to_owned(), line });
        let expansion = job_tokens(quote!(), item(), source).to_string();
        assert_eq!(expansion.matches("compile_error").count(), 1, "{expansion}");
        assert!(expansion.contains(words) && !expansion.contains("struct WelcomeEmail"), "{expansion}");
    }
}

#[test]
fn contradictions_are_told() {
    check(quote!(unique_within = "5m", unique(by = data)), &["says that already"]);
    check(quote!(unique(by = data, key = |d| d.len())), &["`by` and `key`"]);
    check(quote!(timezone = "UTC"), &["without a schedule"]);
    check(quote!(retain = "1h", unique_within = "2h"), &["deleted while they are still to be unique"]);
    check(quote!(retain = "2h", unique_within = "1h"), &[]);
    check(quote!(unique(by = data), debounce = "5s"), &["`unique` and `debounce` both say"]);
    check(quote!(debounce = "5s", throttle = "5s"), &["`debounce` and `throttle` both say"]);
    check(quote!(throttle = "1m", cron = "@daily", data = 1), &["`throttle` would hold it back"]);
    check(quote!(debounce = "5s", deadline = "50s"), &["before the longest wait of `debounce` is over"]);
    check(quote!(debounce = "5s", deadline = "51s"), &[]);
    check(quote!(debounce(within = "1m", longest = "59s")), &["at least as long as `within`"]);
    check(quote!(throttle(key = |data| data.len())), &["`throttle` needs a time"]);
    check(quote!(throttle = "10/s"), &["not a duration"]);
    check(quote!(retain = "none", throttle = "1m"), &["still hold others back"]);
    check(quote!(retain = "none", debounce = "1m"), &[]);
    check(quote!(retain = "none", unique(within = "1h", statuses = [scheduled])), &[]);
    check(quote!(cron = "@daily"), &["add `data = ..`"]);
}

#[test]
fn case_25_data_in_a_random_order_are_not_compared() {
    let of = |args: TokenStream, data: TokenStream| mistakes(args, quote!(async fn invite(members: #data) {}));
    for data in [quote!(HashSet<u32>), quote!(Job<std::collections::HashSet<u32>, ()>), quote!(Vec<HashSet<u32, S>>)] {
        let found = of(quote!(unique_within = "5m"), data.clone());
        assert!(matches!(&found[..], [one] if one.contains("take a `BTreeSet`")), "{found:?}");
        assert!(of(quote!(unique(key = |data| data.len())), data.clone()).is_empty());
        assert!(of(quote!(unique(by = executor)), data).is_empty());
    }
    assert!(of(quote!(unique(by = data)), quote!(HashMap<String, BTreeSet<u32>>)).is_empty());
}

#[test]
fn the_function_is_emitted_even_when_the_arguments_are_wrong() {
    let expansion = job_tokens(quote!(max_attempts = 0), item(), || None).to_string();
    assert!(expansion.contains("compile_error") && expansion.contains("async fn welcome_email"), "{expansion}");
    assert!(expansion.contains("struct WelcomeEmail"), "what names the struct adds no errors");
}

#[test]
fn what_is_no_function_is_told_and_kept() {
    let expansion = job_tokens(
        quote!(),
        quote!(
            struct Mail;
        ),
        || None,
    )
    .to_string();
    assert!(expansion.contains("goes on an `async fn`") && expansion.contains("struct Mail"), "{expansion}");
}

#[test]
fn raw_and_odd_names_give_structs() {
    for (function, executor) in [("r#match", "Match"), ("send_2_mails", "Send2Mails"), ("_1", "Job1"), ("über", "Über")]
    {
        let function: syn::Ident =
            syn::parse_str::<syn::Ident>(function).unwrap_or_else(|_| quote::format_ident!("r#match"));
        let expansion = job_tokens(quote!(), quote!(async fn #function() {}), || None).to_string();
        assert!(expansion.contains(&format!("struct {executor} ;")), "{expansion}");
    }
}

/// What an assertion or a test with these arguments is told; each has one mistake.
fn told(expansion: TokenStream) -> String {
    let text = expansion.to_string();
    assert_eq!(text.matches("compile_error").count(), 1, "{text}");
    text
}

#[test]
fn mistakes_in_assertions_are_told() {
    for (kind, arguments, words) in [
        ("enqueued", "3 mails", "write `1 job` or `3 jobs`"),
        ("enqueued", "with_dat: 1", "did you mean `with_data`?"),
        ("enqueued", "zebra: 1", "expected a number of jobs, or one of `to`"),
        ("enqueued", "with_data: 1, with_data: 2", "`with_data` is given twice"),
        ("enqueued", "1 job, 2 jobs", "the number of jobs is given twice"),
        ("refuted", "1 job", "no job at all is to match"),
        ("enqueued", "data: Email { .. }", "add `for_executor: ..`"),
        ("executed", "data_matches: |data| true", "add `for_executor: ..`"),
        ("enqueued", "for_executor: Mail, data_matches: 3", "as `data_matches: |data| data.len() > 3`"),
        (
            "enqueued",
            "for_executor: Mail, data: A(\"x\") | B(\"y\", 1)",
            "text cannot stand in one of several patterns",
        ),
        ("enqueued", "with_data 1", "expected `:`"),
        ("enqueued", "to: backend with_data: 1", "expected `,`"),
    ] {
        let tokens: TokenStream = format!("::rexecutor {kind} {arguments}").parse().unwrap();
        let text = crate::expectation::expand(tokens).to_string();
        assert!(text.contains("compile_error") && text.contains(words), "{arguments}: {text}");
        syn::parse_str::<syn::Expr>(&text).unwrap();
    }
}

#[test]
fn mistakes_at_tests_are_told() {
    for (arguments, item, words) in [
        ("", "fn test() {}", "is an `async fn`"),
        ("", "async fn test<T>() {}", "cannot be generic"),
        ("", "async fn test(a: Test, b: Test) {}", "takes nothing, or `test: rexecutor_testing::Test`"),
        ("", "#[tokio::test] async fn test() {}", "makes it a test already"),
        ("", "struct Test;", "stands on an `async fn`"),
        ("backend = sqlit", "async fn test() {}", "did you mean `sqlite`?"),
        ("backend = 3", "async fn test() {}", "`memory`, `sqlite` or `postgres`"),
        ("jobs = Mail", "async fn test() {}", "as `jobs = [WelcomeEmail, NightlyReport]`"),
        ("jobs = [3]", "async fn test() {}", "a job is named by its type"),
        ("bakend = sqlite", "async fn test() {}", "did you mean `backend`?"),
    ] {
        let text = told(crate::test_attribute::expand(arguments.parse().unwrap(), item.parse().unwrap()));
        assert!(text.contains(words), "{arguments} {item}: {text}");
    }
    let text = crate::test_attribute::expand(
        "backend = sqlite, jobs = [Mail]".parse().unwrap(),
        quote!(
            async fn test() {}
        ),
    );
    syn::parse2::<syn::File>(text).unwrap();
}
