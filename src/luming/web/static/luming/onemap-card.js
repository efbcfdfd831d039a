// What a click shows, and the list of what is in view: the way to the same cards for keyboards and screen readers.

import { decimal, degrees, pointsOf } from "./onemap-geo.js";
import { element } from "./onemap-layers.js";

const LISTED = 150, TOLERANCE = 5; // rows; pixels around a click

export class Cards {
  constructor(app) {
    this.app = app;
    this.list = app.part("view-list");
    this.summary = app.part("view-count");
  }

  prepare() {
    const { map } = this.app;
    map.addSource("chosen", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    map.addLayer({ id: "chosen-edge", type: "line", source: "chosen", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": "#0b6e63", "line-width": 3 } });
    map.addLayer({ id: "chosen-point", type: "circle", source: "chosen", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 15, "circle-opacity": 0, "circle-stroke-color": "#0b6e63", "circle-stroke-width": 3 } });
    map.on("click", (event) => !this.app.draw.active && this.click(event));
    map.on("mousemove", (event) => {
      if (!this.app.draw.active) map.getCanvas().style.cursor = this.under(event.point).length ? "pointer" : "";
    });
  }

  // What lies under a place of the screen: [source, id], each once, in the order of the layers.
  under({ x, y }) {
    const layers = [...this.app.layers.clickable, ...this.app.files.clickable];
    if (!layers.length) return [];
    return this.app.map.queryRenderedFeatures([[x - TOLERANCE, y - TOLERANCE], [x + TOLERANCE, y + TOLERANCE]], { layers });
  }

  async click(event) {
    const seen = new Set(), found = [];
    for (const hit of this.under(event.point)) {
      const name = `${hit.source} ${hit.id}`;
      if (seen.has(name)) continue;
      seen.add(name);
      if (hit.properties.cluster) {
        if (found.length) continue;
        const zoom = await this.app.map.getSource(hit.source).getClusterExpansionZoom(hit.properties.cluster_id);
        this.app.map.easeTo({ center: hit.geometry.coordinates, zoom: zoom + 0.2 });
        return;
      }
      found.push([hit.source, hit.id]);
    }
    if (found.length) this.open(found.slice(0, 8), [event.lngLat.lng, event.lngLat.lat]);
    else this.close();
  }

  // The layer and the feature as it was loaded; the map's own copy has lost lists and nothings.
  find([source, id]) {
    const own = this.app.files.find(source, id);
    if (own) return { layer: null, ...own };
    const layer = this.app.layers.layer(source.replace(/^l-/, ""));
    const feature = layer && this.app.layers.loaded.get(layer.key)?.byId.get(String(id));
    return feature && { layer, feature };
  }

  open(names, point) {
    const found = names.map((name) => this.find(name)).filter(Boolean);
    if (!found.length) return;
    const first = found[0], at = first.feature.geometry.type === "Point" ? first.feature.geometry.coordinates : point;
    const card = element("div", { className: "om-card" });
    const show = (one) => card.replaceChildren(...this.parts(one, at), ...(found.length > 1 ? [this.others(found, one, show)] : []));
    show(first);
    const before = this.popup?.getElement()?.contains(document.activeElement) ? this.back : document.activeElement;
    this.popup?.remove();
    this.back = before;
    card.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.popup = new this.app.library.Popup({ offset: 14, maxWidth: "20rem", closeOnClick: false }).setLngLat(at).setDOMContent(card).addTo(this.app.map);
    this.popup.on("close", () => {
      this.mark(null);
      this.app.changed("card");
      // Whoever came from the list goes on in the list, which may have been written again meanwhile.
      if (![document.body, null].includes(document.activeElement)) return;
      const back = this.back?.isConnected ? this.back : this.inList(this.back?.dataset.feature);
      back?.focus({ preventScroll: true });
    });
    this.mark(first);
    this.app.changed("card");
  }

  // The feature whose card is shown, on the map and in the address; null is none.
  mark(one) {
    this.app.map.getSource("chosen")?.setData({ type: "FeatureCollection", features: one ? [{ type: "Feature", properties: {}, geometry: one.feature.geometry }] : [] });
    this.key = one?.layer ? `${one.layer.key}:${one.feature.id}` : undefined;
  }

  close() {
    this.popup?.remove();
    this.popup = undefined;
  }

  others(found, shown, show) {
    const list = element("ul", { className: "om-others" });
    for (const one of found) {
      if (one === shown) continue;
      const button = element("button", { type: "button", textContent: one.feature.properties.name ?? "—" });
      button.addEventListener("click", () => {
        show(one);
        this.mark(one);
        this.app.changed("card");
        this.popup.getElement().querySelector("a, button")?.focus();
      });
      list.append(element("li", {}, [button]));
    }
    return element("div", {}, [element("p", { className: "lm-eyebrow", textContent: this.app.t("also-here") }), list]);
  }

  parts({ layer, file, feature }, at) {
    const { t, setup } = this.app, { properties, geometry } = feature, name = properties.name ?? "—";
    const url = layer?.page ? setup.urls.feature.replace("KEY", encodeURIComponent(layer.key)).replace("ID", encodeURIComponent(feature.id)) : undefined;
    const title = url ? element("a", { href: url, textContent: name }) : element("span", { textContent: name });
    const rows = [];
    const row = (label, value) => value !== undefined && value !== "" && rows.push(element("dt", { textContent: label }), element("dd", {}, [value]));
    if (layer) {
      const word = properties.label ?? layer.legend.find(({ state }) => state === properties.state)?.label;
      if (word) {
        const dot = element("i");
        dot.style.background = properties.colour ?? "#868e96";
        row(t("state"), element("span", { className: "lm-state" }, [dot, word]));
      }
      row(t("value"), properties.headline ?? (layer.geometry === "point" && properties.value !== undefined && !properties.facts ? String(Math.round(properties.value * 1000) / 1000) : undefined));
      if (properties.period) row(t("period"), this.app.moment(properties.period));
      if (properties.since) row(t("since"), this.app.moment(properties.since));
      for (const [label, value] of properties.facts ?? []) row(label, typeof value === "number" ? value.toLocaleString() : String(value));
      row(t("code"), properties.code);
      row(t("layer"), layer.label);
    } else {
      for (const [label, value] of Object.entries(properties)) if (label !== "name") row(label, String(value));
      row(t("file"), file.name);
    }
    if (geometry.type === "Point") row(t("position"), element("span", {}, [decimal(geometry.coordinates), element("br"), degrees(geometry.coordinates)]));
    const actions = element("div", { className: "om-actions" });
    const action = (label, act) => {
      const button = element("button", { type: "button", className: "btn btn-sm", textContent: label });
      button.addEventListener("click", () => {
        this.close();
        act();
      });
      actions.append(button);
    };
    if (url) actions.append(element("a", { className: "btn btn-sm btn-primary", href: url, textContent: t("open-page") }));
    const polygon = /Polygon$/.test(geometry.type);
    if (layer) action(t("around"), () => this.around(layer, feature, polygon ? 0 : 1000));
    else if (polygon) action(t("inside"), () => this.app.area.set({ geometry }));
    action(t("upwind"), () => this.app.wind.from(at));
    return [element("h2", {}, [title]), element("dl", { className: "lm-kv" }, rows), actions];
  }

  around(layer, feature, distance) {
    const form = this.app.part("around-form");
    this.app.openTab("area");
    form.hidden = false;
    this.app.part("around-name").textContent = feature.properties.name ?? "—";
    const field = this.app.part("around-distance");
    field.value = distance;
    field.min = /Polygon$/.test(feature.geometry.type) ? 0 : 1;
    form.onsubmit = (event) => {
      event.preventDefault();
      const metres = Number(field.value);
      if (!(metres >= Number(field.min) && metres <= 200000)) return this.app.wrong(field, this.app.t("no-radius"));
      return this.app.area.around(layer.key, feature.id, metres);
    };
    this.app.area.around(layer.key, feature.id, distance);
  }

  // Go to a feature: bring it into the middle, show its layer and its card.
  async goTo(key, id) {
    await this.app.layers.show(key);
    const feature = this.app.layers.loaded.get(key)?.byId.get(String(id));
    if (!feature) return this.app.say(this.app.t("feature-gone"));
    const point = middle(feature.geometry);
    this.app.foldSheet(); // first: it gives the map its height
    if (feature.geometry.type === "Point") {
      // On a low map the card has its place above the point.
      const offset = [0, this.app.map.getContainer().clientHeight < 720 ? 130 : 0];
      this.app.map.easeTo({ center: point, zoom: Math.max(this.app.map.getZoom(), 11.5), duration: this.app.pace, offset });
    }
    return this.open([[`l-${key}`, id]], point);
  }

  // ---- what is in view ---------------------------------------------------------------------------------------------

  fillList() {
    const { app } = this, box = app.map.getBounds(), found = [];
    let total = 0;
    for (const key of app.layers.keys) {
      const layer = app.layers.layer(key);
      for (const feature of app.layers.loaded.get(key)?.data.features ?? []) {
        if (!inView(feature.geometry, box)) continue;
        total++;
        found.push([layer, feature]);
      }
    }
    const text = app.t("in-view", { n: total.toLocaleString() });
    if (this.summary.textContent !== text) this.summary.textContent = text; // a live region speaks when it changes
    if (app.part("pane-list").hidden) return;
    const rank = ([, feature]) => feature.properties.attention ?? 0;
    found.sort((a, b) => rank(b) - rank(a));
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.feature : undefined;
    this.list.replaceChildren(...found.slice(0, LISTED).map(([layer, feature]) => this.listed(layer, feature)));
    if (total > LISTED) this.list.append(element("li", { className: "om-more", textContent: app.t("more-rows", { n: LISTED }) }));
    if (!total) this.list.append(element("li", { className: "om-none", textContent: app.t("nothing-in-view") }));
    if (focused) this.inList(focused)?.focus({ preventScroll: true });
  }

  inList(feature) {
    return feature && this.list.querySelector(`[data-feature="${CSS.escape(feature)}"]`);
  }

  listed(layer, feature) {
    const dot = element("i"), { properties } = feature;
    dot.style.background = properties.colour ?? "#868e96";
    const word = properties.label ?? layer.legend.find(({ state }) => state === properties.state)?.label ?? "";
    const name = element("button", { type: "button", className: "om-find", textContent: properties.name ?? "—" });
    name.dataset.feature = `${layer.key}:${feature.id}`;
    name.addEventListener("click", () => this.goTo(layer.key, feature.id));
    return element("li", {}, [dot, name, element("small", { textContent: [word, properties.headline].filter(Boolean).join(" · ") })]);
  }
}

function middle(geometry) {
  let [x, y, n] = [0, 0, 0];
  for (const point of pointsOf(geometry)) {
    x += point[0];
    y += point[1];
    n++;
  }
  return [x / n, y / n];
}

function inView(geometry, box) {
  if (geometry.type === "Point") return box.contains(geometry.coordinates);
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of pointsOf(geometry)) {
    west = Math.min(west, x);
    south = Math.min(south, y);
    east = Math.max(east, x);
    north = Math.max(north, y);
  }
  return west <= box.getEast() && east >= box.getWest() && south <= box.getNorth() && north >= box.getSouth();
}
