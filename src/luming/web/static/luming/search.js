// The search dialog: Ctrl+K or / opens it; arrow keys choose, Enter opens, Esc closes. Searches of before are kept in
// this browser only.

const WAIT = 120; // ms after the last key
const KEPT = 6;
const STORE = "luming-searches";

const dialog = document.getElementById("search");
const input = document.getElementById("search-text");
const list = document.getElementById("search-options");
const note = document.getElementById("search-note"); // what is said where there are no results
const status = document.getElementById("search-status");
document.body.append(dialog); // out of the header, which a phone does not show
let asked = null; // the request under way
let timer = 0;
let answered = ""; // the text that the options answer
let opener = null;

function open() {
  if (dialog.open) return input.select();
  opener = document.activeElement;
  dialog.showModal();
  input.focus();
  input.select();
  if (input.value.trim()) ask();
  else remembered();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  const shortcut = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
  if (shortcut || (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey)) {
    event.preventDefault();
    open();
  }
});
document.addEventListener("click", (event) => event.target.closest("[data-search]") && open());
dialog.querySelector("[data-search-close]").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // the backdrop
dialog.addEventListener("close", () => {
  asked?.abort();
  opener?.focus?.();
});

input.addEventListener("input", (event) => {
  clearTimeout(timer);
  if (event.isComposing) return; // pinyin that is still being turned into characters
  timer = setTimeout(ask, WAIT);
});
input.addEventListener("compositionend", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT);
});

async function ask() {
  const text = input.value.trim();
  asked?.abort();
  if (!text) return remembered();
  const mine = (asked = new AbortController());
  list.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`${dialog.dataset.find}?${new URLSearchParams({ q: text })}`, {
      signal: mine.signal, headers: { "HX-Request": "true" },
    });
    if (answer.status === 401) return window.location.assign(answer.headers.get("HX-Redirect") || "/");
    if (!answer.ok) throw new Error(answer.status);
    list.innerHTML = await answer.text();
    answered = text;
    settle();
  } catch (error) {
    if (error.name === "AbortError") return;
    list.replaceChildren(dialog.dataset.textFailed);
    settle();
  } finally {
    if (asked === mine) list.removeAttribute("aria-busy");
  }
}

function settle() {
  const found = options();
  note.replaceChildren(...(found.length ? [] : list.childNodes)); // a list box holds options only
  if (!found.length) list.replaceChildren();
  list.hidden = !found.length;
  input.setAttribute("aria-expanded", String(found.length > 0));
  status.textContent = `${dialog.dataset.textFound} ${list.querySelectorAll("[role=option]:not(.lm-search-all)").length}`;
  list.parentElement.scrollTop = 0;
  choose(found[0]);
}

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  if (option) {
    option.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
}

input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const every = options();
  const at = every.indexOf(chosen());
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 5, PageUp: at - 5 };
  if (event.key in steps && every.length) {
    event.preventDefault();
    const next = steps[event.key];
    const wraps = event.key.startsWith("Arrow");
    choose(every[wraps ? (next + every.length) % every.length : Math.max(0, Math.min(every.length - 1, next))]);
  } else if (event.key === "Escape") {
    event.preventDefault(); // the browser would only empty the field
    dialog.close();
  } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && at >= 0 && input.value.trim() === answered) {
    event.preventDefault();
    every[at].click();
  } else if (event.key === "Enter") {
    remember(input.value.trim()); // and the form opens the page of all results, also for who is faster than the answer
    if (event.ctrlKey || event.metaKey) input.form.requestSubmit();
  }
});

list.addEventListener("pointermove", (event) => {
  const option = event.target.closest("[role=option]");
  if (option && option !== chosen()) choose(option);
});
list.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (!option) return;
  if (option.dataset.again) {
    event.preventDefault();
    input.value = option.dataset.again;
    input.focus();
    ask();
  } else if (option.dataset.forget) {
    event.preventDefault();
    write([]);
    remembered();
    input.focus();
  } else remember(input.value.trim());
});

// ---- what was searched before

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) || "[]");
    return Array.isArray(kept) ? kept.filter((text) => typeof text === "string").slice(0, KEPT) : [];
  } catch (error) {
    return [];
  }
}

function write(texts) {
  try {
    localStorage.setItem(STORE, JSON.stringify(texts.slice(0, KEPT)));
  } catch (error) {
    /* kept for this page only */
  }
}

function remember(text) {
  if (text) write([text, ...read().filter((other) => other !== text)]);
}

function remembered() {
  const texts = read();
  answered = "";
  list.replaceChildren();
  if (texts.length) {
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", dialog.dataset.textRecent);
    const head = Object.assign(document.createElement("div"), { className: "lm-search-group", textContent: dialog.dataset.textRecent });
    group.append(head, ...texts.map((text, index) => option(`search-again-${index}`, text, "again", text)));
    group.append(option("search-forget", dialog.dataset.textForget, "forget", "yes"));
    group.lastChild.classList.add("lm-search-all");
    list.append(group);
  }
  note.replaceChildren();
  list.hidden = !texts.length;
  input.setAttribute("aria-expanded", String(texts.length > 0));
  status.textContent = "";
  choose(null);
}

function option(id, text, name, value) {
  const made = Object.assign(document.createElement("a"), { id, href: "#", tabIndex: -1, textContent: text });
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", "false");
  made.dataset[name] = value;
  return made;
}
