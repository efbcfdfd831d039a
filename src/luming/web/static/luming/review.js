// <luming-review>: the reviewers' workbench. It draws the day that the server sent as JSON, keeps each decision at once
// as a draft on the server, signs the day, and goes on to the next without loading the page.
//
// Keys of one letter work only while the focus is inside the workbench (WCAG 2.1.4); everything they do has a button.

import { ReviewChart } from "./review-chart.js";

const FREE_KEY = "luming-review-words:"; // words that are typed and not kept yet
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const LETTERS = { a: "accept", i: "invalid", r: "replace", q: "ask" };
const SIGNS = { 1: ["?", "is-suspect"], 2: ["✕", "is-invalid"] };
const escape = (text) => String(text ?? "").replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const short = (value) => (value === null || value === undefined ? "—" : String(Number(value.toPrecision(6))));

class LumingReview extends HTMLElement {
  connectedCallback() {
    const read = (id) => JSON.parse(document.getElementById(id).textContent);
    this.texts = read("review-texts");
    this.slots = Object.fromEntries([...this.querySelectorAll("[data-slot]")].map((node) => [node.dataset.slot, node]));
    this.token = this.querySelector("[name=csrfmiddlewaretoken]").value;
    this.chart = new ReviewChart(this.slots.chart, this.dataset.library, this.texts, (id, time, extend) => this.chosenInChart(id, time, extend));
    this.addEventListener("keydown", (event) => this.pressed(event));
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("change", (event) => this.toggled(event));
    this.slots.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.keep();
    });
    this.slots.form.elements.reason.addEventListener("input", () => this.remember());
    document.body.addEventListener("luming:tick", () => this.greet());
    window.addEventListener("popstate", () => this.load(`${window.location.pathname}data.json`));
    this.show(read("review-data"));
  }

  // ---- talking to the server

  url(name = "") {
    return `${this.dataset.base}${this.data.key}/${name}`;
  }

  async ask(url, fields) {
    const request = { headers: { Accept: "application/json" } };
    if (fields) {
      request.method = "POST";
      request.headers["X-CSRFToken"] = this.token;
      request.body = new URLSearchParams(fields);
    }
    this.problem("");
    try {
      const answer = await fetch(url, request);
      if (answer.redirected || answer.status === 401) return this.problem(this.texts.left_session);
      const found = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : null;
      if (answer.ok && found) return found;
      if (answer.status === 409 && found?.data) this.changed(found);
      else this.problem(found?.problem ?? this.texts.failed);
    } catch (error) {
      this.problem(this.texts.failed);
    }
    return null;
  }

  async load(url) {
    const found = await this.ask(url);
    if (found) this.show(found);
  }

  async greet() {
    if (document.hidden || !this.data) return;
    const key = this.data.key;
    const answer = await fetch(this.url("here/"), { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok || answer.redirected || this.data.key !== key) return;
    const text = await answer.text(); // a part of a page, made by our server
    if (text.trim() !== this.greeted) this.slots.here.innerHTML = this.greeted = text.trim();
  }

  // ---- showing a day

  show(data, { quiet = false } = {}) {
    const same = this.data?.key === data.key;
    this.data = data;
    this.grid = data;
    this.finer = null;
    this.news ??= new Set();
    if (!same) {
      this.news = new Set();
      this.shown = new Set(data.series.map((one) => one.id));
      this.lines = null;
      this.extending = false;
      this.greeted = this.slots.here.innerHTML = "";
      this.querySelector("[data-toggle=neighbours]").checked = false;
      const first = this.firstDoubtful();
      this.active = first ?? { r: 0, c: 0 };
      this.anchor = { ...this.active };
      this.close();
    }
    this.head();
    this.factors();
    this.table();
    this.side();
    this.draw();
    if (!quiet) this.focusCell();
    this.greet();
    this.dataset.ready = data.key;
  }

  head() {
    const { data, slots } = this;
    slots.medium.textContent = data.medium;
    slots.title.textContent = data.title;
    slots.day.textContent = data.day;
    document.title = document.title.replace(/^.*? · /, `${data.title} ${data.day} · `);
    slots.state.className = `lm-tag ${data.tag}`;
    slots.state.textContent = data.state;
    slots.due.className = `lm-tag ${data.late ? "is-bad" : ""}`;
    slots.due.textContent = data.signed ? "" : `≤ ${data.due}`;
    slots.due.hidden = data.signed;
    slots.place.href = data.place;
    slots.yesterday.href = this.neighbourDay(-1);
    slots.tomorrow.href = this.neighbourDay(1);
    slots.grounds.innerHTML = data.grounds.map((text) => `<span class="lm-tag is-warn">${escape(text)}</span>`).join("");
    slots.cannot.hidden = data.open;
    slots.cannot.textContent = this.texts.cannot;
    slots.deciding.hidden = !data.open;
    slots.bands.textContent = data.bands.map((band) => `${this.clock(band.start)}–${this.clock(band.end)} ${band.label}`).join("； ");
  }

  neighbourDay(step) {
    const day = new Date(`${this.data.day}T00:00:00Z`);
    day.setUTCDate(day.getUTCDate() + step);
    return `${this.dataset.base}${this.data.key.split("/")[0]}/${day.toISOString().slice(0, 10)}/`;
  }

  clock(time) {
    return new Date(time + this.data.offset).toISOString().slice(11, 16);
  }

  factors() {
    const legend = this.slots.factors.querySelector("legend");
    this.slots.factors.replaceChildren(legend);
    this.data.series.forEach((one) => {
      const label = document.createElement("label");
      label.innerHTML = `<input class="form-check-input m-0" type="checkbox" data-factor="${one.id}"${this.shown.has(one.id) ? " checked" : ""}><span>${escape(one.name)}</span>`;
      this.slots.factors.append(label);
    });
  }

  table() {
    const { grid, texts } = this;
    const head = grid.series.map((one, c) =>
      `<th scope="col" class="num"><button type="button" class="lm-cell" data-column="${c}" title="${escape(texts.all_day)}">${escape(one.name)}<div class="fw-normal">${escape(one.unit)}</div></button></th>`).join("");
    const rows = grid.rows.map((time, r) => {
      const cells = grid.series.map((one, c) => this.cell(one, grid.cells[one.id][r], time, r, c)).join("");
      return `<tr><th scope="row">${this.clock(time)}</th>${cells}</tr>`;
    }).join("");
    this.slots.table.innerHTML = `<thead><tr><th scope="col">${escape(this.finer ? texts.minute : texts.hour)}</th>${head}</tr></thead><tbody>${rows}</tbody>`;
    this.mark();
  }

  cell(one, cell, time, r, c) {
    const { texts } = this;
    const draft = this.draftAt(one.id, time);
    const parts = [];
    const classes = ["num"];
    if (!cell) {
      parts.push(`<span class="text-secondary">—<span class="visually-hidden">${escape(texts.missing)}</span></span>`);
    } else {
      const over = this.exceeds(one, cell);
      parts.push(`<span${over ? ' class="lm-over"' : ""}>${short(cell.q === 2 ? cell.v : (cell.u ?? cell.v))}</span>`);
      if (cell.n) parts.push(`<span class="lm-flag" title="${escape(cell.n)}">${escape(cell.f)}</span>`);
      const sign = SIGNS[cell.q];
      if (sign) parts.push(`<b class="lm-q ${sign[1]}" title="${escape(texts.qualities[cell.q])}">${sign[0]}<span class="visually-hidden">${escape(texts.qualities[cell.q])}</span></b>`);
      else if (cell.u !== null && cell.u !== cell.v) parts.push(`<b class="lm-q is-corrected" title="${escape(cell.o)}">✎<span class="visually-hidden">${escape(cell.o)}</span></b>`);
      else if (cell.p) parts.push(`<b class="lm-q is-person" title="${escape(texts.person)}">✓<span class="visually-hidden">${escape(texts.person)}</span></b>`);
      if (cell.r > 0) parts.push(`<span class="lm-flag" title="${escape(texts.revised)}">r${cell.r}</span>`);
      if (cell.d && !draft) classes.push("is-doubtful");
    }
    if (draft) {
      classes.push("has-draft");
      parts.push(`<b class="lm-q-draft" title="${escape(draft.label)}">${escape(draft.label.split(" ")[0])}${draft.value !== null ? ` ${short(draft.value)}` : ""}</b>`);
    }
    if (this.news.has(`${one.id}/${time}`)) classes.push("is-new");
    return `<td role="gridcell" class="${classes.join(" ")}" data-r="${r}" data-c="${c}" tabindex="-1" aria-selected="false">${parts.join("")}</td>`;
  }

  exceeds(one, cell) {
    const limit = one.limit;
    const value = limit && cell.q === 0 ? (limit.converted ? cell.k : cell.u) : null;
    return value !== null && value !== undefined && (value > (limit.upper ?? Infinity) || value < (limit.lower ?? -Infinity));
  }

  draftAt(series, time) {
    return this.data.drafts.findLast((row) => row.series === series && row.start <= time && time < row.end);
  }

  side() {
    const { data, slots, texts } = this;
    slots.progress.textContent = data.undecided ? texts.undecided.replace("%(n)s", data.undecided)
      : data.doubtful ? texts.all_decided : texts.nothing_spoke;
    slots.progress.classList.toggle("lm-over", data.undecided > 0);
    const list = (name, rows, draw) => {
      slots[`${name}card`].hidden = !rows.length;
      slots[name].innerHTML = rows.map(draw).join("");
    };
    const steps = [...new Map(data.drafts.map((row) => [row.step, row])).values()].reverse();
    list("drafts", steps, (row) => {
      const factors = data.drafts.filter((other) => other.step === row.step).map((other) => other.factor).join("、");
      const what = row.value !== null ? ` ${short(row.value)}` : row.other ? ` ← ${row.other}` : "";
      return `<div class="lm-row"><span class="grow"><span>${escape(row.label)}${escape(what)} · ${this.clock(row.start)}–${this.clock(row.end)}</span><small class="text-secondary">${escape(factors)}</small><small class="text-secondary">${escape(row.reason ? `${row.code}: ${row.reason}` : row.code)}</small></span><button type="button" class="btn btn-sm" data-step="${row.step}">${escape(texts.take_back)}</button></div>`;
    });
    list("questions", data.questions, (row) =>
      `<a class="lm-row" href="${escape(row.url)}"><span class="grow text-wrap"><span class="text-wrap">${escape(row.factor)} ${row.start}–${row.end}: ${escape(row.text)}</span><small class="text-secondary text-wrap">${escape(row.answer ? `${row.who}: ${row.answer}` : texts.not_answered)}</small></span></a>`);
    list("history", data.history, (row) =>
      `<a class="lm-row" href="${escape(row.url)}"><span class="grow"><span>#${row.number} ${escape(row.who)}${row.second ? ` · ${escape(row.second)}` : ""}${row.refused ? ` (${escape(texts.refused)})` : ""}</span><small class="text-secondary">${escape(row.at)} · ${escape(row.hash)}</small></span></a>`);
  }

  draw() {
    if (this.finer) return;
    this.chart.draw({
      data: this.data, shown: this.shown, around: this.querySelector("[data-toggle=around]").checked,
      neighbours: this.lines, chosen: this.choice(), drafts: this.data.drafts,
    });
  }

  // ---- choosing

  bounds() {
    const [r1, r2] = [this.anchor.r, this.active.r].sort((a, b) => a - b);
    const [c1, c2] = [this.anchor.c, this.active.c].sort((a, b) => a - b);
    return { r1, r2, c1, c2 };
  }

  choice() {
    const { grid } = this;
    if (!grid.rows.length || !grid.series.length) return null;
    const { r1, r2, c1, c2 } = this.bounds();
    const series = grid.series.slice(c1, c2 + 1);
    const length = Math.max(...series.map((one) => one.seconds || 60)) * 1000;
    return { series: series.map((one) => one.id), start: grid.rows[r1], end: Math.min(grid.rows[r2] + length, this.data.end) };
  }

  select(active, extend = false, scroll = true) {
    const { grid } = this;
    if (!grid.rows.length || !grid.series.length) return;
    const clamp = (value, size) => Math.max(0, Math.min(size - 1, value));
    this.active = { r: clamp(active.r, grid.rows.length), c: clamp(active.c, grid.series.length) };
    if (!extend) this.anchor = { ...this.active };
    this.mark();
    this.focusCell(scroll);
    this.draw();
  }

  mark() {
    const { r1, r2, c1, c2 } = this.bounds();
    this.slots.table.querySelectorAll("td").forEach((cell) => {
      const [r, c] = [Number(cell.dataset.r), Number(cell.dataset.c)];
      const inside = r >= r1 && r <= r2 && c >= c1 && c <= c2;
      cell.setAttribute("aria-selected", inside);
      cell.tabIndex = r === this.active.r && c === this.active.c ? 0 : -1;
    });
    const choice = this.choice();
    this.slots.chosen.textContent = choice ? this.texts.selected
      .replace("%(factors)s", this.grid.series.slice(c1, c2 + 1).map((one) => one.name).join("、"))
      .replace("%(from)s", this.clock(choice.start)).replace("%(to)s", this.clock(choice.end)) : this.texts.nothing;
    this.detail();
  }

  // Without scroll only the table moves inside its box: who clicks into the chart keeps the chart before their eyes.
  focusCell(scroll = true) {
    const cell = this.slots.table.querySelector(`td[data-r="${this.active.r}"][data-c="${this.active.c}"]`);
    if (!cell) return;
    cell.focus({ preventScroll: true });
    if (scroll) cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    else {
      const box = this.slots.table.parentElement;
      box.scrollTop = cell.offsetTop - box.clientHeight / 2;
    }
  }

  detail() {
    const one = this.grid.series[this.active.c];
    const cell = one && this.grid.cells[one.id][this.active.r];
    this.slots.detailcard.hidden = !one;
    if (!one) return;
    const time = this.grid.rows[this.active.r];
    const { texts } = this;
    const lines = [`<b>${escape(one.name)}</b> ${this.clock(time)}`];
    if (cell) {
      lines.push(`${escape(texts.observed)} ${short(cell.v)} ${escape(one.unit)}${cell.n ? ` · ${escape(cell.f)} ${escape(cell.n)}` : ""}`);
      if (cell.u !== cell.v || cell.q) lines.push(`${escape(texts.counts)} ${cell.q === 0 ? short(cell.u) : "—"} · ${escape(texts.qualities[cell.q])}${cell.o ? ` · ${escape(cell.o)}` : ""}`);
      if (cell.k !== null && cell.k !== cell.u) lines.push(`${escape(texts.converted)} ${short(cell.k)}`);
      (cell.c ?? []).forEach((check) => lines.push(escape(check)));
      if (cell.w) lines.push(escape(cell.w));
      lines.push(`<a href="${this.data.place}values/${one.id}/${time}/" data-drawer="${this.data.place}values/${one.id}/${time}/">${escape(texts.packet)}</a>`);
    } else lines.push(escape(texts.missing));
    if (one.limit) lines.push(`${escape(texts.limit)} ${[one.limit.lower, one.limit.upper].filter((value) => value !== undefined).map(short).join("–")}`);
    this.slots.detail.innerHTML = lines.map((line) => `<div>${line}</div>`).join("");
  }

  doubtful() {
    const found = [];
    this.grid.rows.forEach((time, r) => this.grid.series.forEach((one, c) => {
      if (this.grid.cells[one.id][r]?.d && !this.draftAt(one.id, time)) found.push({ r, c });
    }));
    return found.sort((a, b) => a.c - b.c || a.r - b.r);
  }

  firstDoubtful() {
    return this.doubtful()[0];
  }

  // The next suspect run: neighbours in time are chosen together.
  nextDoubtful() {
    const all = this.doubtful();
    if (!all.length) return this.say(this.texts.no_next);
    const after = all.find(({ r, c }) => c > this.active.c || (c === this.active.c && r > this.active.r)) ?? all[0];
    let last = after.r;
    while (all.some(({ r, c }) => c === after.c && r === last + 1)) last += 1;
    this.anchor = { ...after };
    this.select({ r: last, c: after.c }, true);
    return undefined;
  }

  chosenInChart(id, time, extend) {
    if (this.finer) return;
    const c = this.grid.series.findIndex((one) => one.id === id);
    const r = this.grid.rows.findLastIndex((start) => start <= time);
    if (c < 0 || r < 0 || time >= this.data.end) return;
    const more = extend || this.extending;
    this.select({ r, c: more ? this.active.c : c }, more, false);
  }

  // ---- deciding

  open(action) {
    if (!this.data.open) return;
    if (!this.choice()) {
      this.problem(this.texts.nothing);
      return;
    }
    const { slots, data } = this;
    this.action = action;
    this.code = null;
    slots.form.hidden = false;
    slots.replacing.hidden = action !== "replace";
    slots.form.elements.reason.value = sessionStorage.getItem(FREE_KEY + data.key) ?? "";
    slots.form.elements.value.value = "";
    this.querySelectorAll("[data-action]").forEach((button) => button.setAttribute("aria-pressed", button.dataset.action === action));
    slots.reasons.innerHTML = data.reasons[action].map((reason) =>
      `<button type="button" class="btn btn-sm" data-code="${reason.id}" aria-pressed="false"><kbd>${reason.key}</kbd><span>${escape(reason.name)}</span></button>`).join("");
    if (action === "replace") {
      const one = this.grid.series[this.active.c];
      slots.unit.textContent = one.unit;
      const others = data.others[one.id] ?? [];
      slots.othersbox.hidden = !others.length;
      slots.others.innerHTML = `<option value=""></option>${others.map((row) => `<option value="${row.id}">${escape(row.name)}</option>`).join("")}`;
      slots.form.elements.value.focus();
      this.say(this.texts.write_value);
    } else this.say(`${this.texts.actions[action]}: ${this.texts.choose_reason}`);
  }

  close() {
    this.action = this.code = null;
    this.slots.form.hidden = true;
    this.querySelectorAll("[data-action]").forEach((button) => button.setAttribute("aria-pressed", "false"));
  }

  // A reason by key or touch: kept at once, unless a value or words of one's own are still needed.
  choose(reason) {
    this.code = reason;
    this.slots.reasons.querySelectorAll("[data-code]").forEach((button) => button.setAttribute("aria-pressed", Number(button.dataset.code) === reason.id));
    const { reason: words, value, other } = this.slots.form.elements;
    if (this.action === "replace" && !value.value.trim() && !other.value) {
      this.say(this.texts.write_value);
      value.focus();
    } else if (reason.free && !words.value.trim()) {
      this.say(this.texts.write_reason);
      words.focus();
    } else this.keep();
  }

  async keep() {
    if (!this.action) return;
    if (!this.code) {
      this.say(this.texts.choose_reason);
      this.slots.reasons.querySelector("button")?.focus();
      return;
    }
    const choice = this.choice();
    const { reason, value, other } = this.slots.form.elements;
    const fields = new URLSearchParams({ start: choice.start, end: choice.end, action: this.action, code: this.code.id, reason: reason.value });
    choice.series.forEach((id) => fields.append("series", id));
    if (this.action === "replace") {
      fields.set("method", other.value ? "other" : "value");
      fields.set(other.value ? "other" : "value", other.value || value.value);
    }
    const what = `${this.texts.actions[this.action]} · ${this.code.name}`;
    const found = await this.ask(this.url("draft/"), fields);
    if (!found) return;
    sessionStorage.removeItem(FREE_KEY + this.data.key);
    this.close();
    this.update(found);
    this.say(this.texts.saved.replace("%(what)s", what));
  }

  remember() {
    sessionStorage.setItem(FREE_KEY + this.data.key, this.slots.form.elements.reason.value);
  }

  async undo(step) {
    if (!this.data.open) return;
    if (!this.data.drafts.length) {
      this.say(this.texts.no_draft);
      return;
    }
    const found = await this.ask(this.url("discard/"), step ? { step } : {});
    if (!found) return;
    this.update(found);
    this.say(this.texts.undone);
  }

  update(found) {
    Object.assign(this.data, found);
    this.table();
    this.side();
    this.focusCell();
    this.draw();
  }

  async submit() {
    if (!this.data.open || this.busy) return;
    this.busy = true;
    const what = `${this.data.title} ${this.data.day}`;
    const found = await this.ask(this.url("submit/"), { fingerprint: this.data.fingerprint, next: "1" });
    this.busy = false;
    if (!found) return;
    if (!found.next) {
      window.location.href = this.dataset.base;
      return;
    }
    this.go(found.next);
    this.say(this.texts.submitted.replace("%(what)s", what).replace("%(n)s", found.left));
  }

  async skip() {
    const found = await this.ask(`${this.dataset.next}?after=${this.data.id}`);
    if (!found) return;
    if (found.next) this.go(found.next);
    else this.say(this.texts.queue_empty);
  }

  go(data) {
    history.pushState(null, "", `${this.dataset.base}${data.key}/`);
    this.show(data);
    window.scrollTo(0, 0);
  }

  // What is different now from what was shown: named, and marked in the table.
  changed({ problem, data }) {
    const names = [];
    data.series.forEach((one) => data.rows.forEach((time, r) => {
      const before = this.data.cells[one.id]?.[this.data.rows.indexOf(time)];
      const now = data.cells[one.id][r];
      const facts = (cell) => (cell ? [cell.v, cell.u, cell.q, cell.r, cell.s, cell.f].join() : "");
      if (facts(before) === facts(now)) return;
      this.news.add(`${one.id}/${time}`);
      names.push(`${one.name} ${this.clock(time)}`);
    }));
    this.show(data);
    this.problem(names.length ? `${problem} ${this.texts.changed.replace("%(what)s", names.slice(0, 12).join("、"))}` : problem);
  }

  async minutes() {
    if (this.finer) {
      this.leaveMinutes();
      return;
    }
    const time = this.data.rows[this.active.r];
    const found = time && (await this.ask(`${this.url("minutes.json")}?hour=${time}`));
    if (!found) return;
    if (!found.rows.length) {
      this.say(this.texts.minutes_none);
      return;
    }
    this.finer = { active: this.active, anchor: this.anchor };
    this.grid = found;
    this.active = { r: 0, c: 0 };
    this.anchor = { r: 0, c: 0 };
    this.close();
    this.slots.tabletitle.textContent = `${this.clock(time)}–${this.clock(time + 3600000)}`;
    this.querySelector("[data-do=minutes]").textContent = this.texts.back;
    this.table();
    this.focusCell();
  }

  leaveMinutes() {
    const { active, anchor } = this.finer;
    Object.assign(this, { finer: null, grid: this.data, active, anchor });
    this.close();
    this.slots.tabletitle.textContent = this.texts.hours;
    this.querySelector("[data-do=minutes]").textContent = this.texts.minutes;
    this.table();
    this.focusCell();
    this.draw();
  }

  // ---- keys, clicks, boxes

  pressed(event) {
    const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (this.slots.keys.open) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.submit();
      return;
    }
    if (event.key === "Escape" && this.action) {
      event.preventDefault();
      this.close();
      this.focusCell();
      return;
    }
    if (typing) {
      if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
        event.preventDefault();
        this.keep();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const inTable = event.target.matches("td");
    if (arrow && inTable) {
      event.preventDefault();
      this.select({ r: this.active.r + arrow[0], c: this.active.c + arrow[1] }, event.shiftKey);
      return;
    }
    if (inTable && (event.key === "Home" || event.key === "End")) {
      event.preventDefault();
      this.select({ r: event.key === "Home" ? 0 : this.grid.rows.length - 1, c: this.active.c }, event.shiftKey);
      return;
    }
    if (/^[1-9]$/.test(event.key) && this.action) {
      const reason = this.data.reasons[this.action].find((row) => row.key === Number(event.key));
      if (reason) {
        event.preventDefault();
        this.choose(reason);
      }
      return;
    }
    const letter = event.key.toLowerCase();
    const does = { n: "doubtful", c: "column", x: "across", u: "undo", m: "minutes", s: "skip", "?": "keys" }[letter];
    if (LETTERS[letter]) this.open(LETTERS[letter]);
    else if (does) this.do(does);
    else return;
    event.preventDefault();
  }

  do(name) {
    const all = { r: this.grid.rows.length - 1, c: this.grid.series.length - 1 };
    if (name === "doubtful") this.nextDoubtful();
    else if (name === "column") this.column(this.active.c);
    else if (name === "across") {
      this.anchor = { r: this.anchor.r, c: 0 };
      this.select({ r: this.active.r, c: all.c }, true);
    } else if (name === "undo") this.undo();
    else if (name === "minutes") this.minutes();
    else if (name === "skip") this.skip();
    else if (name === "submit") this.submit();
    else if (name === "keys") this.slots.keys.showModal();
    else if (name === "extend") this.extend(!this.extending);
    else if (name === "close") {
      this.close();
      this.focusCell();
    }
  }

  extend(on) {
    this.extending = on;
    this.querySelector("[data-do=extend]").setAttribute("aria-pressed", on);
  }

  column(c) {
    this.anchor = { r: 0, c };
    this.select({ r: this.grid.rows.length - 1, c }, true);
  }

  clicked(event) {
    const cell = event.target.closest("td[data-r]");
    if (cell) {
      this.select({ r: Number(cell.dataset.r), c: Number(cell.dataset.c) }, event.shiftKey || this.extending);
      return;
    }
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do) this.do(button.dataset.do);
    else if (button.dataset.action) this.open(button.dataset.action);
    else if (button.dataset.code) this.choose(this.data.reasons[this.action].find((row) => row.id === Number(button.dataset.code)));
    else if (button.dataset.step) this.undo(button.dataset.step);
    else if (button.dataset.column) this.column(Number(button.dataset.column));
  }

  async toggled(event) {
    const { factor, toggle } = event.target.dataset;
    if (factor) this.shown[event.target.checked ? "add" : "delete"](Number(factor));
    else if (toggle === "neighbours") {
      const found = event.target.checked ? await this.ask(this.url("neighbours.json")) : null;
      this.lines = found?.factors ?? null;
      if (found && !found.names.length) this.say(this.texts.neighbours_none);
    } else if (toggle !== "around") return;
    this.draw();
  }

  say(text) {
    this.slots.said.textContent = text;
  }

  problem(text) {
    this.slots.problem.hidden = !text;
    this.slots.problem.textContent = text;
    return null;
  }
}

customElements.define("luming-review", LumingReview);
