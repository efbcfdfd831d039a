// The upwind sector of a point: what lies where the wind comes from, by distance. Wind of the nearest station, or by hand.

import { json } from "./onemap-base.js";
import { boxOf, destination, metres, readPoint, sector } from "./onemap-geo.js";
import { groupsOf, rowsOf } from "./onemap-area.js";
import { element } from "./onemap-layers.js";

const EMPTY = { type: "FeatureCollection", features: [] };
const within = (value, lowest, highest) => Number.isFinite(value) && value >= lowest && value <= highest;

export class Wind {
  constructor(app) {
    this.app = app;
    this.result = app.part("wind-result");
    this.fields = Object.fromEntries(["point", "direction", "speed", "half", "length"].map((name) => [name, app.part(`wind-${name}`)]));
    app.part("wind-pick").addEventListener("click", () =>
      app.draw.start("point", { hint: app.t("draw-point"), done: (geometry) => this.from(geometry.coordinates) }));
    app.part("wind-station").addEventListener("click", () => this.measured());
    app.part("wind-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(true);
    });
    for (const name of ["half", "length"]) {
      this.fields[name].addEventListener("input", () => this.preview());
      this.fields[name].addEventListener("change", () => this.answer && this.ask(false));
    }
    for (const name of ["direction", "speed"])
      this.fields[name].addEventListener("input", () => {
        app.part("wind-source").textContent = app.t("wind-by-hand");
        this.preview();
      });
    app.part("wind-clear").addEventListener("click", () => this.clear());
  }

  prepare() {
    const { map } = this.app;
    map.addSource("wind", { type: "geojson", data: EMPTY });
    map.addLayer({ id: "wind-area", type: "fill", source: "wind", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#1971c2", "fill-opacity": 0.13 } });
    map.addLayer({ id: "wind-line", type: "line", source: "wind", paint: { "line-color": "#1971c2", "line-width": 1.8 } });
  }

  // The chosen sector, undefined while something is missing or wrong.
  get chosen() {
    const centre = readPoint(this.fields.point.value);
    const [bearing, half, length] = ["direction", "half", "length"].map((name) => (this.fields[name].value === "" ? NaN : Number(this.fields[name].value)));
    if (!centre || !within(bearing, 0, 360) || !within(half, 1, 180) || !within(length, 10, 200000)) return undefined;
    return { centre, bearing, half, length };
  }

  // Start at a point: its wind is asked for, and the sector shown at once.
  async from(point) {
    this.app.openTab("wind");
    this.fields.point.value = `${point[0].toFixed(5)}, ${point[1].toFixed(5)}`;
    await this.measured();
  }

  async measured() {
    const point = readPoint(this.fields.point.value), source = this.app.part("wind-source"), { t } = this.app;
    if (!point) return this.app.wrong(this.fields.point, t("no-point"));
    source.textContent = t("wind-asked");
    try {
      const query = new URLSearchParams({ lon: point[0], lat: point[1] });
      if (this.app.time.at) query.set("at", this.app.time.at);
      const { wind } = await json(`${this.app.setup.urls.wind}?${query}`);
      if (!wind) {
        source.textContent = t("wind-none");
        return this.preview();
      }
      this.fields.direction.value = Math.round(wind.direction);
      this.fields.speed.value = wind.speed.toFixed(1);
      const link = element("a", { href: wind.url, textContent: wind.station });
      const rest = t("wind-of", { distance: metres(wind.distance), hour: this.app.hour(wind.start) });
      source.replaceChildren(link, ` ${rest}${wind.calm ? ` ${t("wind-calm")}` : ""}`);
      await this.ask(true);
    } catch (error) {
      source.textContent = error.signedOut ? t("signed-out") : error.sentence ?? t("failed");
    }
  }

  preview() {
    const chosen = this.chosen, source = this.app.map.getSource("wind");
    if (!chosen) return source.setData(EMPTY);
    const ring = sector(chosen.centre, chosen.bearing, chosen.half, chosen.length);
    const features = [{ type: "Polygon", coordinates: [ring] }, { type: "LineString", coordinates: arrow(chosen) }];
    source.setData({ type: "FeatureCollection", features: features.map((geometry) => ({ type: "Feature", properties: {}, geometry })) });
    return boxOf(features);
  }

  async ask(fit) {
    const { chosen, fields } = this, { t } = this.app;
    if (!readPoint(fields.point.value)) return this.app.wrong(fields.point, t("no-point"));
    if (fields.direction.value === "" || !within(Number(fields.direction.value), 0, 360)) return this.app.wrong(fields.direction, t("no-direction"));
    if (!within(Number(fields.half.value), 1, 180)) return this.app.wrong(fields.half, t("no-angle"));
    if (!chosen) return this.app.wrong(fields.length, t("no-radius"));
    const box = this.preview();
    if (fit) this.app.fit(box);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const body = { area: { sector: chosen }, layers: this.sources, at: this.app.time.at };
      const answer = await json(this.app.setup.urls.inside, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-CSRFToken": this.app.token } });
      if (turn !== this.turn) return undefined;
      this.answer = answer;
      const summary = t("upwind-count", { n: answer.count.toLocaleString(), way: this.app.wayOf(chosen.bearing), length: metres(chosen.length) });
      this.result.replaceChildren(element("p", { className: "om-sum", textContent: summary }), groupsOf(answer), rowsOf(this.app, answer));
      this.app.say(summary);
    } catch (error) {
      if (turn !== this.turn) return undefined;
      this.result.replaceChildren(element("p", { className: "om-trouble", textContent: error.signedOut ? t("signed-out") : error.sentence ?? t("failed") }));
    }
    this.app.part("wind-clear").hidden = false;
    this.app.changed("wind");
    return undefined;
  }

  // Upwind one looks for sources: facilities and outlets, shown or not.
  get sources() {
    return this.app.layers.known.filter((layer) => layer.sources).map((layer) => layer.key);
  }

  clear() {
    this.turn = (this.turn ?? 0) + 1;
    this.answer = undefined;
    this.app.map.getSource("wind").setData(EMPTY);
    this.fields.point.value = "";
    this.result.replaceChildren();
    this.app.part("wind-source").textContent = "";
    this.app.part("wind-clear").hidden = true;
    this.app.changed("wind");
  }

  get link() {
    const { chosen } = this;
    return this.answer && chosen ? [...chosen.centre.map((value) => value.toFixed(5)), chosen.bearing, chosen.half, chosen.length, this.fields.speed.value].join(",") : undefined;
  }

  restore(text) {
    const [x, y, bearing, half, length, speed] = text.split(",");
    Object.assign(this.fields.point, { value: `${x}, ${y}` });
    for (const [name, value] of Object.entries({ direction: bearing, half, length, speed })) if (value) this.fields[name].value = value;
    this.app.part("wind-source").textContent = this.app.t("wind-of-link");
    return this.chosen ? this.ask(false) : undefined;
  }
}

// From the far end of the sector to the point, with two barbs: the way the air takes.
function arrow({ centre, bearing, length }) {
  const tip = (angle) => destination(centre, bearing + angle, length * 0.08);
  return [destination(centre, bearing, length), centre, tip(25), centre, tip(-25)];
}
