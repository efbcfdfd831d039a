// Pages of the file: the way through a long page, the distance of neighbours, printing.

// <luming-sections>: marks the section that is being read and keeps its entry in sight.
class LumingSections extends HTMLElement {
  connectedCallback() {
    this.links = new Map([...this.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
    this.abort = new AbortController();
    const look = () => (this.frame ??= requestAnimationFrame(() => this.mark()));
    window.addEventListener("scroll", look, { passive: true, signal: this.abort.signal });
    window.addEventListener("resize", () => (this.settle(), look()), { signal: this.abort.signal });
    this.settle();
    this.mark();
  }

  disconnectedCallback() {
    this.abort.abort();
  }

  // Under what stays at the top of a phone, whose height is the look's business.
  settle() {
    const bar = document.querySelector(".lm-side");
    if (bar?.querySelector("#menu.show, #menu.collapsing")) return; // an open menu covers the page anyway
    const under = bar && getComputedStyle(bar).position === "sticky" ? bar.offsetHeight : 0;
    document.documentElement.style.setProperty("--lm-file-top", `${under}px`);
  }

  mark() {
    this.frame = null;
    const edge = this.getBoundingClientRect().bottom + 40; // a section that was jumped to begins a little above it
    const seen = [...this.links.keys()].map((key) => [key, document.getElementById(key)?.getBoundingClientRect()]).filter(([, box]) => box);
    // Of two columns the one further down counts as read; at the end of the page the last section does.
    const above = seen.filter(([, box]) => box.top <= edge && box.bottom > edge);
    const key = (above[0] ?? seen.findLast(([, box]) => box.top <= edge) ?? seen[0])?.[0];
    if (key === this.current) return;
    this.current = key;
    for (const [name, link] of this.links) {
      if (name === key) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
    const bar = this.querySelector("nav");
    const link = this.links.get(key);
    if (link) bar.scrollTo({ left: link.offsetLeft - bar.clientWidth / 2 + link.clientWidth / 2 });
  }
}

// <luming-distance>: how far neighbours may be. The map is drawn anew, so that it shows the chosen circle closely.
class LumingDistance extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-km]");
      if (button) this.choose(button);
    });
    this.list(this.querySelector("[aria-pressed='true']")?.dataset.km);
  }

  choose(chosen) {
    for (const button of this.querySelectorAll("[data-km]")) {
      button.setAttribute("aria-pressed", String(button === chosen));
      button.classList.toggle("active", button === chosen);
    }
    const panel = this.closest(".lm-panel");
    const map = panel.querySelector("luming-map");
    const fresh = map.cloneNode(false);
    delete fresh.dataset.ready;
    fresh.dataset.layers = `${map.dataset.layers.split("?")[0]}?km=${chosen.dataset.km}`;
    map.replaceWith(fresh);
    this.list(chosen.dataset.km);
  }

  list(km) {
    const rows = [...this.closest(".lm-panel").querySelectorAll("#near [data-km]")];
    for (const row of rows) row.hidden = Number(row.dataset.km) > Number(km);
    const none = document.getElementById("near-none");
    if (none) none.hidden = rows.some((row) => !row.hidden);
  }
}

customElements.define("luming-sections", LumingSections);
customElements.define("luming-distance", LumingDistance);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
