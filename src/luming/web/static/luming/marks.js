// <luming-marks>: choose periods of an outlet from its hours, by mouse, finger or keyboard, for the form beside them.
//
// Everything works without it: the form takes typed times. The first hour chosen fills the active row of the form, the
// second one (or one with Shift) extends it. Times are the city's and stay text: no zone of the browser enters.

class LumingMarks extends HTMLElement {
  connectedCallback() {
    this.hours = [...this.querySelectorAll("button.lm-mh[data-start]")];
    this.rows = this.querySelector("[data-rows]");
    this.code = this.querySelector("[name=code]");
    this.active = this.rows.querySelector("[data-row]");
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("keydown", (event) => this.moved(event));
    this.addEventListener("focusin", (event) => {
      const row = event.target.closest("[data-row]");
      if (row) this.activate(row);
    });
    this.rows.addEventListener("input", () => this.show());
    this.code.addEventListener("change", () => this.show());
    const usable = this.hours.filter((hour) => !hour.disabled);
    this.rove(usable.find((hour) => hour.classList.contains("is-exceeding")) ?? usable[0]);
    this.show();
  }

  clicked(event) {
    const hour = event.target.closest("button.lm-mh");
    if (hour && !hour.disabled) this.choose(hour, event.shiftKey);
    else if (event.target.closest("[data-add]")) this.add();
    else if (event.target.closest("[data-remove]")) this.remove(event.target.closest("[data-row]"));
  }

  // One hour of the grid is in the order of the tabulator; arrows move to the others.
  rove(hour) {
    if (!hour) return;
    for (const one of this.hours) one.tabIndex = one === hour ? 0 : -1;
  }

  moved(event) {
    const hour = event.target.closest("button.lm-mh");
    if (!hour) return;
    const ordered = this.ordered();
    const at = ordered.indexOf(hour);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: 24, ArrowDown: -24 }[event.key]; // the newest day is on top
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      this.choose(hour, true);
    }
    if (!step) return;
    event.preventDefault();
    const next = ordered[at + step];
    if (!next || next.disabled) return;
    this.rove(next);
    next.focus();
    if (event.shiftKey) this.choose(next, true);
  }

  ordered() {
    return [...this.hours].sort((one, other) => (one.dataset.start < other.dataset.start ? -1 : 1));
  }

  choose(hour, extend) {
    const [start, end] = this.fields(this.active);
    const waits = this.from && start.value === this.from.dataset.start && end.value === this.from.dataset.end;
    if ((extend || waits) && start.value && end.value) {
      if (hour.dataset.start < start.value) start.value = hour.dataset.start;
      else end.value = hour.dataset.end;
      this.from = null;
    } else {
      start.value = hour.dataset.start;
      end.value = hour.dataset.end;
      this.from = hour;
    }
    this.rove(hour);
    this.show();
  }

  fields(row) {
    return [row.querySelector("[name=start]"), row.querySelector("[name=end]")];
  }

  activate(row) {
    if (this.active === row) return;
    this.active = row;
    this.from = null;
    this.show();
  }

  add() {
    const row = this.active.cloneNode(true);
    const number = this.rows.children.length + 1;
    for (const name of ["start", "end"]) {
      const input = row.querySelector(`[name=${name}]`);
      row.querySelector(`label[for=${input.id}]`).htmlFor = `${name}-${number}-${Date.now()}`;
      input.id = row.querySelector(`label[for^=${name}]`).htmlFor;
      input.value = "";
      input.classList.remove("is-invalid");
      input.removeAttribute("aria-describedby");
    }
    row.querySelector(".invalid-feedback")?.remove();
    this.rows.append(row);
    this.removable();
    this.activate(row);
    row.querySelector("[name=start]").focus();
  }

  remove(row) {
    row.remove();
    this.active = this.rows.querySelector("[data-row]:last-child");
    this.from = null;
    this.removable();
    this.show();
    this.active.querySelector("[name=start]").focus();
  }

  removable() {
    const buttons = this.rows.querySelectorAll("[data-remove]");
    for (const button of buttons) button.hidden = buttons.length === 1;
  }

  show() {
    const periods = [...this.rows.querySelectorAll("[data-row]")].map((row) => this.fields(row).map((input) => input.value));
    for (const hour of this.hours) {
      const chosen = periods.some(([start, end]) => start && end && hour.dataset.start < end && hour.dataset.end > start);
      hour.classList.toggle("is-chosen", chosen);
      hour.setAttribute("aria-pressed", String(chosen));
    }
    const [start, end] = this.fields(this.active).map((input) => input.value);
    const said = this.querySelector("[data-said]");
    said.textContent = start && end ? fill(this.dataset.textChosen, { start: clock(start), end: clock(end) }) : "";
    const option = this.code.selectedOptions[0];
    const parts = [option?.dataset.consequence];
    if (option?.dataset.due && end) {
      const limit = deadline(end, Number(option.dataset.days), option.dataset.due);
      parts.push(fill(limit < this.dataset.now ? this.dataset.textLate : this.dataset.textUntil, { time: clock(limit) }));
    }
    this.querySelector("div[data-consequence]").textContent = parts.filter(Boolean).join(" · ");
  }
}

// The day in which the period ends (one until midnight ends in the day before), so many days later, at the time given.
function deadline(end, days, due) {
  const last = new Date(`${end}Z`).getTime() - 1;
  return `${new Date(last + days * 86400000).toISOString().slice(0, 10)}T${due}`;
}

const clock = (text) => text.slice(5).replace("T", " ");
const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

customElements.define("luming-marks", LumingMarks);
