// Pages and parts of records: files that are dropped, records that are found by typing, forms that are not lost.

// ---- <luming-upload>: several files, one after the other, with progress; the part is asked for anew at the end.
class LumingUpload extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.input = this.querySelector('input[type="file"]');
    this.progress = this.querySelector("[data-progress]");
    this.dataset.ready = "yes";
    this.input.addEventListener("change", () => this.send([...this.input.files]));
    this.form.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.form.classList.add("is-over");
    });
    for (const name of ["dragleave", "drop"]) this.form.addEventListener(name, () => this.form.classList.remove("is-over"));
    this.form.addEventListener("drop", (event) => {
      event.preventDefault();
      this.send([...event.dataTransfer.files]);
    });
  }

  async send(files) {
    if (!files.length) return;
    let refused = false;
    const lines = files.map((file) => this.line(file));
    for (const [index, file] of files.entries()) {
      const problem = await this.sendOne(file, lines[index]);
      refused = refused || Boolean(problem);
      if (problem) this.say(lines[index], problem);
    }
    this.input.value = "";
    const kept = refused ? [...this.progress.children].filter((line) => line.classList.contains("is-bad")) : [];
    await window.htmx.ajax("GET", this.dataset.url, { target: "#record-documents", swap: "outerHTML" });
    document.querySelector("#record-documents [data-progress]")?.append(...kept);
  }

  line(file) {
    const line = Object.assign(document.createElement("div"), { className: "lm-sent" });
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", file.name);
    line.append(Object.assign(document.createElement("span"), { textContent: file.name }), bar);
    this.progress.append(line);
    return line;
  }

  say(line, text) {
    line.className = "lm-sent is-bad";
    line.replaceChildren(Object.assign(document.createElement("span"), { textContent: text }));
  }

  sendOne(file, line) {
    if (file.size > Number(this.dataset.limit) * 2 ** 20) {
      return Promise.resolve(`${file.name}: ${this.dataset.tooLarge} (${this.dataset.limit} MB)`);
    }
    const body = new FormData(this.form);
    body.delete("file");
    body.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", this.dataset.url);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) line.querySelector("progress").value = event.loaded / event.total;
    });
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => {
        try {
          resolve(JSON.parse(request.responseText).problems.join(" "));
        } catch (error) {
          // no answer, or a page that says what went wrong
          resolve(`${file.name}: ${this.dataset.failed}`);
        }
      });
      request.send(body);
    });
  }
}
customElements.define("luming-upload", LumingUpload);

// ---- <luming-choice>: a combobox (ARIA 1.2) over an address that answers with records in the person's scope.
const PAUSE = 180; // ms after the last key

class LumingChoice extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector('input[type="text"]');
    this.value = this.querySelector('input[type="hidden"]');
    this.list = this.querySelector("ul");
    this.label = this.input.value;
    this.active = -1;
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), PAUSE);
    });
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => this.ask());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.leave());
    // The field keeps the focus while an option is clicked.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(option);
    });
  }

  async ask() {
    const typed = this.input.value === this.label ? "" : this.input.value;
    this.asked = typed;
    try {
      const answer = await fetch(`${this.dataset.url}?q=${encodeURIComponent(typed)}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      const { choices, more } = await answer.json();
      if (this.asked === typed && document.activeElement === this.input) this.show(choices, more);
    } catch (error) {
      this.show([], false, this.dataset.failed);
    }
  }

  show(choices, more, said = this.dataset.none) {
    const options = choices.map(({ id, label, hint }, index) => {
      const option = Object.assign(document.createElement("li"), { id: `${this.list.id}-${index}`, textContent: label });
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.value = id;
      option.dataset.label = label;
      if (hint) option.append(Object.assign(document.createElement("small"), { textContent: hint }));
      return option;
    });
    if (!options.length || more) {
      const line = Object.assign(document.createElement("li"), { className: "is-said", textContent: options.length ? this.dataset.more : said });
      options.push(line);
    }
    this.list.replaceChildren(...options);
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.mark(choices.length ? 0 : -1);
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  mark(index) {
    const { options } = this;
    this.active = options.length ? (index + options.length) % options.length : -1;
    options.forEach((option, position) => option.setAttribute("aria-selected", String(position === this.active)));
    const option = options[this.active];
    if (option) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const open = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) this.mark(this.active + (event.key === "ArrowDown" ? 1 : -1));
      else this.ask();
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      if (this.options[this.active]) this.choose(this.options[this.active]);
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      this.input.value = this.label;
      this.close();
    }
  }

  choose(option) {
    this.value.value = option.dataset.value;
    this.label = this.input.value = option.dataset.label;
    this.value.dispatchEvent(new Event("change", { bubbles: true }));
    this.close();
  }

  // What was typed but not chosen is nothing; an empty field is no record.
  leave() {
    if (this.input.value.trim() === "" && this.value.value) {
      this.value.value = this.label = "";
      this.value.dispatchEvent(new Event("change", { bubbles: true }));
    }
    this.input.value = this.label;
    this.close();
  }

  close() {
    this.asked = null;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
customElements.define("luming-choice", LumingChoice);

// ---- forms: what was typed is not lost by leaving the page.
const form = document.querySelector("form[data-keep]");
if (form) {
  const written = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string")).toString();
  const opened = form.dataset.keep === "typed" ? "" : written();
  let sending = false;
  form.addEventListener("submit", () => (sending = true));
  window.addEventListener("beforeunload", (event) => {
    if (!sending && written() !== opened) event.preventDefault();
  });
  form.querySelector(".is-invalid, [aria-invalid=true]")?.focus();
}

// ---- bulk change: a field whose value is touched is chosen.
document.querySelectorAll("[data-bulk-field]").forEach((row) => {
  const box = row.querySelector('input[name="field"]');
  const touch = (event) => {
    if (event.target !== box) box.checked = true;
  };
  row.addEventListener("input", touch);
  row.addEventListener("change", touch);
});
