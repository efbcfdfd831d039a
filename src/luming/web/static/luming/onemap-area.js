// What is inside an area: drawn, typed, a region, or around a feature. The server counts, lists and exports.

import { json } from "./onemap-base.js";
import { boxOf, inverse, area as areaOf, metres, readPoint, squareMetres } from "./onemap-geo.js";
import { element } from "./onemap-layers.js";

const EMPTY = { type: "FeatureCollection", features: [] };
const fixed = (value) => Number(value.toFixed(5));

export class Area {
  constructor(app) {
    this.app = app;
    this.result = app.part("area-result");
    for (const kind of ["polygon", "rectangle", "circle"]) app.part(`area-${kind}`).addEventListener("click", () => this.drawn(kind));
    app.part("area-region").addEventListener("change", (event) => event.target.value && this.set({ region: event.target.value }));
    app.part("area-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.typed();
    });
    app.part("area-here").addEventListener("click", () => {
      const { lng, lat } = app.map.getCenter();
      app.part("area-centre").value = `${lng.toFixed(5)}, ${lat.toFixed(5)}`;
    });
    app.part("area-clear").addEventListener("click", () => this.clear());
    for (const format of ["csv", "geojson"]) app.part(`area-${format}`).addEventListener("click", () => this.download(format));
  }

  prepare() {
    const { map } = this.app;
    map.addSource("area", { type: "geojson", data: EMPTY });
    map.addLayer({ id: "area-fill", type: "fill", source: "area", paint: { "fill-color": "#7048e8", "fill-opacity": 0.1 } });
    map.addLayer({ id: "area-edge", type: "line", source: "area", paint: { "line-color": "#7048e8", "line-width": 2 } });
  }

  drawn(kind) {
    const figures = {
      circle: (points) => (points.length > 1 ? metres(inverse(points[0], points[1]).distance) : ""),
      polygon: (points) => (points.length > 2 ? squareMetres(areaOf(points)) : ""),
      rectangle: (points) => (points.length > 1 ? squareMetres(areaOf([points[0], [points[1][0], points[0][1]], points[1], [points[0][0], points[1][1]]])) : ""),
    };
    this.app.draw.start(kind, {
      hint: this.app.t(`draw-${kind}`), changed: figures[kind],
      done: (geometry, points) =>
        this.set(kind === "circle" ? { circle: [points[0].map(fixed), Math.max(1, Math.round(inverse(points[0], points[1]).distance))] } : { ring: geometry.coordinates[0].slice(0, -1).map((point) => point.map(fixed)) }),
    });
  }

  typed() {
    const centre = readPoint(this.app.part("area-centre").value), radius = Number(this.app.part("area-radius").value);
    if (!centre) return this.app.wrong(this.app.part("area-centre"), this.app.t("no-point"));
    if (!(radius > 0 && radius <= 200000)) return this.app.wrong(this.app.part("area-radius"), this.app.t("no-radius"));
    this.set({ circle: [centre.map(fixed), radius] });
  }

  // A feature with a distance around it; a polygon may stand without one.
  around(key, id, distance) {
    this.set({ feature: [key, String(id), distance] });
  }

  // What the server is asked; undefined while the feature's layer is not there.
  get query() {
    const { region, circle, ring, feature, geometry } = this.chosen ?? {};
    if (region) return { region };
    if (circle) return { geometry: { type: "Point", coordinates: circle[0] }, buffer: circle[1] };
    if (ring) return { geometry: { type: "Polygon", coordinates: [[...ring, ring[0]]] } };
    if (geometry) return { geometry };
    const found = feature && this.app.layers.loaded.get(feature[0])?.byId.get(feature[1]);
    return found && { geometry: found.geometry, buffer: feature[2] };
  }

  async set(chosen, { fit = true, open = true } = {}) {
    this.chosen = chosen;
    this.app.part("area-region").value = chosen.region ?? "";
    if (open) this.app.openTab("area");
    this.app.changed("area");
    await this.ask(fit);
  }

  async ask(fit = false) {
    if (!this.chosen) return;
    const [key] = this.chosen.feature ?? [];
    if (key && !this.app.layers.loaded.has(key)) await this.app.layers.show(key); // of a link; it may be hidden later
    const area = this.query;
    if (!area) return this.say(this.app.t("feature-gone"));
    const turn = (this.turn = (this.turn ?? 0) + 1);
    if (!this.app.layers.keys.length) return this.say(this.app.t("area-no-layer"));
    this.result.setAttribute("aria-busy", "true");
    try {
      const answer = await json(this.app.setup.urls.inside, {
        method: "POST", body: JSON.stringify(this.body(area)), headers: { "Content-Type": "application/json", "X-CSRFToken": this.app.token },
      });
      if (turn !== this.turn) return;
      this.answer = answer;
      this.app.map.getSource("area").setData({ type: "Feature", properties: {}, geometry: answer.outline });
      if (fit) this.app.fit(boxOf([answer.outline]));
      this.fill(answer);
    } catch (error) {
      if (turn === this.turn) this.say(error.signedOut ? this.app.t("signed-out") : error.sentence ?? this.app.t("failed"));
    } finally {
      this.result.removeAttribute("aria-busy");
    }
  }

  body(area) {
    return { area, layers: this.app.layers.keys, at: this.app.time.at };
  }

  say(text) {
    this.app.part("area-tools").hidden = true;
    this.result.replaceChildren(element("p", { className: "om-trouble", textContent: text }));
  }

  fill(answer) {
    const summary = this.app.t("inside-count", { n: answer.count.toLocaleString(), area: squareMetres(answer.area_m2) });
    this.app.part("area-tools").hidden = false;
    this.result.replaceChildren(element("p", { className: "om-sum", textContent: summary }), groupsOf(answer), rowsOf(this.app, answer));
    this.app.say(summary);
  }

  clear() {
    this.turn = (this.turn ?? 0) + 1;
    this.chosen = this.answer = undefined;
    this.app.map.getSource("area").setData(EMPTY);
    this.app.part("area-region").value = "";
    this.app.part("area-tools").hidden = true;
    this.result.replaceChildren(element("p", { className: "text-secondary", textContent: this.app.t("area-empty") }));
    this.app.changed("area");
  }

  // A form of the page sends the question again, so that the browser saves the answer as a file.
  download(format) {
    const form = this.app.part("download"), area = this.query;
    if (!area) return;
    form.elements.query.value = JSON.stringify(this.body(area));
    form.elements.format.value = format;
    form.submit();
  }

  get link() {
    const { region, circle, ring, feature } = this.chosen ?? {};
    if (region) return `r${region}`;
    if (circle) return `c${circle[0].join(",")},${circle[1]}`;
    if (ring) return `p${ring.map((point) => point.join(",")).join(";")}`;
    return feature ? `f${feature.map(encodeURIComponent).join(":")}` : undefined;
  }

  restore(text) {
    const kind = text[0], rest = text.slice(1), numbers = (part) => part.split(",").map(Number);
    let chosen;
    if (kind === "r") chosen = { region: rest };
    if (kind === "c") chosen = { circle: [numbers(rest).slice(0, 2), numbers(rest)[2]] };
    if (kind === "p") chosen = { ring: rest.split(";").map(numbers) };
    if (kind === "f") {
      const [key, id, distance] = rest.split(":").map(decoded);
      if (this.app.layers.layer(key)) chosen = { feature: [key, id, Number(distance) || 0] };
    }
    const figures = [chosen?.circle?.flat(), chosen?.ring?.flat()].flat().filter((value) => value !== undefined);
    if (chosen && figures.every(Number.isFinite)) return this.set(chosen, { fit: false, open: false });
    return undefined;
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    return text; // a link that was cut
  }
}

