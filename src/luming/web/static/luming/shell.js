// The shell: look, clock, ticks for live parts, the drawer, small conveniences of forms.

const TICK = 10000; // ms between two looks at what may have changed

// Live parts listen to this event instead of timers of their own; nothing is asked for while the page is hidden.
function tick() {
  if (!document.hidden) document.body.dispatchEvent(new CustomEvent("luming:tick"));
}
setInterval(tick, TICK);
document.addEventListener("visibilitychange", tick);

// An unchanged part is not swapped: selections, focus and open menus inside it stay.
const shown = new WeakMap();
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse, xhr } = event.detail;
  if (xhr.status >= 400 && xhr.status < 600 && xhr.responseText && target.id === "drawer-body") {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    return;
  }
  if (!target.hasAttribute("data-live")) return;
  const focus = document.activeElement;
  if (target.contains(focus) && focus.matches("input, select, textarea")) {
    event.detail.shouldSwap = false; // somebody is typing in it
    return;
  }
  if (shown.get(target) === serverResponse) event.detail.shouldSwap = false;
  else shown.set(target, serverResponse);
});

// What scrolls must be reachable by keyboard.
function reachByKeyboard() {
  document.querySelectorAll(".table-responsive:not([tabindex])").forEach((box) => {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
  });
}
reachByKeyboard();
document.addEventListener("htmx:afterSettle", reachByKeyboard);
window.addEventListener("resize", reachByKeyboard);

// Whether live parts reach the server.
const trouble = document.getElementById("trouble");
function reachable(yes) {
  if (trouble) trouble.hidden = yes;
}
document.addEventListener("htmx:sendError", () => reachable(false));
document.addEventListener("htmx:afterRequest", (event) => event.detail.successful && reachable(true));

// What a browser remembers for its reader; where storage is forbidden it lasts as long as the page.
function store(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch (error) {
    /* kept for this page only */
  }
}
function stored(name, otherwise) {
  try {
    return localStorage.getItem(name) ?? otherwise;
  } catch (error) {
    return otherwise;
  }
}

// Look: light or dark.
document.querySelectorAll("[data-theme-toggle]").forEach((button) =>
  button.addEventListener("click", () => {
    const dark = document.documentElement.getAttribute("data-bs-theme") !== "dark";
    document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
    store("luming-theme", dark ? "dark" : "light");
    document.dispatchEvent(new CustomEvent("luming:theme"));
  }),
);

// Groups of the menu stay folded as they were left, but for the one of the opened page.
const folded = new Set(stored("luming-folded", "").split("|").filter(Boolean));
document.querySelectorAll("details[data-menu]").forEach((group) => {
  group.open = !folded.has(group.dataset.menu) || group.querySelector(".active") !== null;
  group.addEventListener("toggle", () => {
    folded[group.open ? "delete" : "add"](group.dataset.menu);
    store("luming-folded", [...folded].join("|"));
  });
});

// The city's clock, wherever the reader is.
const clock = document.getElementById("city-clock");
if (clock) {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: clock.dataset.zone,
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  });
  const show = () => (clock.textContent = format.format(new Date()));
  show();
  setInterval(show, 5000);
}

// The drawer shows one value with its history; its content comes from the server.
const drawer = document.getElementById("drawer");
export function openDrawer(url) {
  window.tabler.Offcanvas.getOrCreateInstance(drawer).show();
  window.htmx.ajax("GET", url, { target: "#drawer-body", swap: "innerHTML" });
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-drawer]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  openDrawer(link.dataset.drawer);
});

// A row with data-href opens its link wherever it is clicked.
document.addEventListener("click", (event) => {
  if (event.target.closest("a, button, input, select, label, summary")) return;
  const row = event.target.closest("tr[data-href]");
  if (row && !window.getSelection().toString()) window.location.href = row.dataset.href;
});

// Filters send themselves; a form that changes the world asks once more.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (form && !form.hasAttribute("hx-get")) form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A packet's pieces say what they are, by pointer, focus or tap.
document.addEventListener("pointerover", describe);
document.addEventListener("focusin", describe);
document.addEventListener("click", describe);
function describe(event) {
  const piece = event.target.closest?.(".lm-piece[data-label]");
  const target = piece && document.getElementById("piece-label");
  if (!target) return;
  document.querySelectorAll(".lm-piece.is-on").forEach((other) => other.classList.remove("is-on"));
  piece.classList.add("is-on");
  target.textContent = piece.dataset.label;
}
