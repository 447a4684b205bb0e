// Keeps a page up to date without loading it again: parts that changed are exchanged when a
// server-sent event arrives, or every few seconds where there are no such events.

const EVENTS = "/api/events/stream";
const POLL_MS = 5000;
const TRY_AGAIN_MS = 30000;
const ANSWER_WITHIN_MS = 20000;
const AT_MOST_EVERY_MS = 700;
const lamp = document.getElementById("live");
let timer = null;
let source = null;
let poll = null;
let lastAt = performance.now();

function say(words, isLive) {
  if (!lamp || lamp.textContent === words) return;
  lamp.textContent = words;
  lamp.classList.toggle("is-live", isLive);
}

async function refresh() {
  timer = null;
  lastAt = performance.now();
  if (document.querySelector("dialog[open]")) return soon();
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname === "/login") return location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    if (document.hidden) return; // refreshed when the page is visible again
    exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    say("no connection", false);
  }
}

function soon() {
  const wait = Math.max(0, AT_MOST_EVERY_MS - (performance.now() - lastAt));
  timer ??= setTimeout(refresh, wait);
}

function exchange(fresh) {
  for (const old of document.querySelectorAll("[data-part]")) {
    const now = fresh.getElementById(old.id);
    if (!now || isSame(old, now)) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const place = focused && placeOf(focused, old);
    old.replaceWith(now);
    if (place) now.querySelector(place)?.focus({ preventScroll: true });
    now.dispatchEvent(new CustomEvent("exchanged", { bubbles: true }));
  }
}

// A part with a key (the viewer) keeps its own state: it is exchanged when the key changes.
function isSame(old, now) {
  if (old.dataset.key !== undefined) return old.dataset.key === now.dataset.key;
  if (old.dataset.source === undefined) old.dataset.source = digest(old);
  now.dataset.source = digest(now);
  return old.dataset.source === now.dataset.source;
}

function digest(element) {
  return element.className + element.innerHTML.replaceAll(' hidden=""', "");
}

function placeOf(element, within) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const address = element.getAttribute("href");
  return address && within.contains(element) ? `[href="${CSS.escape(address)}"]` : null;
}

// Only the visible page listens: a browser opens six connections to one server, and each stream
// holds one, so six open tabs would block everything else.
function listen() {
  if (source || document.hidden) return;
  source = new EventSource(EVENTS);
  source.onopen = () => {
    say("live", true);
    stopAsking();
    soon();
  };
  for (const kind of ["happening", "activity"]) source.addEventListener(kind, soon);
  source.onerror = ({ target }) => {
    say(`asks every ${POLL_MS / 1000} s`, false);
    poll ??= setInterval(refresh, POLL_MS);
    if (target.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    hangUp();
    setTimeout(() => {
      stopAsking();
      listen();
    }, TRY_AGAIN_MS);
  };
}

function hangUp() {
  source?.close();
  source = null;
}

function stopAsking() {
  clearInterval(poll);
  poll = null;
}

function listenWhileSeen() {
  if (!document.hidden) return listen();
  hangUp();
  stopAsking();
  clearTimeout(timer);
  timer = null;
}

// Confirmation dialogs, filters of lists, and C-ECHO to peers.

document.addEventListener("click", (event) => {
  const ask = event.target.closest("[data-ask]");
  if (ask) document.getElementById(ask.dataset.ask)?.showModal();
  event.target.closest("[data-close]")?.closest("dialog").close();
  const echo = event.target.closest("[data-echo]");
  if (echo) askPeer(echo);
});

// An address that ends with the id of a button (`#ask-run`) opens its dialog.
function openAsked() {
  const ask = document.getElementById(location.hash.slice(1));
  if (ask?.dataset.ask) document.getElementById(ask.dataset.ask)?.showModal();
}

document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("button")) setTimeout(() => (button.disabled = true));
});

async function askPeer(button) {
  const words = button.parentElement.querySelector(".answer");
  button.disabled = true;
  words.textContent = "asking";
  try {
    const answer = await fetch(button.dataset.echo, { method: "POST", headers: { "x-csrf-token": button.dataset.token } });
    const said = await answer.json();
    words.textContent = answer.ok ? await answerOf(said.command) : said.msg;
  } catch {
    words.textContent = "this server does not answer";
  }
  button.disabled = false;
}

// Wait until the ledger has the node's answer to a command.
async function answerOf(command) {
  for (const end = performance.now() + ANSWER_WITHIN_MS; performance.now() < end; ) {
    const said = await (await fetch(`/api/commands/${command}`)).json();
    if (said.done) return said.answer;
    await new Promise((done) => setTimeout(done, 300));
  }
  return "the node has not answered yet";
}

function filter() {
  for (const field of document.querySelectorAll("[data-filter]")) {
    const wanted = field.value.trim().toLowerCase();
    for (const row of document.querySelectorAll(`${field.dataset.filter} [data-row]`))
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }
}

function paint() {
  for (const swatch of document.querySelectorAll("[data-color]"))
    swatch.style.backgroundColor = `rgb(${swatch.dataset.color})`;
}

document.addEventListener("input", filter);
document.addEventListener("exchanged", () => {
  filter();
  paint();
});
paint();
openAsked();
if (lamp) {
  listen();
  document.addEventListener("visibilitychange", listenWhileSeen);
}
