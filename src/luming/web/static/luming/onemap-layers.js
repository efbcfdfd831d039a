// The list of layers and what they draw: only shown layers are loaded, and looked at again while the page is open.

import { FONT, json, look } from "./onemap-base.js";

const DENSE = 2000; // more features than this get small dots without names
const CLUSTERED = 4000; // more points than this are drawn together from afar
const CLUSTER_UNTIL = 11; // zoom from which each point stands alone
const KEPT = 40; // instants of a layer that stay in memory
const FALLBACK = "#4c6ef5"; // colour of a feature that has none

const element = (name, properties = {}, children = []) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
export { element };

export class Layers {
  constructor(app) {
    this.app = app;
    this.known = app.setup.layers;
    this.loaded = new Map(); // key -> { data, byId, count, states, etag }
    this.past = new Map(); // key and instant -> answer
    this.shown = new Set();
    this.at = null;
    this.asked = new Map(); // key -> number of the last request
  }

  get map() {
    return this.app.map;
  }

  get keys() {
    return this.known.filter((layer) => this.shown.has(layer.key)).map((layer) => layer.key);
  }

  layer(key) {
    return this.known.find((layer) => layer.key === key);
  }

  // ---- the list ----------------------------------------------------------------------------------------------------

  build(list, search) {
    this.rows = new Map();
    const groups = Map.groupBy ? Map.groupBy(this.known, (layer) => layer.group) : groupBy(this.known, (layer) => layer.group);
    for (const [name, members] of groups) {
      const group = element("fieldset", { className: "om-group" }, [element("legend", { textContent: name })]);
      for (const layer of members) group.append(this.row(layer));
      list.append(group);
    }
    const none = element("p", { className: "om-none", textContent: this.app.t("no-layer"), hidden: true });
    list.append(none);
    search.addEventListener("input", () => {
      const wanted = search.value.trim().toLowerCase();
      let left = 0;
      for (const [key, { row }] of this.rows) {
        const { label, group, legend } = this.layer(key);
        row.hidden = ![label, group, ...legend.map((entry) => entry.label)].some((text) => text.toLowerCase().includes(wanted));
        left += !row.hidden;
      }
      for (const group of list.querySelectorAll("fieldset")) group.hidden = !group.querySelector(".om-layer:not([hidden])");
      none.hidden = left > 0;
    });
  }

  row(layer) {
    const box = element("input", { type: "checkbox", className: "form-check-input", id: `om-layer-${layer.key}` });
    const count = element("span", { className: "om-count" });
    const legend = element("ul", { className: "om-legend", hidden: true });
    legend.setAttribute("aria-label", this.app.t("legend-of", { name: layer.label }));
    const note = element("p", { className: "om-trouble", hidden: true });
    const label = element("label", { htmlFor: box.id, className: "form-check-label", textContent: layer.label });
    const head = element("div", { className: "om-layer-head" }, [box, label]);
    if (layer.timed) head.append(element("span", { className: "om-timed", title: this.app.t("timed"), textContent: this.app.t("timed-short") }));
    head.append(count);
    const row = element("div", { className: "om-layer" }, [head, legend, note]);
    box.addEventListener("change", () => this.show(layer.key, box.checked));
    this.rows.set(layer.key, { row, box, count, legend, note });
    return row;
  }

  fillRow(key) {
    const { count, legend, note, box } = this.rows.get(key);
    const found = this.loaded.get(key), on = this.shown.has(key);
    box.checked = on;
    note.hidden = true;
    count.textContent = found && on ? found.count.toLocaleString() : "";
    const entries = this.layer(key).legend;
    legend.hidden = !on || !entries.length;
    legend.replaceChildren(
      ...entries.map(({ state, label, colour }) => {
        const dot = element("i");
        dot.style.background = colour;
        const number = found?.states[state] ?? 0;
        return element("li", { className: number ? "" : "is-none" }, [dot, element("span", { textContent: label }), element("b", { textContent: found ? number.toLocaleString() : "" })]);
      }),
    );
  }

  // ---- loading -----------------------------------------------------------------------------------------------------

  async show(key, on = true) {
    if (!this.layer(key)) return;
    if (on) this.shown.add(key);
    else this.shown.delete(key);
    this.fillRow(key);
    if (on) await this.load(key);
    else this.draw(key);
    this.app.changed("layers");
  }

