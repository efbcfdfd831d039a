// <luming-position>: a small map of one place. In a form a click or a drag fills the two fields; they stay fields to type in.

import { json, paint, style } from "./onemap-base.js";

const NEAR = 9.5; // zoom on a place that is known: its district and the rivers around are in sight
const PLACES = 6; // decimals of a degree, a tenth of a metre

class LumingPosition extends HTMLElement {
  async connectedCallback() {
    // The map loads when it comes into view: a form is quicker than a map.
    this.seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.seen.disconnect();
      this.load();
    });
    this.seen.observe(this);
  }

  disconnectedCallback() {
    this.seen.disconnect();
    this.abort?.abort();
    this.map?.remove();
  }

  async load() {
    this.fields = [this.dataset.longitude, this.dataset.latitude].map((id) => id && document.getElementById(id));
    this.abort = new AbortController();
    try {
      this.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: this.dataset.style }));
      const [library, base] = await Promise.all([import(this.dataset.library), json(this.dataset.base)]);
      library.setWorkerUrl(new URL(this.dataset.worker, window.location.href).href);
      this.draw(library, base);
    } catch (error) {
      console.warn("luming-position:", error.message);
      this.say();
    }
  }

  say() {
    this.replaceChildren(Object.assign(document.createElement("div"), { className: "lm-message", textContent: this.dataset.failed }));
    this.dataset.ready = "no";
  }

  get place() {
    const [x, y] = this.fields[0] ? this.fields.map((field) => (field.value === "" ? NaN : Number(field.value))) : this.dataset.at.split(",").map(Number);
    return Number.isFinite(x) && Number.isFinite(y) && Math.abs(x) <= 180 && Math.abs(y) <= 85 ? [x, y] : null;
  }

  draw(library, base) {
    const area = Object.assign(document.createElement("div"), { className: "lm-map" });
    this.append(area);
    const [west, south, east, north] = base.view, place = this.place;
    this.map = new library.Map({
      container: area, style: style(base), attributionControl: false, fadeDuration: 0, dragRotate: false, pitchWithRotate: false, touchPitch: false,
      scrollZoom: false, minZoom: 4, maxZoom: 18, locale: { "Map.Title": this.dataset.title },
      ...(place ? { center: place, zoom: NEAR } : { bounds: [[west, south], [east, north]] }),
    });
    this.map.addControl(new library.NavigationControl({ showCompass: false }), "top-right");
    this.marker = new library.Marker({ color: "#0b6e63", draggable: Boolean(this.fields[0]) });
    // The fields are the way for the keyboard; the marker is a picture.
    const element = this.marker.getElement();
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", this.dataset.title);
    this.mark();
    this.map.on("load", () => (this.dataset.ready = "yes"));
    document.addEventListener("luming:theme", () => paint(this.map), { signal: this.abort.signal });
    if (!this.fields[0]) return;
    this.map.on("click", (event) => this.take(event.lngLat));
    this.marker.on("dragend", () => this.take(this.marker.getLngLat()));
    this.fields.forEach((field) =>
      field.addEventListener("change", () => {
        this.mark();
        if (this.place) this.map.easeTo({ center: this.place });
      }),
    );
  }

  mark() {
    const { place } = this;
    if (place) this.marker.setLngLat(place).addTo(this.map);
    else this.marker.remove();
  }

  take({ lng, lat }) {
    [lng, lat].forEach((value, index) => {
      this.fields[index].value = String(Number(value.toFixed(PLACES)));
      this.fields[index].dispatchEvent(new Event("input", { bubbles: true }));
    });
    this.mark();
  }
}
customElements.define("luming-position", LumingPosition);