export function groupsOf(answer) {
  const list = element("ul", { className: "om-groups" });
  for (const group of answer.groups) {
    const states = group.states.map(({ label, colour, count }) => {
      const dot = element("i");
      dot.style.background = colour || "#868e96";
      return element("span", { className: "lm-state" }, [dot, `${label} ${count.toLocaleString()}`]);
    });
    list.append(element("li", {}, [element("b", { textContent: `${group.label} ${group.count.toLocaleString()}` }), ...states]));
  }
  return list;
}

export function rowsOf(app, answer) {
  const list = element("ol", { className: "om-rows" });
  for (const row of answer.rows) {
    const dot = element("i");
    dot.style.background = row.colour || "#868e96";
    const name = element("button", { type: "button", className: "om-find", textContent: row.name || "—" });
    name.addEventListener("click", () => app.goTo(row.layer, row.id));
    const where = row.distance === null ? "" : ` · ${metres(row.distance)} · ${app.t("bearing", { n: row.bearing.toFixed(0), way: app.wayOf(row.bearing) })}`;
    list.append(element("li", {}, [dot, name, element("small", { textContent: `${row.state}${where}` })]));
  }
  if (answer.listed < answer.count) list.append(element("li", { className: "om-more", textContent: app.t("more-rows", { n: answer.listed }) }));
  return list;
}
