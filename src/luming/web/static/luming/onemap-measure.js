// Measuring on the ellipsoid: the length of a line, the area and outline of a polygon.

import { area, inverse, lengthOf, metres, squareMetres } from "./onemap-geo.js";
import { element } from "./onemap-layers.js";

const EMPTY = { type: "FeatureCollection", features: [] };

export class Measure {
  constructor(app) {
    this.app = app;
    this.result = app.part("measure-result");
    app.part("measure-line").addEventListener("click", () => this.start("line"));
    app.part("measure-area").addEventListener("click", () => this.start("polygon"));
    app.part("measure-clear").addEventListener("click", () => this.clear());
  }

  prepare() {
    const { map } = this.app;
    map.addSource("measure", { type: "geojson", data: EMPTY });
    map.addLayer({ id: "measure-area", type: "fill", source: "measure", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#e8590c", "fill-opacity": 0.12 } });
    map.addLayer({ id: "measure-line", type: "line", source: "measure", paint: { "line-color": "#e8590c", "line-width": 2.5 } });
  }

  start(kind) {
    const line = kind === "line";
    this.app.draw.start(kind, {
      hint: this.app.t(line ? "draw-line" : "draw-polygon"),
      changed: (points) => (line ? points.length > 1 && metres(lengthOf(points)) : points.length > 2 && squareMetres(area(points))) || "",
      done: (geometry, points) => this.show(geometry, points),
    });
  }

  show(geometry, points) {
    this.app.map.getSource("measure").setData({ type: "Feature", properties: {}, geometry });
    const closed = geometry.type === "Polygon", { t } = this.app;
    const total = closed ? squareMetres(area(points)) : metres(lengthOf(points));
    const path = closed ? [...points, points[0]] : points;
    const legs = path.slice(1).map((point, i) => {
      const { distance, bearing } = inverse(path[i], point);
      return element("li", { textContent: `${metres(distance)} · ${t("bearing", { n: bearing.toFixed(1), way: this.app.wayOf(bearing) })}` });
    });
    const rows = [element("p", { className: "om-sum" }, [element("b", { textContent: total })])];
    if (closed) rows.push(element("p", { textContent: t("outline-length", { n: metres(lengthOf(path)) }) }));
    rows.push(element("p", { className: "lm-eyebrow", textContent: t("legs") }), element("ol", { className: "om-legs" }, legs));
    this.result.replaceChildren(...rows);
    this.app.part("measure-clear").hidden = false;
    this.app.say(total);
  }

  clear() {
    this.app.map.getSource("measure").setData(EMPTY);
    this.app.part("measure-clear").hidden = true;
    this.result.replaceChildren();
  }
}
