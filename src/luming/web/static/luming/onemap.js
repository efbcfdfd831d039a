// <luming-onemap>: the page of the one map. Its parts are modules of their own; the whole state is in the address.

import { Area } from "./onemap-area.js";
import { Base, json, paint, style } from "./onemap-base.js";
import { Cards } from "./onemap-card.js";
import { Draw } from "./onemap-draw.js";
import { Files } from "./onemap-files.js";
import { decimal, degrees } from "./onemap-geo.js";
import { Layers } from "./onemap-layers.js";
import { Measure } from "./onemap-measure.js";
import { Time } from "./onemap-time.js";
import { Wind } from "./onemap-wind.js";

const LOOK_EVERY = 3; // ticks of the shell (10 s) between two looks at the layers

class LumingOneMap extends HTMLElement {
  async connectedCallback() {
    this.setup = JSON.parse(document.getElementById(this.dataset.setup).textContent);
    this.t = (key, values = {}) => Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), this.setup.texts[key] ?? key);
    // 11-24 08:00 in the city's time; the year is there in full with moment().
    const format = new Intl.DateTimeFormat("sv-SE", { timeZone: this.setup.zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
    this.moment = (value) => format.format(typeof value === "string" ? Date.parse(value) : value);
    this.hour = (value) => this.moment(value).slice(5);
    this.token = this.part("download").elements.csrfmiddlewaretoken.value;
    this.wanted = new URLSearchParams(window.location.search);
    this.pace = window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 500;
    this.tabs();
    this.layers = new Layers(this);
    this.layers.build(this.part("layers"), this.part("search"));
    this.time = new Time(this);
    Object.assign(this, { draw: new Draw(this), area: new Area(this), measure: new Measure(this), wind: new Wind(this), files: new Files(this), cards: new Cards(this) });
    this.abort = new AbortController();
    try {
      const [library, base] = await Promise.all([import(this.dataset.library), json(this.dataset.base)]);
      this.library = library;
      library.setWorkerUrl(new URL(this.dataset.worker, window.location.href).href);
      this.start(base);
    } catch (error) {
      console.warn("luming-onemap:", error.message);
      this.trouble(this.t("map-failed"));
    }
  }

  disconnectedCallback() {
    this.abort?.abort();
    this.map?.remove();
  }

  part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }

  trouble(text) {
    this.part("map").replaceChildren(Object.assign(document.createElement("div"), { className: "lm-message h-100", textContent: text }));
  }

  start(base) {
    const [x, y, zoom] = (this.wanted.get("c") ?? "").split(",").map(Number), [west, south, east, north] = base.view;
    const place = [x, y, zoom].every(Number.isFinite) && Math.abs(y) <= 85 ? { center: [x, y], zoom } : { bounds: [[west, south], [east, north]] };
    try {
      this.map = new this.library.Map({
        container: this.part("map"), style: style(base), attributionControl: false, fadeDuration: 0, dragRotate: false, pitchWithRotate: false, touchPitch: false,
        minZoom: 5, maxZoom: 18, ...place,
        locale: { "Map.Title": this.t("map"), "Popup.Close": this.t("close"), "NavigationControl.ZoomIn": this.t("zoom-in"), "NavigationControl.ZoomOut": this.t("zoom-out") },
      });
    } catch (error) {
      this.trouble(this.t("no-webgl"));
      this.dataset.ready = "without-map";
      return;
    }
    this.bounds = base.bounds;
    this.map.keyboard.disableRotation();
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new this.library.NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new this.library.ScaleControl({ maxWidth: 100 }), "bottom-left");
    this.map.on("load", () => this.ready());
    this.map.on("error", ({ error }) => console.warn("luming-onemap:", error?.message));
  }

  async ready() {
    this.base = new Base(this.map, this.setup);
    this.baseControls();
    for (const part of [this.area, this.measure, this.wind, this.cards, this.draw]) part.prepare();
    this.map.on("moveend", () => this.changed("view"));
    this.map.on("mousemove", (event) => this.pointer(event.lngLat));
    this.map.on("move", () => this.pointer(this.map.getCenter(), true));
    this.part("whole").addEventListener("click", () => this.fit(this.bounds));
    this.share();
    const { signal } = this.abort;
    let ticks = 0;
    document.body.addEventListener("luming:tick", () => ++ticks % LOOK_EVERY === 0 && this.layers.refresh(), { signal });
    document.addEventListener("luming:theme", () => paint(this.map, this.layers.labels), { signal });
    window.addEventListener("beforeprint", () => this.picture(), { signal });
    await this.restore();
    this.pointer(this.map.getCenter(), true);
    this.settled = true;
    this.dataset.ready = "yes";
    this.changed("view");
  }

  // ---- the address -------------------------------------------------------------------------------------------------

  async restore() {
    const wanted = this.wanted;
    if (wanted.has("t")) await this.time.restore(wanted.get("t"));
    this.base.show(wanted.get("b") ?? "plain", wanted.get("r") !== "0");
    this.syncBase();
    const keys = wanted.has("l") ? wanted.get("l").split(",").filter(Boolean) : this.layers.known.filter((layer) => layer.shown).map((layer) => layer.key);
    await Promise.all(keys.map((key) => this.layers.show(key)));
    for (const { key } of this.layers.known) this.layers.fillRow(key);
    if (wanted.has("a")) await this.area.restore(wanted.get("a"));
    if (wanted.has("w")) await this.wind.restore(wanted.get("w"));
    if (wanted.has("tab")) this.openTab(wanted.get("tab"));
    const [key, id] = (wanted.get("s") ?? "").split(":");
    if (key && id && this.layers.loaded.get(key)?.byId.has(id)) await this.cards.goTo(key, id);
  }

  get address() {
    const { lng, lat } = this.map.getCenter(), chosen = new URLSearchParams();
    const set = (name, value) => value && chosen.set(name, value);
    set("c", [lng.toFixed(5), lat.toFixed(5), this.map.getZoom().toFixed(2)].join(","));
    chosen.set("l", this.layers.keys.join(","));
    set("t", this.time.at);
    set("b", this.base.chosen === "plain" ? "" : this.base.chosen);
    set("r", this.base.shaded || !this.setup.relief ? "" : "0");
    set("a", this.area.link);
    set("w", this.wind.link);
    set("s", this.cards.key);
    set("tab", this.tab === "layers" ? "" : this.tab);
    return `${window.location.pathname}?${chosen.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%3B", ";")}`;
  }

  // Something that others show changed: the list, the counts of an area, the address.
  changed(what) {
    if (!this.settled) return;
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      window.history.replaceState(null, "", this.address);
      this.part("share-link").value = window.location.href;
      this.cards.fillList();
    }, 200);
    if (["layers", "time"].includes(what) && this.area.chosen) this.area.ask();
    if (what === "time" && this.wind.answer) this.wind.ask(false);
  }

  share() {
    const box = this.part("share-box"), field = this.part("share-link"), button = this.part("share");
    button.addEventListener("click", () => {
      box.hidden = !box.hidden;
      button.setAttribute("aria-expanded", String(!box.hidden));
      field.value = new URL(this.address, window.location.href).href;
      if (!box.hidden) field.select();
    });
    this.part("share-copy").addEventListener("click", async () => {
      field.select();
      // The clipboard wants HTTPS; without it the old command copies the selected text.
      const done = navigator.clipboard ? await navigator.clipboard.writeText(field.value).then(() => true, () => false) : false;
      this.say(this.t(done || document.execCommand("copy") ? "copied" : "copy-yourself"));
      this.part("share-said").textContent = this.part("said").textContent;
    });
  }

  // ---- panel -------------------------------------------------------------------------------------------------------

  tabs() {
    this.buttons = [...this.querySelectorAll("[role=tab]")];
    this.tab = "layers";
    for (const [i, button] of this.buttons.entries()) {
      button.addEventListener("click", () => {
        const again = this.tab === button.dataset.tab && this.part("panel").classList.contains("is-open");
        this.openTab(button.dataset.tab);
        if (again) this.foldSheet();
      });
      button.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
        const next = { Home: 0, End: this.buttons.length - 1 }[event.key] ?? (step && (i + step + this.buttons.length) % this.buttons.length);
        if (next === undefined) return;
        event.preventDefault();
        this.openTab(this.buttons[next].dataset.tab);
        this.buttons[next].focus();
      });
    }
  }

  openTab(name) {
    if (!this.buttons.some((button) => button.dataset.tab === name)) return;
    this.tab = name;
    for (const button of this.buttons) {
      const on = button.dataset.tab === name;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
      this.part(`pane-${button.dataset.tab}`).hidden = !on;
    }
    this.openSheet();
    this.changed("tab");
  }

  // On a phone the panel is a sheet at the bottom; beside a wide map it is always open.
  openSheet() {
    this.part("panel").classList.add("is-open");
  }

  foldSheet() {
    this.part("panel").classList.remove("is-open");
  }

  closeCard() {
    this.cards.close();
  }

  goTo(key, id) {
    return this.cards.goTo(key, id);
  }

  baseControls() {
    for (const radio of this.querySelectorAll("[name=om-base]"))
      radio.addEventListener("change", () => {
        this.base.show(radio.value);
        this.changed("base");
        this.syncBase();
      });
    this.part("relief")?.addEventListener("change", (event) => {
      this.base.show(this.base.chosen, event.target.checked);
      this.changed("base");
    });
  }

  syncBase() {
    for (const radio of this.querySelectorAll("[name=om-base]")) radio.checked = radio.value === this.base.chosen;
    const box = this.part("relief");
    if (box) Object.assign(box, { checked: this.base.shaded, disabled: this.base.chosen !== "plain" });
    const tiles = this.part("tiles-source");
    if (tiles) tiles.hidden = this.base.chosen === "plain";
  }

  // ---- small things ------------------------------------------------------------------------------------------------

  fit(box) {
    if (!box) return;
    const padding = { top: 64, bottom: 110, left: 40, right: 56 }; // of what lies on the map
    const [west, south, east, north] = box;
    this.map.fitBounds([[west, south], [east, north]], { padding, maxZoom: 14, duration: this.pace });
  }

  pointer({ lng, lat }, centre = false) {
    if (centre && this.map.getContainer().matches(":hover") && !this.part("map").classList.contains("is-keyboard")) return;
    const point = [lng, lat];
    this.part("position").textContent = `${decimal(point)}　${degrees(point)}`;
  }

  wayOf(bearing) {
    return this.setup.texts[`way-${Math.round(bearing / 22.5) % 16}`];
  }

  say(text) {
    this.part("said").textContent = text;
  }

  // What is wrong with a field, beside it and aloud.
  wrong(field, text) {
    field.setCustomValidity(text);
    field.reportValidity();
    field.addEventListener("input", () => field.setCustomValidity(""), { once: true });
    this.say(text);
  }

  // A canvas of WebGL is empty on paper: it is drawn once more and kept as a picture.
  picture() {
    if (!this.part("map").clientWidth) return; // already on paper
    this.map.redraw();
    this.part("print").src = this.map.getCanvas().toDataURL("image/png");
  }
}

customElements.define("luming-onemap", LumingOneMap);
