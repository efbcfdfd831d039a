// <luming-map>: a small map. Districts and rivers of the city profile, layers of the domains; nothing from outside.

import { FONT, json, look, paint, style } from "./onemap-base.js";
import { boxOf } from "./onemap-geo.js";

const FALLBACK = "#4c6ef5"; // colour of a feature that has none

class LumingMap extends HTMLElement {
  async connectedCallback() {
    this.area = Object.assign(document.createElement("div"), { className: "lm-map" });
    this.append(this.area);
    this.abort = new AbortController();
    try {
      this.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: this.dataset.style }));
      const [library, base, layers] = await Promise.all([
        import(this.dataset.library), json(this.dataset.base), json(this.dataset.layers),
      ]);
      this.library = library;
      library.setWorkerUrl(new URL(this.dataset.worker, window.location.href).href);
      this.draw(base, layers.layers);
    } catch (error) {
      console.warn("luming-map:", error.message);
      this.say(this.dataset.textFailed);
    }
  }

  disconnectedCallback() {
    this.abort.abort();
    this.map?.remove();
  }

  say(text) {
    this.area.replaceChildren(Object.assign(document.createElement("div"), { className: "lm-message h-100", textContent: text }));
  }

  draw(base, layers) {
    const [west, south, east, north] = this.bounds(base, layers);
    try {
      this.map = new this.library.Map({
        container: this.area, style: style(base), attributionControl: false, fadeDuration: 0,
        bounds: [[west, south], [east, north]], fitBoundsOptions: { padding: 24, maxZoom: 12 }, dragRotate: false, pitchWithRotate: false, touchPitch: false,
        minZoom: 5, maxZoom: 17, locale: { "Map.Title": this.dataset.textMap },
      });
    } catch (error) {
      this.say(this.dataset.textMissing);
      return;
    }
    this.map.addControl(new this.library.NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new this.library.ScaleControl({ maxWidth: 90 }), "bottom-right");
    this.map.on("load", () => {
      this.base = base;
      this.show(layers);
      this.buttons(layers);
      this.dataset.ready = "yes";
      const { signal } = this.abort;
      document.body.addEventListener("luming:tick", () => this.refresh(), { signal });
      document.addEventListener("luming:theme", () => this.paint(), { signal });
    });
  }

  // A few places are shown closely; a city is shown as its profile says, for its far corners would shrink all others.
  bounds(base, layers) {
    const features = layers.flatMap((layer) => layer.data.features);
    if (features.length < 1 || features.length > 12) return base.view;
    return boxOf(features.map((feature) => feature.geometry)) ?? base.view;
  }

  show(layers) {
    const small = (layer) => layer.data.features.some(({ properties }) => ["gas", "sewage"].includes(properties.medium));
    // The first layer lies on top of the others, and the small outlets on top of the stations.
    for (const layer of [...layers].reverse().sort((a, b) => small(a) - small(b))) {
      const id = `layer-${layer.key}`;
      this.map.addSource(id, { type: "geojson", data: layer.data });
      if (layer.data.features.some(({ geometry }) => geometry.type !== "Point")) {
        this.showShapes(id);
        continue;
      }
      const outlet = small(layer);
      const numbered = layer.data.features.some((feature) => feature.properties.medium === "air");
      const size = outlet ? 5 : numbered ? 13 : 8;
      const radius = (normal, large, none) => ["match", ["get", "state"], "exceeding", large, "no-data", none, normal];
      const rank = ["match", ["get", "state"], "exceeding", 2, "no-data", 0, 1]; // outlets of one site lie on each other
      this.map.addLayer({ id, type: "circle", source: id, layout: { "circle-sort-key": rank }, paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, radius(size * 0.75, size * 1.1, size * 0.5), 13, radius(size * 1.5, size * 1.9, size)],
        "circle-color": ["get", "colour"], "circle-stroke-color": outlet ? "#ffffff" : "#22403c", "circle-stroke-width": outlet ? 1 : 1.4, "circle-opacity": 0.95 } });
      if (!outlet) {
        this.map.addLayer({ id: `${id}-name`, type: "symbol", source: id, minzoom: 10.8, layout: {
          "text-field": ["get", "name"], "text-font": FONT, "text-size": 11, "text-offset": [0, 1.5], "text-anchor": "top", "text-optional": true },
        paint: { "text-color": look().text, "text-halo-color": look().halo, "text-halo-width": 1.3 } });
      }
      if (numbered) {
        this.map.addLayer({ id: `${id}-value`, type: "symbol", source: id, layout: {
          "text-field": ["case", ["!=", ["get", "value"], null], ["to-string", ["round", ["to-number", ["get", "value"], 0]]], ""],
          "text-font": FONT, "text-size": ["interpolate", ["linear"], ["zoom"], 8, 10, 13, 14], "text-allow-overlap": true },
        paint: { "text-color": ["match", ["get", "state"], ["level-1", "level-2", "level-3"], "#12211f", "#ffffff"] } });
      }
      this.map.on("mouseenter", id, (event) => this.point(event));
      this.map.on("mouseleave", id, () => this.leave());
      this.map.on("click", id, (event) => this.open(event));
    }
    this.layers = layers.map((layer) => layer.key);
  }

  // Lines and polygons; they lie below the points, which are added later or moved up.
  showShapes(id) {
    const colour = ["coalesce", ["get", "colour"], FALLBACK], before = this.map.getStyle().layers.find((layer) => layer.type === "circle")?.id;
    this.map.addLayer({ id, type: "fill", source: id, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour, "fill-opacity": 0.22 } }, before);
    this.map.addLayer({ id: `${id}-line`, type: "line", source: id, paint: { "line-color": colour, "line-width": 2 } }, before);
    this.map.on("mouseenter", id, (event) => this.point(event));
    this.map.on("mouseleave", id, () => this.leave());
  }

  buttons(layers) {
    const bar = Object.assign(document.createElement("div"), { className: "lm-layers" });
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", this.dataset.textLayers);
    for (const layer of layers) {
      if (!layer.data.features.length) continue;
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: `${layer.label} ${layer.data.features.length}` });
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(on));
        for (const id of ["", "-name", "-value", "-line"].map((part) => `layer-${layer.key}${part}`))
          if (this.map.getLayer(id)) this.map.setLayoutProperty(id, "visibility", on ? "visible" : "none");
      });
      bar.append(button);
    }
    const whole = Object.assign(document.createElement("button"), { type: "button", textContent: this.dataset.textWhole });
    whole.addEventListener("click", () => this.map.fitBounds(this.base.bounds, { padding: 20 }));
    bar.append(whole);
    this.append(bar);
  }

  // A feature may name its own page; else it is a place's.
  address({ properties, id }) {
    return properties.url ?? this.dataset.place?.replace("/0/", `/${id}/`);
  }

  card({ properties, id }) {
    const card = document.createElement("div");
    const url = this.address({ properties, id });
    const name = Object.assign(document.createElement(url ? "a" : "span"), { textContent: properties.name, className: "fw-bold", ...(url ? { href: url } : {}) });
    const state = Object.assign(document.createElement("div"), { className: "lm-state" });
    const dot = document.createElement("i");
    dot.style.background = properties.colour;
    state.append(dot, properties.label + (properties.medium === "air" && properties.value !== null && properties.value !== undefined ? ` · AQI ${Math.round(properties.value)}` : ""));
    card.append(name, state);
    return card;
  }

  point(event) {
    this.map.getCanvas().style.cursor = "pointer";
    this.popup ??= new this.library.Popup({ closeButton: false, closeOnClick: false, offset: 12 });
    const feature = event.features[0];
    this.popup.setLngLat(feature.geometry.type === "Point" ? feature.geometry.coordinates : event.lngLat).setDOMContent(this.card(feature)).addTo(this.map);
  }

  leave() {
    this.map.getCanvas().style.cursor = "";
    this.popup?.remove();
  }

  // A click opens the page at once with a mouse; with a finger the first tap shows the card, whose name is the link.
  open(event) {
    const feature = event.features[0];
    if (window.matchMedia("(hover: hover)").matches) {
      const url = this.address(feature);
      if (url) window.location.href = url;
      return;
    }
    this.tapped?.remove();
    this.tapped = new this.library.Popup({ offset: 12 }).setLngLat(feature.geometry.coordinates).setDOMContent(this.card(feature)).addTo(this.map);
  }

  paint() {
    paint(this.map, this.layers.map((key) => `layer-${key}-name`));
  }

  async refresh() {
    try {
      const { layers } = await json(this.dataset.layers);
      for (const layer of layers) this.map.getSource(`layer-${layer.key}`)?.setData(layer.data);
    } catch (error) {
      /* the shell says that the server cannot be reached */
    }
  }
}

customElements.define("luming-map", LumingMap);
