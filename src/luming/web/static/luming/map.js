// <luming-map>: the one map. Districts and rivers of the city profile, layers of the domains; nothing from outside.

const FONT = ["Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
const LOOKS = {
  light: { ground: "#eef2f1", district: "#fbfdfc", line: "#b9c7c4", outline: "#6f8c87", river: "#8cc4e0", text: "#51635f", halo: "#ffffff" },
  dark: { ground: "#111b1b", district: "#18262a", line: "#34484c", outline: "#6f9a94", river: "#2a6a8c", text: "#a9bdb9", halo: "#111b1b" },
};

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
        container: this.area, style: this.style(base), attributionControl: false, fadeDuration: 0,
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
    const points = layers.flatMap((layer) => layer.data.features.map((feature) => feature.geometry.coordinates));
    if (points.length < 1 || points.length > 12) return base.view;
    const [x, y] = [points.map((point) => point[0]), points.map((point) => point[1])];
    return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)];
  }

  get look() {
    return LOOKS[document.documentElement.getAttribute("data-bs-theme") === "dark" ? "dark" : "light"];
  }

  style(base) {
    const look = this.look;
    return {
      version: 8,
      sources: {
        districts: { type: "geojson", data: base.districts }, outline: { type: "geojson", data: base.outline }, rivers: { type: "geojson", data: base.rivers },
      },
      layers: [
        { id: "ground", type: "background", paint: { "background-color": look.ground } },
        { id: "districts", type: "fill", source: "districts", paint: { "fill-color": look.district } },
        { id: "borders", type: "line", source: "districts", paint: { "line-color": look.line, "line-width": 1.2, "line-dasharray": [3, 2] } },
        { id: "outline", type: "line", source: "outline", paint: { "line-color": look.outline, "line-width": 1.8 } },
        { id: "rivers", type: "line", source: "rivers", layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": look.river, "line-width": ["interpolate", ["linear"], ["zoom"], 7, 1.6, 11, 4, 14, 9] } },
        { id: "names", type: "symbol", source: "districts", layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 13, "text-letter-spacing": 0.08, "text-max-width": 12 }, paint: { "text-color": look.text, "text-halo-color": look.halo, "text-halo-width": 1.4 } },
      ],
    };
  }

  show(layers) {
    const small = (layer) => layer.data.features.some(({ properties }) => ["gas", "sewage"].includes(properties.medium));
    // The first layer lies on top of the others, and the small outlets on top of the stations.
    for (const layer of [...layers].reverse().sort((a, b) => small(a) - small(b))) {
      const id = `layer-${layer.key}`;
      this.map.addSource(id, { type: "geojson", data: layer.data });
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
        paint: { "text-color": this.look.text, "text-halo-color": this.look.halo, "text-halo-width": 1.3 } });
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
        for (const id of [`layer-${layer.key}`, `layer-${layer.key}-name`, `layer-${layer.key}-value`])
          if (this.map.getLayer(id)) this.map.setLayoutProperty(id, "visibility", on ? "visible" : "none");
      });
      bar.append(button);
    }
    const whole = Object.assign(document.createElement("button"), { type: "button", textContent: this.dataset.textWhole });
    whole.addEventListener("click", () => this.map.fitBounds(this.base.bounds, { padding: 20 }));
    bar.append(whole);
    this.append(bar);
  }

  card({ properties, id }) {
    const card = document.createElement("div");
    const name = Object.assign(document.createElement("a"), { textContent: properties.name, href: this.dataset.place.replace("/0/", `/${id}/`), className: "fw-bold" });
    const state = Object.assign(document.createElement("div"), { className: "lm-state" });
    const dot = document.createElement("i");
    dot.style.background = properties.colour;
    state.append(dot, properties.label + (properties.medium === "air" && properties.value !== null && properties.value !== undefined ? ` · AQI ${Math.round(properties.value)}` : ""));
    card.append(name, state);
    return card;
  }

  point(event) {
    this.map.getCanvas().style.cursor = "pointer";
    if (this.pinned) return;
    this.popup ??= new this.library.Popup({ closeButton: false, closeOnClick: false, offset: 12 });
    const feature = event.features[0];
    this.popup.setLngLat(feature.geometry.coordinates).setDOMContent(this.card(feature)).addTo(this.map);
  }

  leave() {
    this.map.getCanvas().style.cursor = "";
    this.popup?.remove();
  }

  // A click opens the page at once with a mouse; with a finger the first tap shows the card, whose name is the link.
  open(event) {
    const feature = event.features[0];
    if (window.matchMedia("(hover: hover)").matches) {
      window.location.href = this.dataset.place.replace("/0/", `/${feature.id}/`);
      return;
    }
    this.tapped?.remove();
    this.tapped = new this.library.Popup({ offset: 12 }).setLngLat(feature.geometry.coordinates).setDOMContent(this.card(feature)).addTo(this.map);
  }

  paint() {
    const look = this.look;
    const set = (id, name, value) => this.map.getLayer(id) && this.map.setPaintProperty(id, name, value);
    set("ground", "background-color", look.ground);
    set("districts", "fill-color", look.district);
    set("borders", "line-color", look.line);
    set("outline", "line-color", look.outline);
    set("rivers", "line-color", look.river);
    for (const id of ["names", ...this.layers.map((key) => `layer-${key}-name`)]) {
      set(id, "text-color", look.text);
      set(id, "text-halo-color", look.halo);
    }
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

async function json(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

customElements.define("luming-map", LumingMap);