  // Ask for a layer as it is, or as it was; an unchanged one comes as 304 and is left alone.
  async load(key) {
    const at = this.layer(key).timed ? this.at : null, slot = `${key} ${at ?? ""}`;
    const turn = (this.asked.get(key) ?? 0) + 1;
    this.asked.set(key, turn);
    const row = this.rows.get(key);
    try {
      const answer = this.past.get(slot) ?? (await this.fetch(key, at));
      if (this.asked.get(key) !== turn) return; // a later question was asked meanwhile
      if (answer && answer !== this.loaded.get(key)) {
        if (at) this.keep(slot, answer);
        this.loaded.set(key, answer);
        this.draw(key);
        this.fillRow(key);
        this.app.changed("data");
      }
      row.note.hidden = true;
    } catch (error) {
      if (this.asked.get(key) !== turn) return;
      row.note.textContent = error.signedOut ? this.app.t("signed-out") : error.sentence ?? this.app.t("layer-failed");
      row.note.hidden = false;
      this.app.say(`${this.layer(key).label}: ${row.note.textContent}`);
    }
  }

  async fetch(key, at) {
    const url = this.app.setup.urls.layer.replace("KEY", encodeURIComponent(key)) + (at ? `?at=${encodeURIComponent(at)}` : "");
    const held = this.loaded.get(key);
    const etag = held && held.at === at ? held.etag : undefined;
    const answer = await fetch(url, { headers: { Accept: "application/json", ...(etag ? { "If-None-Match": etag } : {}) } });
    if (answer.status === 304) return held;
    if (answer.redirected && answer.url.includes("/sign-in/")) throw Object.assign(new Error("signed out"), { signedOut: true });
    if (!answer.ok) {
      const { error } = await answer.json().catch(() => ({}));
      throw Object.assign(new Error(`${url}: ${answer.status}`), { sentence: error });
    }
    const body = await answer.json();
    return { ...body, at, etag: answer.headers.get("ETag") ?? undefined, byId: new Map(body.data.features.map((feature) => [String(feature.id), feature])) };
  }

  keep(slot, answer) {
    this.past.set(slot, answer);
    if (this.past.size > KEPT) this.past.delete(this.past.keys().next().value);
  }

  // Load all timed layers that are shown for another instant; null is now.
  async setTime(at) {
    this.at = at;
    await Promise.all(this.keys.filter((key) => this.layer(key).timed).map((key) => this.load(key)));
  }

  async prefetch(at) {
    for (const key of this.keys) {
      const slot = `${key} ${at}`;
      if (!this.layer(key).timed || this.past.has(slot)) continue;
      const answer = await this.fetch(key, at).catch(() => null);
      if (answer) this.keep(slot, answer);
    }
  }

