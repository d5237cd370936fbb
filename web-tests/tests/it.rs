//! The dashboard in Chromium.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rexecutor::{backend::NewJob, job::JobId};
use web_tests::{Browser, Site};

const PAGES: [(&str, &str); 9] = [
    ("overview", "/"),
    ("week", "/?last=7d&of=charge_card"),
    ("jobs", "/jobs"),
    ("job", "/jobs/4"),
    ("executors", "/executors"),
    ("schedules", "/schedules"),
    ("nodes", "/nodes"),
    ("dead", "/dead"),
    ("audit", "/audit"),
];

/// One browser at a time: several take the memory of a small machine.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where pictures go.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What of the text of a page stands out too little from what is behind it, by the rule of WCAG 2 at level AA; what has no name, and
/// what is wider than the window.
const AUDIT: &str = r#"(() => {
    const found = [];
    const parse = (color) => color.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
        .reduce((sum, c, place) => sum + c * [.2126, .7152, .0722][place], 0);
    const behind = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const color = parse(getComputedStyle(one).backgroundColor);
            if (color.length === 3 || color[3] > .5) return color;
        }
        return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const element = text.parentElement;
        if (!text.data.trim() || !element.checkVisibility() || element.closest("dialog, .visually-hidden, .skip, option, title")) continue;
        const style = getComputedStyle(element);
        const ink = element instanceof SVGElement ? style.fill : style.color;
        const pair = [light(parse(ink)), light(behind(element))].sort((a, b) => b - a);
        const ratio = (pair[0] + .05) / (pair[1] + .05);
        if (ratio < 4.5) found.push(`contrast ${ratio.toFixed(2)}: ${text.data.trim().slice(0, 40)} ${ink}`);
    }
    for (const field of document.querySelectorAll("input:not([type=hidden]), select, button, a"))
        if (!(field.labels?.length || field.getAttribute("aria-label") || field.textContent.trim())) found.push(`no name: ${field.outerHTML}`);
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    if (new Set(ids).size !== ids.length) found.push("an id is there twice");
    if (document.querySelectorAll("h1").length !== 1 || document.documentElement.lang !== "en") found.push("no one title, or no language");
    if (document.scrollingElement.scrollWidth > innerWidth) found.push(`wider than the window: ${document.scrollingElement.scrollWidth}`);
    return found.join("\n");
})()"#;

#[test]
fn every_page_is_clean_at_every_width_light_and_dark_with_few_jobs_and_many() {
    let _turn = turn();
    let folder = pictures();
    let mut browser = Browser::start();
    for (name, site) in [("none", Site::empty()), ("ten", Site::with_jobs(10)), ("many", Site::with_jobs(3_000))] {
        for is_dark in [false, true] {
            let scheme = if is_dark { "dark" } else { "light" };
            let mut tab = browser.open((1440, 1000), is_dark, true);
            for (page, path) in PAGES {
                if name == "none" && page == "job" {
                    continue;
                }
                tab.go(&site.page(path));
                tab.until("!document.querySelector('.connection').hidden");
                for width in [1440, 1024, 390] {
                    tab.resize(width, 1000);
                    let found = tab.ask(AUDIT);
                    assert_eq!(found, "", "{page}, {name}, {scheme}, {width}");
                    tab.picture(&folder.join(format!("{page}-{name}-{scheme}-{width}.png")));
                }
            }
            assert_eq!(tab.complaints(), Vec::<String>::new());
            let foreign: Vec<_> = tab.requests().into_iter().filter(|url| !url.starts_with(&site.address)).collect();
            assert_eq!(foreign, Vec::<String>::new());
        }
    }
}

