// Own files on the map: GeoJSON and KML, read here and nowhere else; they never leave the browser.

import { FONT, look } from "./onemap-base.js";
import { boxOf, pointsOf } from "./onemap-geo.js";
import { element } from "./onemap-layers.js";

const MAX_BYTES = 10 * 2 ** 20, MAX_POINTS = 300000, MAX_FILES = 12;
const COLOURS = ["#7048e8", "#d6336c", "#1098ad", "#e8590c", "#5c940d", "#364fc7"];
const GEOMETRIES = new Set(["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"]);

class Refused extends Error {}

export class Files {
  constructor(app) {
    this.app = app;
    this.files = [];
    this.list = app.part("files");
    const input = app.part("file-input"), zone = app.part("map-area");
    input.addEventListener("change", () => {
      this.take([...input.files]); // the list is emptied with the field
      input.value = "";
    });
    for (const name of ["dragenter", "dragover"])
      zone.addEventListener(name, (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        app.part("drop").hidden = false;
      });
    for (const name of ["dragleave", "drop"])
      zone.addEventListener(name, (event) => {
        if (name === "dragleave" && zone.contains(event.relatedTarget)) return;
        event.preventDefault();
        app.part("drop").hidden = true;
        if (name === "drop") this.take([...event.dataTransfer.files]);
      });
  }

  async take(files) {
    const trouble = this.app.part("file-trouble");
    trouble.replaceChildren();
    this.app.openTab("files");
    for (const file of files) {
      try {
        this.add(file.name, await this.read(file));
      } catch (error) {
        const text = error instanceof Refused ? error.message : this.app.t("file-unreadable");
        trouble.append(element("p", { className: "om-trouble", textContent: `${file.name}: ${text}` }));
      }
    }
  }

  async read(file) {
    const { t } = this.app;
    if (this.files.length >= MAX_FILES) throw new Refused(t("too-many-files", { n: MAX_FILES }));
    if (file.size > MAX_BYTES) throw new Refused(t("file-too-large", { n: MAX_BYTES / 2 ** 20 }));
    if (/\.kmz$/i.test(file.name)) throw new Refused(t("file-kmz"));
    const text = await file.text(), start = text.trimStart()[0];
    const features = start === "<" ? readKml(text, t) : readGeojson(text, t);
    if (!features.length) throw new Refused(t("file-empty"));
    let number = 0;
    for (const { geometry } of features)
      for (const [x, y] of pointsOf(geometry)) {
        if (!Number.isFinite(x) || !Number.isFinite(y)) throw new Refused(t("file-unreadable"));
        if (Math.abs(x) > 180 || Math.abs(y) > 90) throw new Refused(t("file-projected"));
        if (++number > MAX_POINTS) throw new Refused(t("file-too-detailed", { n: MAX_POINTS.toLocaleString() }));
      }
    return features;
  }

  add(name, features) {
    const { map } = this.app, id = `file-${(this.next = (this.next ?? 0) + 1)}`, colour = COLOURS[(this.next - 1) % COLOURS.length];
    const numbered = features.map((feature, i) => ({ ...feature, id: i }));
    map.addSource(id, { type: "geojson", data: { type: "FeatureCollection", features: numbered } });
    const paint = { fill: { "fill-color": colour, "fill-opacity": 0.2 }, line: { "line-color": colour, "line-width": 2 }, circle: { "circle-radius": 5, "circle-color": colour, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.2 } };
    const only = { fill: "Polygon", circle: "Point" };
    const layers = ["fill", "line", "circle"].map((type) => ({ id: `${id}-${type}`, type, source: id, paint: paint[type], ...(only[type] ? { filter: ["==", ["geometry-type"], only[type]] } : {}) }));
    layers.push({ id: `${id}-name`, type: "symbol", source: id, minzoom: 9, layout: { "text-field": ["coalesce", ["get", "name"], ""], "text-font": FONT, "text-size": 11, "text-offset": [0, 1.2], "text-optional": true }, paint: { "text-color": look().text, "text-halo-color": look().halo, "text-halo-width": 1.3 } });
    // Below what the layers show, or a large polygon would hide it.
    const lowest = map.getStyle().layers.find((layer) => layer.id.startsWith("l-"))?.id ?? "area-edge";
    for (const layer of layers) map.addLayer(layer, layer.type === "fill" || layer.type === "line" ? lowest : undefined);
    const file = { id, name, features: numbered, colour, layers: layers.map((layer) => layer.id) };
    this.files.push(file);
    this.list.append(this.row(file));
    this.zoom(file);
    this.app.say(this.app.t("file-added", { name, n: features.length.toLocaleString() }));
  }

