// What a page can do beyond being read: keep itself up to date, be moved in by keys, and show times as the viewer's clock does.
// Every page works without it.
"use strict";

const prefix = document.body.dataset.prefix;

// Times in the viewer's zone. The server writes them in UTC.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const precise = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const minute = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

function localize(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = `${full.format(at)} · ${time.dateTime}`;
    if (time.classList.contains("absolute")) time.textContent = precise.format(at);
  }
  for (const text of root.querySelectorAll("[data-time]")) text.textContent = clock.format(new Date(text.dataset.time));
  for (const text of root.querySelectorAll("[data-minute]")) text.textContent = minute.format(new Date(text.dataset.minute));
  for (const text of root.querySelectorAll("[data-day]")) text.textContent = day.format(new Date(text.dataset.day));
  for (const button of root.querySelectorAll(".copy")) button.hidden = false;
}

// A part that has changed takes the place of the old one. What somebody is using stays as it is: a field that is being filled in, a
// menu that is open, and what is selected.
function isInUse(part) {
  if (part.querySelector("details.menu[open]")) return true;
  const active = document.activeElement;
  return part.contains(active) && active.matches("input:not([type=checkbox]), select, textarea");
}

function replace(part, fresh) {
  const focus = part.contains(document.activeElement) ? identity(document.activeElement) : null;
  const checked = new Set([...part.querySelectorAll("input[name=id]:checked")].map((box) => box.value));
  const closed = [...part.querySelectorAll("details:not(.menu)")].map((one) => one.open);
  const current = part.querySelector("tr.current a.open")?.getAttribute("href");
  part.replaceWith(fresh);
  for (const box of fresh.querySelectorAll("input[name=id]")) box.checked = checked.has(box.value);
  [...fresh.querySelectorAll("details:not(.menu)")].forEach((one, place) => { if (closed[place] === false) one.open = false; });
  localize(fresh);
  if (current) for (const link of fresh.querySelectorAll("a.open")) if (link.getAttribute("href") === current) mark(link.closest("tr"));
  if (focus) [...fresh.querySelectorAll(focus.selector)].find((one) => identity(one).key === focus.key)?.focus({ preventScroll: true });
  count();
}

function identity(element) {
  const selector = element.tagName.toLowerCase();
  return { selector, key: `${element.getAttribute("href")}|${element.name}|${element.value}|${element.textContent}` };
}

// The server's text of each part, to compare the next one with: the page's own has local times in it.
const texts = new Map();
for (const part of document.querySelectorAll("[data-live]")) texts.set(part.id, part.outerHTML);
// Before the times are changed.
localize(document);
document.querySelector(".zone").textContent = zone;

let isFetching = false;
let isStale = false;

async function refresh() {
  if (isFetching || document.hidden) { isStale = true; return; }
  isFetching = true;
  isStale = false;
  try {
    const answer = await fetch(location.href, { headers: { "x-live": "1" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const part = document.getElementById(fresh.id);
      const text = fresh.outerHTML;
      if (!part || texts.get(fresh.id) === text || isInUse(part)) continue;
      texts.set(fresh.id, text);
      replace(part, document.importNode(fresh, true));
    }
    document.body.dataset.refreshed = String(Number(document.body.dataset.refreshed ?? 0) + 1);
  } catch {
    // The next change tries again.
  } finally {
    isFetching = false;
    if (isStale && !document.hidden) setTimeout(refresh, 500);
  }
}

const connection = document.querySelector(".connection");
const word = connection.querySelector(".word");
function tell(isLive) {
  connection.hidden = false;
  connection.classList.toggle("lost", !isLive);
  word.textContent = isLive ? "live" : "not live";
  connection.title = isLive ? "This page keeps itself up to date" : "The server does not answer; the page tries again by itself";
}

// The server ends the stream now and then; the browser comes again by itself, and only a longer silence is told.
const job = document.querySelector("[data-job]")?.dataset.job;
const events = new EventSource(job ? `${prefix}/events?job=${job}` : `${prefix}/events`);
let silence = null;
events.addEventListener("hello", () => {
  clearTimeout(silence);
  silence = null;
  tell(true);
  if (document.body.dataset.lost) refresh();
  delete document.body.dataset.lost;
});
events.addEventListener("change", refresh);
events.addEventListener("error", () => {
  document.body.dataset.lost = "1";
  silence ??= setTimeout(() => tell(false), 5000);
  // It does not come again after an answer that was none, as from a proxy whose server is away.
  if (events.readyState === EventSource.CLOSED) tell(false);
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && isStale) refresh(); });

// Keys.
const help = document.querySelector("dialog.help");
const keys = document.querySelector("button.keys");
keys.hidden = false;
keys.addEventListener("click", () => help.showModal());

function mark(row) {
  document.querySelector("tr.current")?.classList.remove("current");
  row.classList.add("current");
}

function move(step) {
  const rows = [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a.open"));
  if (rows.length === 0) return;
  const place = rows.findIndex((row) => row.classList.contains("current"));
  const row = rows[Math.min(rows.length - 1, Math.max(0, place < 0 ? 0 : place + step))];
  mark(row);
  row.querySelector("a.open").focus();
  row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isField = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (isField) { if (event.key === "Escape") event.target.blur(); return; }
  if (help.open) return;
  const pages = document.querySelectorAll("header nav a");
  switch (event.key) {
    case "/": {
      const field = document.querySelector("input[type=search]");
      if (field) { field.focus(); field.select(); } else location.assign(`${prefix}/jobs?focus=search`);
      break;
    }
    case "j": move(1); break;
    case "k": move(-1); break;
    case "x": document.querySelector("tr.current input[name=id]")?.click(); break;
    case "?": help.showModal(); break;
    default: {
      const page = /^[1-9]$/.test(event.key) ? pages[Number(event.key) - 1] : undefined;
      if (!page) return;
      location.assign(page.href);
    }
  }
  event.preventDefault();
});

// What was done is told once, and not again when the page is reloaded.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(null, "", address);
}
if (address.searchParams.get("focus") === "search") document.querySelector("input[type=search]")?.focus();

// A selection says how many it means.
function count() {
  const chosen = document.querySelector(".bulk .selected");
  if (!chosen) return;
  const all = document.querySelector(".bulk input[name=all]");
  const number = document.querySelectorAll("input[name=id]:checked").length;
  chosen.textContent = all.checked ? "" : number === 0 ? "" : number === 1 ? "1 job selected" : `${number} jobs selected`;
}
document.addEventListener("change", (event) => {
  if (event.target.matches("input[name=id], input[name=all]")) count();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy");
  if (!button) return;
  navigator.clipboard?.writeText(button.parentElement.querySelector("pre").textContent).then(() => {
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
});