#[test]
fn what_changes_arrives_by_itself_and_moves_nothing_else() {
    let _turn = turn();
    let (site, mut browser) = (Site::with_jobs(20), Browser::start());
    let mut tab = browser.open((1440, 900), false, true);
    tab.go(&site.page("/jobs?q=executor:fresh"));
    tab.until("document.querySelector('.connection .word').textContent === 'live' && !document.querySelector('.connection').hidden");
    tab.ask("window.mark = document.querySelector('.search input'); true");
    let first = site.enqueue(NewJob::new("fresh", "1"));
    tab.until(&format!("document.querySelector('#rows input[value=\"{first}\"]')"));
    // What was selected stays so, and what has not changed is still the same element.
    tab.click(&format!("#rows input[value=\"{first}\"]"));
    let second = site.enqueue(NewJob::new("fresh", "2"));
    tab.until(&format!("document.querySelector('#rows input[value=\"{second}\"]')"));
    assert_eq!(tab.ask(&format!("document.querySelector('#rows input[value=\"{first}\"]').checked")), true);
    assert_eq!(tab.ask("window.mark === document.querySelector('.search input')"), true);
    assert_eq!(tab.ask("document.querySelector('.selected').textContent"), "1 job selected");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[test]
fn all_of_it_works_without_script() {
    let _turn = turn();
    let (site, mut browser) = (Site::with_jobs(40), Browser::start());
    let mut tab = browser.open((1200, 900), false, false);
    tab.go(&site.page("/jobs?status=discarded"));
    let text = tab.text();
    let id =
        text.split("name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a job was discarded");
    let id: i64 = id.parse().unwrap();
    assert_eq!(site.status(JobId::from(id)), "discarded");
    tab.click(&format!("#rows input[value=\"{id}\"]"));
    tab.follow(".bulk button[value=retry]");
    assert!(tab.text().contains("Due now: 1 job."), "{}", tab.text());
    assert_eq!(site.status(JobId::from(id)), "scheduled");
    // All that match are asked about first.
    tab.go(&site.page("/jobs?status=discarded"));
    tab.click(".bulk input[name=all]");
    tab.follow(".bulk button[value=retry]");
    assert!(tab.text().contains("Retry "), "{}", tab.text());
    tab.follow(".ask button.primary");
    assert!(tab.text().contains("Due now: "), "{}", tab.text());
    tab.go(&site.page("/jobs?status=discarded"));
    assert!(tab.text().contains("No job matches."), "{}", tab.text());
    // A pause, with its reason.
    tab.go(&site.page("/executors"));
    tab.click("#executors tbody tr:first-child details summary");
    tab.fill("#executors tbody tr:first-child input[name=reason]", "the bank is down");
    tab.follow("#executors tbody tr:first-child button[value=pause]");
    assert!(tab.text().contains("the bank is down") && tab.text().contains("by tester"), "{}", tab.text());
    // Who has done it stands in the audit log.
    tab.go(&site.page("/audit"));
    tab.fill("input[name=action]", "pause");
    tab.follow("form[role=search] button");
    assert!(tab.text().contains("the bank is down") && !tab.text().contains("many jobs"), "{}", tab.text());
    tab.go(&site.page("/jobs?q=%231"));
    tab.fill("input[type=search]", " status:complete");
    tab.follow(".search button");
    assert!(tab.text().contains("value=\"#1 status:complete\""), "{}", tab.text());
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[test]
fn lists_go_on_and_a_job_says_why_it_is_not_running_and_then_what_became_of_it() {
    let _turn = turn();
    let (site, mut browser) = (Site::with_jobs(120), Browser::start());
    let mut tab = browser.open((1200, 900), true, true);
    tab.go(&site.page("/jobs"));
    let first = "document.querySelector('#rows a.open').textContent";
    let newest = tab.ask(first);
    tab.follow("a[rel=next]");
    assert_ne!(tab.ask(first), newest);
    assert_eq!(tab.ask("document.querySelectorAll('#rows tbody tr').length"), 50);
    let id = site.enqueue(NewJob::new("import_feed", "{}"));
    tab.go(&site.page(&format!("/jobs/{id}")));
    let why = tab.ask("document.querySelector('#why b').textContent");
    assert!(why.as_str().unwrap().starts_with("Its executor is paused by ann, for "), "{why}");
    tab.until("!document.querySelector('.connection').hidden");
    site.cancel(id);
    tab.until("document.querySelector('#title .status').textContent === 'cancelled'");
    let why = tab.ask("document.querySelector('#why b').textContent");
    assert!(why.as_str().unwrap().contains("not needed"), "{why}");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[test]
fn keys_move_in_lists_and_between_pages() {
    let _turn = turn();
    let (site, mut browser) = (Site::with_jobs(20), Browser::start());
    let mut tab = browser.open((1200, 900), false, true);
    tab.go(&site.page("/jobs"));
    tab.press("j");
    tab.press("j");
    let place =
        "[...document.querySelectorAll('#rows tbody tr')].findIndex((row) => row.classList.contains('current'))";
    assert_eq!(tab.ask(place), 1);
    tab.press("k");
    assert_eq!(tab.ask(place), 0);
    tab.press("x");
    assert_eq!(tab.ask("document.querySelector('.selected').textContent"), "1 job selected");
    tab.press("/");
    assert_eq!(tab.ask("document.activeElement.type"), "search");
    tab.press("j");
    assert_eq!(tab.ask("document.activeElement.value"), "j");
    tab.ask("document.activeElement.blur(); true");
    tab.press("?");
    assert_eq!(tab.ask("document.querySelector('dialog').open"), true);
    tab.click("dialog button");
    tab.until("!document.querySelector('dialog').open");
    tab.press("3");
    tab.until("document.querySelector('h1')?.textContent === 'Executors'");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[test]
fn hostile_texts_run_nothing() {
    let _turn = turn();
    let (site, mut browser) = (Site::with_jobs(5), Browser::start());
    let mut last = JobId::from(0);
    for text in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</title><svg onload=alert(1)>"] {
        let job = NewJob::new(text.to_owned(), format!("{text:?}")).with_tags(vec![text.to_owned()]);
        last = site.enqueue(job.with_group_key(text.to_owned()));
    }
    let mut tab = browser.open((1200, 900), false, true);
    for path in ["/", "/jobs", &format!("/jobs/{last}"), "/executors", "/jobs?q=%3Cscript%3Ealert(1)%3C/script%3E"] {
        tab.go(&site.page(path));
        tab.until("!document.querySelector('.connection').hidden");
        assert_eq!(tab.ask("document.querySelectorAll('main img, main script').length"), 0, "{path}");
    }
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
