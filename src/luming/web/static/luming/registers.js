// Lists of registers: keyboard, choosing rows, choosing and ordering columns, density, filters found by typing.

const body = () => document.getElementById("register");
const rows = () => [...document.querySelectorAll("#register tbody tr[data-href]")];
const store = (key, value) => {
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch (error) {
    /* kept for this page only */
  }
  return null;
};

// ---- keyboard -------------------------------------------------------------------------------------------------------
// Keys work while nothing is being typed and no dialog or menu is open.

const TYPING = "input:not([type=checkbox]), select, textarea, [contenteditable], .modal.show, .dropdown-menu.show, .offcanvas.show";

function step(by) {
  const all = rows();
  const at = all.indexOf(document.activeElement?.closest("tr"));
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  j: () => step(1),
  ArrowDown: () => step(1),
  k: () => step(-1),
  ArrowUp: () => step(-1),
  x: (row) => row?.querySelector("input[name=pk]")?.click(),
  Enter: (row) => row && (window.location.href = row.dataset.href),
  "/": () => body().querySelector("[data-quick]")?.focus(),
  n: () => document.querySelector("#register a[rel=next]")?.click(),
  p: () => document.querySelector("#register a[rel=prev]")?.click(),
};

function onKey(event) {
  if (!body() || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  const target = event.target;
  if (document.querySelector("dialog[open]")) return;
  if (target.closest(TYPING) || document.querySelector(".modal.show, .dropdown-menu.show")) {
    if (event.key !== "ArrowDown" || !target.matches("[data-quick]")) return; // from the search box into the list
  }
  const row = target.closest("tr[data-href]");
  if (event.key === "Enter" && (!row || target !== row)) return; // a link or button does what it does
  if (event.key.startsWith("Arrow") && !row && !target.matches("[data-quick], body, [data-list]")) return;
  if (event.key === "/" && !body().querySelector("[data-quick]")) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // here “/” is the search of this list, not of everything (Ctrl+K)
  KEYS[event.key](row);
}
document.addEventListener("keydown", onKey, true);

// ---- choosing rows --------------------------------------------------------------------------------------------------

const ticks = () => [...document.querySelectorAll("#register input[name=pk]")];

function showChosen() {
  const bar = document.querySelector("#register [data-chosen]");
  if (!bar) return;
  const form = document.getElementById("chosen");
  const all = form.elements.all.value === "1";
  const chosen = ticks().filter((tick) => tick.checked);
  bar.hidden = !all && !chosen.length;
  const every = bar.querySelector("[data-choose-all]");
  bar.querySelector("[data-chosen-count]").textContent = all && every ? every.dataset.shown : chosen.length;
  if (every) every.hidden = all || chosen.length !== ticks().length;
  const head = document.querySelector("#register [data-choose-page]");
  if (head) {
    head.checked = chosen.length > 0 && chosen.length === ticks().length;
    head.indeterminate = chosen.length > 0 && !head.checked;
  }
  for (const tick of ticks()) tick.closest("tr").classList.toggle("is-chosen", tick.checked);
}

function chooseAll(found) {
  document.getElementById("chosen").elements.all.value = found ? "1" : "";
}

document.addEventListener("change", (event) => {
  if (event.target.matches("#register [data-choose-page]")) {
    for (const tick of ticks()) tick.checked = event.target.checked;
    chooseAll(false);
    showChosen();
  } else if (event.target.matches("#register input[name=pk]")) {
    chooseAll(false);
    showChosen();
  }
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-choose-all]")) {
    chooseAll(true);
    showChosen();
  } else if (event.target.closest("[data-choose-none]")) {
    for (const tick of ticks()) tick.checked = false;
    chooseAll(false);
    showChosen();
  }
});
window.addEventListener("pageshow", () => showChosen()); // a browser that goes back keeps what was ticked

// ---- order by several columns: click with Shift --------------------------------------------------------------------

document.addEventListener(
  "click",
  (event) => {
    const head = event.shiftKey && event.target.closest("#register a[data-sort]");
    if (!head) return;
    event.preventDefault();
    event.stopPropagation();
    const url = new URL(head.href);
    const name = head.dataset.sort.replace(/^-/, "");
    const present = (new URL(window.location.href).searchParams.get("sort") || "").split(",").filter(Boolean);
    const others = present.filter((item) => item.replace(/^-/, "") !== name);
    url.searchParams.set("sort", [...others, head.dataset.sort].join(","));
    window.htmx.ajax("GET", url.pathname + url.search, { target: "#rows", swap: "innerHTML" });
  },
  true,
);

// ---- columns: drag, or the arrows of a line -------------------------------------------------------------------------

let dragged = null;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-order] > li");
  if (dragged) {
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    dragged.classList.add("is-dragged");
  }
});
document.addEventListener("dragover", (event) => {
  const over = dragged && event.target.closest?.("[data-order] > li");
  if (!over || over === dragged) return;
  event.preventDefault();
  const box = over.getBoundingClientRect();
  over.parentNode.insertBefore(dragged, event.clientY < box.top + box.height / 2 ? over : over.nextSibling);
});
document.addEventListener("drop", (event) => dragged && event.preventDefault());
document.addEventListener("dragend", () => {
  dragged?.classList.remove("is-dragged");
  dragged = null;
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-order] [data-move]");
  if (!button) return;
  const line = button.closest("li");
  if (button.dataset.move === "-1") line.previousElementSibling?.before(line);
  else line.nextElementSibling?.after(line);
  button.focus();
});

