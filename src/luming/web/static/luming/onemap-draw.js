// Drawing on the map by pointer, finger or keyboard: points, lines, polygons, rectangles, circles.
// By keyboard the map is moved under a crosshair with the arrow keys, and Enter sets a point there.

import { circle, inverse } from "./onemap-geo.js";

const FINISHED_BY = { point: 1, rectangle: 2, circle: 2 };
const SMALLEST = { line: 2, polygon: 3, rectangle: 2, circle: 2, point: 1 };
const EMPTY = { type: "FeatureCollection", features: [] };

export class Draw {
  constructor(app) {
    this.app = app;
    this.bar = app.part("draw-bar");
    this.hint = app.part("draw-hint");
    app.part("draw-finish").addEventListener("click", () => this.finish());
    app.part("draw-undo").addEventListener("click", () => this.undo());
    app.part("draw-cancel").addEventListener("click", () => this.cancel());
  }

  // Layers above everything; called once the map is there.
  prepare() {
    const { map } = this.app;
    map.addSource("draw", { type: "geojson", data: EMPTY });
    map.addLayer({ id: "draw-area", type: "fill", source: "draw", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#0b6e63", "fill-opacity": 0.14 } });
    map.addLayer({ id: "draw-line", type: "line", source: "draw", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": "#0b6e63", "line-width": 2, "line-dasharray": [2, 1] } });
    map.addLayer({ id: "draw-point", type: "circle", source: "draw", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 4.5, "circle-color": "#ffffff", "circle-stroke-color": "#0b6e63", "circle-stroke-width": 2 } });
    map.on("click", (event) => this.active && this.add([event.lngLat.lng, event.lngLat.lat]));
    map.on("dblclick", (event) => {
      if (!this.active) return;
      event.preventDefault();
      this.points.pop(); // the second click of the double one
      this.finish();
    });
    map.on("mousemove", (event) => {
      if (!this.active) return;
      this.pointer = [event.lngLat.lng, event.lngLat.lat];
      this.show();
    });
    map.on("move", () => this.active && this.byKeyboard && ((this.pointer = this.centre), this.show()));
    map.getContainer().addEventListener("keydown", (event) => this.key(event), true);
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.active && this.cancel());
  }

  get centre() {
    const { lng, lat } = this.app.map.getCenter();
    return [lng, lat];
  }

  get byKeyboard() {
    return this.app.map.getContainer().classList.contains("is-keyboard");
  }

  start(kind, { done, changed = () => {}, hint }) {
    if (this.active) this.cancel();
    Object.assign(this, { kind, done, changed, text: hint, points: [], pointer: undefined, active: true });
    this.bar.hidden = false;
    this.app.map.getCanvas().style.cursor = "crosshair";
    this.app.map.getContainer().classList.add("is-drawing");
    this.app.say(hint);
    this.app.closeCard();
    this.app.foldSheet();
    this.show();
  }

  add(point) {
    this.points.push(point);
    if (this.points.length === FINISHED_BY[this.kind]) this.finish();
    else this.show();
  }

  undo() {
    this.points.pop();
    this.show();
  }

  key(event) {
    if (!this.active) return;
    if (event.key.startsWith("Arrow")) {
      this.app.map.getContainer().classList.add("is-keyboard");
      return; // the map moves
    }
    const act = { Enter: () => (event.ctrlKey || event.metaKey ? this.finish() : this.add(this.centre)), Backspace: () => this.undo() }[event.key];
    if (!act) return;
    this.app.map.getContainer().classList.add("is-keyboard");
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  finish() {
    if (!this.active || this.points.length < SMALLEST[this.kind]) {
      this.app.say(this.app.t("more-points"));
      return;
    }
    const { done, geometry } = this, points = this.points;
    this.stop();
    done(geometry ?? this.shape(points), points);
  }

  cancel() {
    this.stop();
    this.app.say(this.app.t("cancelled"));
  }

  stop() {
    this.active = false;
    this.bar.hidden = true;
    this.app.map.getContainer().classList.remove("is-drawing", "is-keyboard");
    this.app.map.getCanvas().style.cursor = "";
    this.app.map.getSource("draw").setData(EMPTY);
    this.app.openSheet();
  }

  shape(points) {
    if (this.kind === "point") return { type: "Point", coordinates: points[0] };
    if (this.kind === "line" || points.length < 2) return { type: "LineString", coordinates: points };
    if (this.kind === "rectangle") {
      const [[a, b], [c, d]] = points;
      return { type: "Polygon", coordinates: [[[a, b], [c, b], [c, d], [a, d], [a, b]]] };
    }
    if (this.kind === "circle") return { type: "Polygon", coordinates: [circle(points[0], inverse(points[0], points[1]).distance)] };
    return { type: "Polygon", coordinates: [[...points, points[0]]] };
  }

  show() {
    const ahead = this.pointer && this.points.length && this.kind !== "point" ? [...this.points, this.pointer] : this.points;
    const features = this.points.map((point) => ({ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: point } }));
    if (ahead.length > 1) features.push({ type: "Feature", properties: {}, geometry: this.kind === "polygon" && ahead.length < 3 ? { type: "LineString", coordinates: ahead } : this.shape(ahead) });
    this.app.map.getSource("draw").setData({ type: "FeatureCollection", features });
    const figures = this.changed(ahead);
    this.hint.textContent = figures ? `${figures} · ${this.text}` : this.text;
    this.app.part("draw-finish").hidden = this.kind in FINISHED_BY;
  }
}
