//! The dashboard as axe-core sees it: by the rules of WCAG 2.2 at the levels A and AA, and by its own.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use web_tests::{Browser, Site};

const PAGES: [&str; 10] = [
    "/",
    "/?last=7d&of=charge_card",
    "/jobs",
    "/jobs?status=discarded",
    "/jobs/4",
    "/executors",
    "/schedules",
    "/nodes",
    "/dead",
    "/audit",
];

/// What is wrong, and where.
const RUN: &str = r#"axe.run(document, {
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}).then(({ violations, passes }) => passes.length < 10 ? "axe-core has looked at nothing" : violations.map(({ id, help, nodes }) =>
    `${id}: ${help}\n` + nodes.map(({ html, failureSummary }) => `    ${html}\n    ${failureSummary}`).join("\n")).join("\n"))"#;

#[test]
fn axe_core_finds_nothing_to_complain_about() {
    let path = std::env::var("AXE_CORE").expect("run `scripts/browser`, which gets axe-core and says where it is");
    let axe = std::fs::read_to_string(path).unwrap();
    let (mut browser, mut complaints) = (Browser::start(), String::new());
    for (name, site) in [("none", Site::empty()), ("many", Site::with_jobs(300))] {
        for is_dark in [false, true] {
            for width in [1440, 390] {
                let mut tab = browser.open((width, 1000), is_dark, true);
                for page in PAGES {
                    if name == "none" && page == "/jobs/4" {
                        continue;
                    }
                    tab.go(&site.page(page));
                    tab.until("!document.querySelector('.connection').hidden");
                    tab.ask(&format!("{axe}\n;true"));
                    let found = tab.ask(RUN);
                    if found != "" {
                        let scheme = if is_dark { "dark" } else { "light" };
                        complaints
                            .push_str(&format!("{page}, {name}, {scheme}, {width}: {}\n", found.as_str().unwrap()));
                    }
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

/// Else the test above would be content with anything.
#[test]
fn axe_core_finds_what_is_wrong() {
    let axe = std::fs::read_to_string(std::env::var("AXE_CORE").unwrap()).unwrap();
    let (site, mut browser) = (Site::empty(), Browser::start());
    let mut tab = browser.open((1440, 1000), false, true);
    tab.go(&site.page("/jobs"));
    tab.ask("document.querySelector('.search input').closest('form').replaceChildren(document.createElement('input')); true");
    tab.ask(&format!("{axe}\n;true"));
    let found = tab.ask(RUN);
    assert!(found.as_str().unwrap().contains("label"), "{found}");
}