// ---- density --------------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("#register [data-density]");
  if (!button) return;
  const compact = document.querySelector("#register .lm-table")?.classList.toggle("is-compact");
  button.setAttribute("aria-pressed", String(Boolean(compact)));
  const density = compact ? "compact" : "normal";
  document.cookie = `luming_density=${density};path=/;max-age=31536000;samesite=lax`;
  for (const field of document.querySelectorAll('#register input[name="density"]')) field.value = density;
});

// ---- filters --------------------------------------------------------------------------------------------------------

const OPEN = "luming-filters-open";
document.addEventListener("shown.bs.collapse", (event) => event.target.id === "filters" && store(OPEN, "1"));
document.addEventListener("hidden.bs.collapse", (event) => event.target.id === "filters" && store(OPEN, "0"));
function openFilters() {
  const panel = document.getElementById("filters");
  if (panel && store(OPEN) === "1" && !panel.classList.contains("show")) {
    panel.classList.add("show");
    document.querySelector('[data-bs-target="#filters"]')?.setAttribute("aria-expanded", "true");
  }
}
openFilters();
// Of new content, not of what was swapped out: that is no longer in the page when its event would rise.
document.addEventListener("htmx:load", () => {
  openFilters();
  showChosen();
});

// A folded list of choices says what is ticked, closes when the focus goes elsewhere, and can be narrowed by typing.
document.addEventListener("change", (event) => {
  const pick = event.target.closest(".lm-pick");
  if (!pick || !event.target.matches("[type=checkbox]")) return;
  const chosen = [...pick.querySelectorAll("input:checked")].map((box) => box.nextElementSibling.textContent);
  const summary = pick.querySelector("summary");
  if (chosen.length) summary.textContent = chosen.join(", ");
  else summary.innerHTML = `<span class="text-secondary">—</span>`;
});
document.addEventListener("click", (event) => closePicks(event.target));
document.addEventListener("focusin", (event) => closePicks(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const pick = event.target.closest?.(".lm-pick[open]");
  if (pick) {
    pick.open = false;
    pick.querySelector("summary").focus();
  }
});
function closePicks(target) {
  for (const pick of document.querySelectorAll(".lm-pick[open]")) if (!pick.contains(target)) pick.open = false;
}
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-narrow]")) return;
  event.stopPropagation();
  const text = event.target.value.trim().toLowerCase();
  for (const line of event.target.parentNode.querySelectorAll("label"))
    line.hidden = !line.textContent.toLowerCase().includes(text);
});
// What is typed to find a choice is not a condition itself; what is searched is sent while it is typed, not again when
// the focus moves on into the rows.
document.addEventListener(
  "change",
  (event) => event.target.matches?.("[data-narrow], luming-picker > input, [data-quick]") && event.stopPropagation(),
  true,
);

// Records that are found by typing; the chosen ones are hidden fields of the form.
class Picker extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector(":scope > input");
    this.offers = this.querySelector("[role=listbox]");
    this.picked = this.querySelector(".lm-picked");
    this.active = -1;
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), 200);
    });
    this.input.addEventListener("focus", () => this.ask());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("focusout", (event) => this.contains(event.relatedTarget) || this.close());
    this.addEventListener("click", (event) => {
      const drop = event.target.closest("[data-drop]");
      if (drop) {
        drop.closest(".lm-chip").remove();
        this.tell();
      }
    });
    this.offers.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the focus stays where it is
      const offer = event.target.closest("[data-value]");
      if (offer) this.take(offer);
    });
  }

  async ask() {
    const url = `${this.dataset.address}?q=${encodeURIComponent(this.input.value)}`;
    this.request?.abort();
    this.request = new AbortController();
    try {
      const answer = await fetch(url, { signal: this.request.signal, headers: { Accept: "application/json" } });
      if (answer.ok) this.offer(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") this.close();
    }
  }

  offer({ found, more }) {
    const taken = new Set([...this.picked.querySelectorAll("input")].map((field) => field.value));
    this.active = -1;
    this.offers.replaceChildren(
      ...found
        .filter((item) => !taken.has(item.value))
        .map((item, number) => {
          const line = document.createElement("div");
          line.id = `${this.offers.id}_${number}`;
          line.setAttribute("role", "option");
          line.dataset.value = item.value;
          line.textContent = item.label;
          return line;
        }),
    );
    if (more || !this.offers.children.length) {
      const line = document.createElement("div");
      line.className = "lm-hint";
      line.textContent = more ? this.dataset.more : this.dataset.none;
      this.offers.append(line);
    }
    this.offers.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
  }

  key(event) {
    const options = [...this.offers.querySelectorAll("[data-value]")];
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter") {
      event.preventDefault();
      if (!this.offers.hidden && options.length) this.take(options[Math.max(0, this.active)]);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
      event.preventDefault();
      this.active = (this.active + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
      options.forEach((option, number) => option.setAttribute("aria-selected", String(number === this.active)));
      options[this.active].scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", options[this.active].id);
    }
  }

  take(offer) {
    const chip = document.createElement("span");
    chip.className = "lm-chip";
    const field = Object.assign(document.createElement("input"), {
      type: "hidden", name: this.dataset.name, value: offer.dataset.value,
    });
    const label = document.createElement("span");
    label.textContent = offer.textContent;
    const drop = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    drop.dataset.drop = "";
    drop.setAttribute("aria-label", `${this.dataset.remove} ${offer.textContent}`);
    chip.append(field, label, drop);
    this.picked.append(chip);
    this.input.value = "";
    this.close();
    this.tell();
  }

  close() {
    this.offers.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  tell() {
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
customElements.define("luming-picker", Picker);
