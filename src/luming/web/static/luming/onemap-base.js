// What lies below the layers, for every map: districts, rivers, hill shade from here; tiles of Tianditu with a key only.

export const FONT = ["Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
const LOOKS = {
  light: { ground: "#eef2f1", district: "#fbfdfc", line: "#b9c7c4", outline: "#6f8c87", river: "#8cc4e0", text: "#51635f", halo: "#ffffff", relief: 0.55 },
  dark: { ground: "#111b1b", district: "#18262a", line: "#34484c", outline: "#6f9a94", river: "#2a6a8c", text: "#a9bdb9", halo: "#111b1b", relief: 0.6 },
};
// Ours, drawn by the browser; the tiles hide them.
const DRAWN = ["districts", "relief", "rivers", "names"];
const TILES = { vec: "cva", img: "cia", ter: "cta" }; // base -> its annotations

// The hill shade is coarse: it orients from afar, and would be fog from near.
const fading = (most) => ["interpolate", ["linear"], ["zoom"], 8, most, 9.5, most * 0.5, 11, 0];

export const look = () => LOOKS[document.documentElement.getAttribute("data-bs-theme") === "dark" ? "dark" : "light"];

export function style(base) {
  const now = look();
  return {
    version: 8,
    sources: {
      districts: { type: "geojson", data: base.districts }, names: { type: "geojson", data: base.names }, outline: { type: "geojson", data: base.outline }, rivers: { type: "geojson", data: base.rivers },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": now.ground } },
      { id: "districts", type: "fill", source: "districts", paint: { "fill-color": now.district } },
      { id: "borders", type: "line", source: "districts", paint: { "line-color": now.line, "line-width": 1.2, "line-dasharray": [3, 2] } },
      { id: "outline", type: "line", source: "outline", paint: { "line-color": now.outline, "line-width": 1.8 } },
      { id: "rivers", type: "line", source: "rivers", layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": now.river, "line-width": ["interpolate", ["linear"], ["zoom"], 7, 1.6, 11, 4, 14, 9] } },
      { id: "names", type: "symbol", source: "names", layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 13, "text-letter-spacing": 0.08, "text-max-width": 12 }, paint: { "text-color": now.text, "text-halo-color": now.halo, "text-halo-width": 1.4 } },
    ],
  };
}

export function paint(map, labels = []) {
  const now = look();
  const set = (id, name, value) => map.getLayer(id) && map.setPaintProperty(id, name, value);
  set("ground", "background-color", now.ground);
  set("districts", "fill-color", now.district);
  set("borders", "line-color", now.line);
  set("outline", "line-color", now.outline);
  set("rivers", "line-color", now.river);
  set("relief", "raster-opacity", fading(now.relief));
  for (const id of ["names", ...labels]) {
    set(id, "text-color", now.text);
    set(id, "text-halo-color", now.halo);
  }
}

// Hill shade and tiles of the one map. The picture is asked for when it is shown first, a tile never without a key.
export class Base {
  constructor(map, { relief, tianditu }) {
    Object.assign(this, { map, relief, tianditu, chosen: "plain", shaded: true });
  }

  get choices() {
    return this.tianditu ? ["plain", "vec", "img", "ter"] : ["plain"];
  }

  show(chosen, shaded = this.shaded) {
    this.chosen = this.choices.includes(chosen) ? chosen : "plain";
    this.shaded = shaded && Boolean(this.relief);
    const plain = this.chosen === "plain";
    if (plain && this.shaded) this.addRelief();
    for (const [base, words] of Object.entries(TILES))
      for (const name of [base, words]) {
        if (this.chosen === base) this.addTiles(name);
        if (this.map.getLayer(`tiles-${name}`)) this.visible(`tiles-${name}`, this.chosen === base);
      }
    for (const id of DRAWN) if (this.map.getLayer(id)) this.visible(id, plain && (id !== "relief" || this.shaded));
  }

  visible(id, yes) {
    this.map.setLayoutProperty(id, "visibility", yes ? "visible" : "none");
  }

  addRelief() {
    if (this.map.getSource("relief")) return;
    const [west, south, east, north] = this.relief.bounds;
    this.map.addSource("relief", { type: "image", url: this.relief.url, coordinates: [[west, north], [east, north], [east, south], [west, south]] });
    this.map.addLayer({ id: "relief", type: "raster", source: "relief", maxzoom: 11, paint: { "raster-opacity": fading(look().relief), "raster-fade-duration": 0 } }, "borders");
  }

  addTiles(name) {
    const id = `tiles-${name}`;
    if (this.map.getSource(id)) return;
    const query = `SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=${name}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}`;
    const tiles = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `https://t${n}.tianditu.gov.cn/${name}_w/wmts?${query}&tk=${encodeURIComponent(this.tianditu)}`);
    this.map.addSource(id, { type: "raster", tiles, tileSize: 256, minzoom: 1, maxzoom: name.startsWith("t") || name === "cta" ? 14 : 18 });
    this.map.addLayer({ id, type: "raster", source: id, paint: { "raster-fade-duration": 0 } }, "borders");
  }
}

export async function json(url, options = {}) {
  const answer = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
  if (answer.redirected && answer.url.includes("/sign-in/")) throw Object.assign(new Error("signed out"), { signedOut: true });
  if (!answer.ok) {
    const body = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(body.error ?? `${url}: ${answer.status}`), { sentence: body.error });
  }
  return answer.json();
}