  row(file) {
    const { t } = this.app, dot = element("i");
    dot.style.background = file.colour;
    const box = element("input", { type: "checkbox", checked: true, className: "form-check-input", id: `om-${file.id}` });
    box.addEventListener("change", () => {
      for (const id of file.layers) this.app.map.setLayoutProperty(id, "visibility", box.checked ? "visible" : "none");
    });
    const zoom = element("button", { type: "button", className: "btn btn-sm", textContent: t("zoom-to") });
    zoom.addEventListener("click", () => this.zoom(file));
    const remove = element("button", { type: "button", className: "btn btn-sm", textContent: t("remove") });
    remove.setAttribute("aria-label", t("remove-file", { name: file.name }));
    remove.addEventListener("click", () => {
      for (const id of file.layers) this.app.map.removeLayer(id);
      this.app.map.removeSource(file.id);
      this.files = this.files.filter((other) => other !== file);
      file.row.remove();
      this.app.part("file-input").focus();
    });
    file.row = element("li", { className: "om-file" }, [
      box, dot, element("label", { htmlFor: box.id, textContent: file.name }), element("small", { textContent: t("features", { n: file.features.length.toLocaleString() }) }), zoom, remove,
    ]);
    return file.row;
  }

  zoom(file) {
    this.app.fit(boxOf(file.features.map((feature) => feature.geometry)));
  }

  get clickable() {
    return this.files.flatMap((file) => file.layers.slice(0, 3)).filter((id) => this.app.map.getLayer(id));
  }

  find(source, id) {
    const file = this.files.find((other) => other.id === source);
    return file && { file, feature: file.features[id] };
  }
}

function readGeojson(text, t) {
  let data;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new Refused(t("file-unknown"));
  }
  const raw = data?.type === "FeatureCollection" ? data.features : data?.type === "Feature" ? [data] : GEOMETRIES.has(data?.type) ? [{ geometry: data }] : undefined;
  if (!Array.isArray(raw)) throw new Refused(t("file-unknown"));
  const crs = data.crs?.properties?.name ?? "";
  if (crs && !/CRS84|4326|4490/.test(crs)) throw new Refused(t("file-crs", { name: String(crs).slice(0, 60) }));
  return raw.filter((feature) => GEOMETRIES.has(feature?.geometry?.type)).map((feature) => ({ type: "Feature", geometry: feature.geometry, properties: plain(feature.properties) }));
}

// Names and short values only: what a card shows, never markup.
function plain(properties) {
  const kept = {};
  for (const [name, value] of Object.entries(properties ?? {}).slice(0, 40))
    if (["string", "number", "boolean"].includes(typeof value)) kept[name] = typeof value === "string" ? value.slice(0, 500) : value;
  const title = kept.name ?? kept.NAME ?? kept.Name ?? kept["名称"] ?? kept.title;
  return title === undefined ? kept : { ...kept, name: String(title) };
}

function readKml(text, t) {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new Refused(t("file-entities"));
  const document = new DOMParser().parseFromString(text, "application/xml");
  if (document.getElementsByTagName("parsererror").length) throw new Refused(t("file-xml"));
  if (document.documentElement.localName.toLowerCase() !== "kml") throw new Refused(t("file-unknown"));
  const first = (node, name) => [...node.children].find((child) => child.localName === name);
  const value = (node, name) => first(node, name)?.textContent.trim();
  const features = [];
  for (const mark of document.getElementsByTagNameNS("*", "Placemark")) {
    const geometries = [...mark.children].map((child) => kmlGeometry(child, first)).filter(Boolean);
    const more = [...mark.getElementsByTagNameNS("*", "Data")].map((data) => [data.getAttribute("name"), value(data, "value")]);
    const properties = plain(Object.fromEntries([["name", value(mark, "name")], ["description", value(mark, "description")], ...more].filter(([, text]) => text)));
    for (const geometry of geometries) features.push({ type: "Feature", geometry, properties });
  }
  return features;
}

function kmlGeometry(node, first) {
  const points = (parent) => (first(parent, "coordinates")?.textContent ?? "").trim().split(/\s+/).filter(Boolean).map((triple) => triple.split(",").slice(0, 2).map(Number));
  const ring = (boundary) => points(first(boundary, "LinearRing") ?? boundary);
  switch (node.localName) {
    case "Point": return { type: "Point", coordinates: points(node)[0] ?? [NaN, NaN] };
    case "LineString": return { type: "LineString", coordinates: points(node) };
    case "LinearRing": return { type: "LineString", coordinates: points(node) };
    case "Polygon": {
      const boundaries = [...node.children].filter((child) => child.localName.endsWith("BoundaryIs"));
      return { type: "Polygon", coordinates: boundaries.sort((a, b) => (a.localName < b.localName ? 1 : -1)).map(ring) };
    }
    case "MultiGeometry": return { type: "GeometryCollection", geometries: [...node.children].map((child) => kmlGeometry(child, first)).filter(Boolean) };
    default: return undefined;
  }
}