  refresh() {
    for (const key of this.keys) if (!(this.at && this.layer(key).timed)) this.load(key);
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------

  ids(key) {
    return ["area", "edge", "line", "group", "grouped", "dot", "name", "value"].map((part) => `l-${key}-${part}`);
  }

  // Layers of the map that answer a click, the topmost kind first.
  get clickable() {
    return this.keys.flatMap((key) => [`l-${key}-dot`, `l-${key}-group`, `l-${key}-line`, `l-${key}-area`]).filter((id) => this.map.getLayer(id));
  }

  get labels() {
    return this.known.flatMap((layer) => [`l-${layer.key}-name`]);
  }

  draw(key) {
    const id = `l-${key}`, found = this.loaded.get(key), source = this.map.getSource(id);
    if (!this.shown.has(key) || !found) {
      for (const one of this.ids(key)) if (this.map.getLayer(one)) this.map.setLayoutProperty(one, "visibility", "none");
      return;
    }
    const clustered = this.layer(key).geometry === "point" && found.count > CLUSTERED, dense = found.count > DENSE;
    if (source && source.omShape === `${clustered}${dense}`) {
      source.setData(found.data);
      for (const one of this.ids(key)) if (this.map.getLayer(one)) this.map.setLayoutProperty(one, "visibility", "visible");
      return;
    }
    if (source) {
      for (const one of this.ids(key)) if (this.map.getLayer(one)) this.map.removeLayer(one);
      this.map.removeSource(id);
    }
    const options = clustered ? { cluster: true, clusterRadius: 46, clusterMaxZoom: CLUSTER_UNTIL, clusterProperties: { worst: ["max", ["coalesce", ["get", "attention"], 0]] } } : {};
    this.map.addSource(id, { type: "geojson", data: found.data, buffer: 16, tolerance: 0.5, ...options });
    this.map.getSource(id).omShape = `${clustered}${dense}`;
    if (this.layer(key).geometry === "polygon") this.addPolygons(key, id, dense);
    else if (this.layer(key).geometry === "line") this.addLines(key, id);
    else this.addPoints(key, id, { clustered, dense, found });
  }

  // Polygons lie below lines, lines below points; among themselves the list's first lies on top.
  below(key) {
    const order = { polygon: 0, line: 1, point: 2 }, mine = this.layer(key);
    const above = [...this.known].reverse().filter((other) => order[other.geometry] > order[mine.geometry]
      || (other.geometry === mine.geometry && this.known.indexOf(other) < this.known.indexOf(mine)));
    for (const other of above) for (const id of this.ids(other.key)) if (this.map.getLayer(id)) return id;
    return "area-edge"; // on top of the layers lie outlines, selections and drawings
  }

  add(key, part, layer) {
    this.map.addLayer({ id: `l-${key}-${part}`, source: `l-${key}`, ...layer }, this.below(key));
  }

  addPolygons(key, id, dense) {
    const colour = ["coalesce", ["get", "colour"], FALLBACK];
    this.add(key, "area", { type: "fill", paint: { "fill-color": colour, "fill-opacity": 0.28 } });
    this.add(key, "edge", { type: "line", paint: { "line-color": colour, "line-width": dense ? 0.6 : 1.4 } });
  }

  addLines(key) {
    this.add(key, "line", { type: "line", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": ["coalesce", ["get", "colour"], FALLBACK], "line-width": ["interpolate", ["linear"], ["zoom"], 8, 2, 14, 5] } });
  }

  addPoints(key, id, { clustered, dense, found }) {
    const media = new Set(found.data.features.slice(0, 200).map((feature) => feature.properties.medium));
    const numbered = media.has("air"), station = media.has("water") || media.has("noise") || numbered;
    const size = dense ? 3.2 : numbered ? 13 : station ? 8 : 5;
    const radius = (scale) => ["match", ["coalesce", ["get", "attention"], 0], 2, size * 1.35 * scale, ["match", ["get", "state"], "no-data", size * 0.6 * scale, size * scale]];
    if (clustered) {
      this.add(key, "group", { type: "circle", filter: ["has", "point_count"], paint: {
        "circle-color": ["match", ["get", "worst"], 2, "#e03131", 1, "#f08c00", "#2b8a78"], "circle-opacity": 0.82,
        "circle-radius": ["step", ["get", "point_count"], 11, 50, 15, 500, 20, 2000, 26], "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.5 } });
      this.add(key, "grouped", { type: "symbol", filter: ["has", "point_count"], layout: {
        "text-field": ["get", "point_count_abbreviated"], "text-font": FONT, "text-size": 12, "text-allow-overlap": true }, paint: { "text-color": "#ffffff" } });
    }
    this.add(key, "dot", { type: "circle", ...(clustered ? { filter: ["!", ["has", "point_count"]] } : {}),
      layout: dense ? {} : { "circle-sort-key": ["coalesce", ["get", "attention"], 0] },
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, radius(0.75), 13, radius(1.5)], "circle-color": ["coalesce", ["get", "colour"], FALLBACK],
        "circle-stroke-color": station ? "#22403c" : "#ffffff", "circle-stroke-width": dense ? 0.4 : station ? 1.4 : 1, "circle-opacity": 0.95 } });
    if (dense) return;
    if (numbered)
      this.add(key, "value", { type: "symbol", layout: {
        "text-field": ["case", ["has", "value"], ["to-string", ["round", ["to-number", ["get", "value"], 0]]], ""],
        "text-font": FONT, "text-size": ["interpolate", ["linear"], ["zoom"], 8, 10, 13, 14], "text-allow-overlap": true },
      paint: { "text-color": ["match", ["get", "state"], ["level-1", "level-2", "level-3"], "#12211f", "#ffffff"] } });
    this.add(key, "name", { type: "symbol", minzoom: station ? 10.8 : 12.5, layout: {
      "text-field": ["get", "name"], "text-font": FONT, "text-size": 11, "text-offset": [0, 1.4], "text-anchor": "top", "text-optional": true },
    paint: { "text-color": look().text, "text-halo-color": look().halo, "text-halo-width": 1.3 } });
  }
}

function groupBy(items, name) {
  const groups = new Map();
  for (const item of items) groups.set(name(item), [...(groups.get(name(item)) ?? []), item]);
  return groups;
}

export { json };
