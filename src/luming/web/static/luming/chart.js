// <luming-chart>: values of one place, one grid per factor over a common time axis.
//
// Gaps are breaks in the line; marked values and values beyond a limit have points of their own; the band is what the
// device sent as minimum and maximum. A click on a point opens the value with its packet. Times are the city's,
// whatever zone the browser lives in: the server sends the offset and the axis runs in "UTC".

import { openDrawer } from "./shell.js";

const GRID = 150; // px of one factor
const SPACE = 46; // px between two grids: the title of the next
const COLOURS = ["#0b6e63", "#b4540a", "#4453c4", "#8a3b9a", "#2176ae", "#7a6a00"];

let library;
function load(url) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.echarts);
    script.onerror = () => reject(new Error("echarts"));
    document.head.append(script);
  });
  return library;
}

class LumingChart extends HTMLElement {
  connectedCallback() {
    this.form = document.getElementById(this.dataset.form);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.dataset.textChart);
    this.note = Object.assign(document.createElement("div"), { className: "text-secondary small mb-1" });
    this.area = document.createElement("div");
    this.append(this.note, this.area);
    this.area.style.minHeight = `${GRID + SPACE}px`;
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.form.addEventListener("submit", (event) => event.preventDefault(), { signal });
    this.form.addEventListener("change", () => this.changed(), { signal });
    document.addEventListener("luming:theme", () => this.redraw(), { signal });
    document.body.addEventListener("luming:tick", () => this.follow(), { signal });
    new ResizeObserver(() => this.chart?.resize()).observe(this);
    this.look();
  }

  disconnectedCallback() {
    this.abort.abort();
    this.chart?.dispose();
  }

  // What is looked at, as the query of the address: only what differs from nothing.
  query() {
    const query = new URLSearchParams(new FormData(this.form));
    if (query.get("span") !== "custom") ["from", "to"].forEach((name) => query.delete(name));
    return query;
  }

  changed() {
    const custom = this.form.querySelector("[data-custom]");
    custom.hidden = this.form.elements.span.value !== "custom";
    const interval = this.form.elements.interval;
    if (this.interval && interval.value !== this.interval) {
      // another interval may have other factors: let the server choose
      window.location.search = new URLSearchParams([...this.query()].filter(([name]) => name !== "factor"));
      return;
    }
    history.replaceState(null, "", `?${this.query()}`);
    this.look();
  }

  look() {
    this.interval = this.form.elements.interval.value;
    const csv = this.form.querySelector("[data-csv]");
    csv.href = `${csv.href.split("?")[0]}?${this.query()}`;
    document.body.dispatchEvent(new CustomEvent("luming:look"));
    return this.fetch();
  }

  // New values join the chart while it shows the present.
  follow() {
    if (this.form.elements.span.value === "24h" && !this.chart?.pointerInside) this.fetch();
  }

  async fetch() {
    try {
      const [answer] = await Promise.all([
        fetch(`${this.dataset.url}?${this.query()}`, { headers: { Accept: "application/json" } }),
        load(this.dataset.library),
      ]);
      if (!answer.ok) throw new Error(answer.status);
      const text = await answer.text();
      if (text === this.text) return;
      this.text = text;
      this.data = JSON.parse(text);
      this.redraw();
    } catch (error) {
      if (!this.data) this.say(this.dataset.textFailed);
    }
  }

  say(text) {
    this.chart?.dispose();
    this.chart = null;
    this.area.replaceChildren(Object.assign(document.createElement("div"), { className: "lm-message", textContent: text }));
  }

  redraw() {
    if (!this.data) return;
    const series = this.data.series.filter((one) => one.t.length);
    if (!series.length) {
      this.note.textContent = "";
      this.say(this.dataset.textEmpty);
      return;
    }
    const thinned = series.some((one) => one.bucket);
    this.note.textContent = thinned ? this.dataset.textThinned : this.dataset.textOpen;
    const dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
    this.area.style.height = `${series.length * (GRID + SPACE) + 12}px`;
    if (!this.chart || this.dark !== dark) {
      this.chart?.dispose();
      this.area.replaceChildren();
      this.chart = window.echarts.init(this.area, dark ? "dark" : null);
      this.dark = dark;
      this.chart.on("click", (event) => this.open(event));
      this.chart.getZr().on("click", (event) => this.openNearest(event));
      this.chart.getZr().on("mousemove", () => (this.chart.pointerInside = true));
      this.chart.getZr().on("globalout", () => (this.chart.pointerInside = false));
    }
    this.shown = series;
    this.chart.setOption(this.option(series, dark), true);
  }

  option(series, dark) {
    const { offset, start, end } = this.data;
    const option = {
      backgroundColor: "transparent",
      animation: false,
      useUTC: true,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      tooltip: { trigger: "axis", axisPointer: { type: "line" }, confine: true, formatter: (points) => this.tip(points) },
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      grid: [], xAxis: [], yAxis: [], series: [], title: [],
      dataZoom: [{ type: "inside", xAxisIndex: series.map((_, index) => index), zoomOnMouseWheel: "ctrl" }],
    };
    series.forEach((one, index) => {
      const top = index * (GRID + SPACE) + 28;
      const colour = (dark ? LIGHT : COLOURS)[index % COLOURS.length];
      option.title.push({
        text: one.unit ? `${one.name}  {unit|${one.unit}}` : one.name, top: top - 26, left: 4,
        textStyle: { fontSize: 12, fontWeight: 600, rich: { unit: { fontWeight: 400, color: dark ? "#a3b0bf" : "#5b6775" } } },
      });
      option.grid.push({ top, height: GRID - 22, left: 52, right: 16 });
      const last = index === series.length - 1;
      option.xAxis.push({
        type: "time", gridIndex: index, min: start + offset, max: end + offset, splitLine: { show: false },
        axisLabel: { show: last, hideOverlap: true, formatter: LABELS }, axisTick: { show: last },
      });
      option.yAxis.push({ type: "value", gridIndex: index, scale: true, splitNumber: 3, axisLabel: { fontSize: 11 },
        splitLine: { lineStyle: { color: dark ? "#2b3a4a" : "#e6ebea" } } });
      option.series.push(...this.lines(one, index, colour, offset));
    });
    return option;
  }

  lines(one, index, colour, offset) {
    const axes = { xAxisIndex: index, yAxisIndex: index };
    const points = broken(one, one.v, offset);
    const found = [];
    if (one.low) {
      const low = broken(one, one.low, offset);
      const high = broken(one, one.high, offset);
      const band = { ...axes, type: "line", stack: `band-${index}`, symbol: "none", silent: true, lineStyle: { opacity: 0 }, tooltip: { show: false }, z: 1 };
      found.push({ ...band, data: low, stackStrategy: "all" });
      found.push({ ...band, stackStrategy: "all", areaStyle: { color: colour, opacity: 0.13 },
        data: high.map(([time, value], at) => [time, value === null || low[at][1] === null ? null : value - low[at][1]]) });
    }
    const line = { ...axes, name: one.name, id: `v-${index}`, type: "line", data: points, color: colour, connectNulls: false, z: 3,
      lineStyle: { width: 1.6 }, symbol: "circle", symbolSize: one.t.length > 300 ? 3 : 5, showSymbol: one.t.length <= 400,
      emphasis: { scale: 2 } };
    const bounds = [one.limit?.upper, one.limit?.lower].filter((value) => value !== null && value !== undefined);
    if (bounds.length) {
      line.markLine = { silent: true, symbol: "none", lineStyle: { color: "#d63939", type: "dashed", width: 1.2 },
        label: { formatter: ({ value }) => `${this.dataset.textLimit} ${value}`, position: "insideEndTop", color: "#d63939", fontSize: 11 },
        data: bounds.map((yAxis) => ({ yAxis })) };
      line.markLine.precision = 6;
    }
    const gaps = this.data.gaps.map((gap) => [
      { xAxis: Math.max(gap.start, this.data.start) + offset, name: gap.cause }, { xAxis: Math.min(gap.end, this.data.end) + offset },
    ]);
    if (gaps.length) line.markArea = { silent: true, itemStyle: { color: "rgba(130,140,150,.16)" }, label: { show: false }, data: gaps };
    found.push(line);
    const special = (indices, look) => found.push({ ...axes, ...look, type: "scatter", z: 5, tooltip: { show: false },
      data: indices.map((at) => ({ value: [one.t[at] + offset, one.v[at]], at })) });
    if (one.exceeding.length) special(one.exceeding, { id: `x-${index}`, color: "#d63939", symbolSize: 7 });
    // what checks or people keep out of every statistic stays visible, as a hollow point
    if (one.out?.length) special(one.out.map(([at]) => at).filter((at) => one.v[at] !== null), { id: `o-${index}`, symbol: "circle", symbolSize: 8,
      itemStyle: { color: "#fff", borderColor: "#7b3fb5", borderWidth: 2 } });
    const marked = one.flags.map(([at]) => at).filter((at) => one.v[at] !== null);
    if (marked.length) special(marked, { id: `f-${index}`, color: "#f59f00", symbol: "diamond", symbolSize: 9 });
    // an axis must reach its limit, or the line that matters is outside the picture
    if (bounds.length) found.push({ ...axes, type: "line", data: bounds.map((value) => [this.data.start + offset, value]), symbol: "none", lineStyle: { opacity: 0 }, silent: true, tooltip: { show: false } });
    return found;
  }

  tip(points) {
    const lines = [];
    let head = "";
    for (const point of points) {
      if (!point.seriesId?.startsWith("v-") || point.value[1] === null) continue;
      const one = this.shown[Number(point.seriesId.slice(2))];
      const at = one.t.indexOf(point.value[0] - this.data.offset);
      head ||= this.span(point.value[0], one.bucket || one.seconds);
      const flag = one.flags.find(([index]) => index === at);
      const out = one.out?.find(([index]) => index === at);
      const range = one.low && one.low[at] !== null ? ` <small>(${short(one.low[at])} – ${short(one.high[at])})</small>` : "";
      lines.push(`${point.marker}${escape(one.name)} <b>${short(point.value[1])}</b> ${escape(one.unit)}${range}${flag ? ` · ${escape(flag[1])} ${escape(flag[2])}` : ""}${out ? ` · ${escape(out[1])}` : ""}`);
    }
    return lines.length ? [head, ...lines].join("<br>") : "";
  }

  span(time, seconds) {
    const text = (moment) => new Date(moment).toISOString();
    const start = text(time);
    if (this.data.interval === "realtime" && seconds < 60) return start.slice(5, 19).replace("T", " ");
    if (seconds >= 86400) return start.slice(0, 10);
    return `${start.slice(5, 16).replace("T", " ")} – ${text(time + seconds * 1000).slice(11, 16)}`;
  }

  open(event) {
    if (!event.seriesId || !/^[vxfo]-/.test(event.seriesId)) return;
    const one = this.shown[Number(event.seriesId.slice(2))];
    const at = event.data.at ?? one.t.indexOf(event.value[0] - this.data.offset);
    this.opened = Date.now();
    this.show(one, at);
  }

  // A click beside the points takes the nearest one of the grid: small points are hard to hit, above all on a phone.
  openNearest(event) {
    setTimeout(() => {
      if (Date.now() - (this.opened ?? 0) < 200) return;
      const pixel = [event.offsetX, event.offsetY];
      const grid = this.shown.findIndex((_, index) => this.chart.containPixel({ gridIndex: index }, pixel));
      if (grid < 0) return;
      const one = this.shown[grid];
      const [time] = this.chart.convertFromPixel({ gridIndex: grid }, pixel);
      let best = 0;
      one.t.forEach((moment, at) => {
        if (one.v[at] !== null && Math.abs(moment + this.data.offset - time) < Math.abs(one.t[best] + this.data.offset - time)) best = at;
      });
      this.show(one, best);
    }, 0);
  }

  show(one, at) {
    if (at < 0) return;
    const start = one.at ? one.at[at] : one.t[at];
    openDrawer(this.dataset.value.replace(/0\/0\/$/, `${one.id}/${start}/`));
  }
}

// A missing period breaks the line: a point without value stands in for it.
function broken(one, values, offset) {
  const step = (one.bucket || one.seconds) * 1500;
  const points = [];
  for (let at = 0; at < one.t.length; at += 1) {
    if (at && one.t[at] - one.t[at - 1] > step) points.push([one.t[at - 1] + step / 1.5 + offset, null]);
    points.push([one.t[at] + offset, values[at]]);
  }
  return points;
}

const LABELS = { year: "{yyyy}", month: "{yyyy}-{MM}", day: "{MM}-{dd}", hour: "{HH}:{mm}", minute: "{HH}:{mm}", second: "{HH}:{mm}:{ss}" };
const short = (value) => (value === null ? "—" : String(Number(value.toPrecision(6))));
const escape = (text) => String(text).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const LIGHT = ["#3fc0ae", "#f0a35e", "#97a2ff", "#d48be4", "#6cbbf0", "#d9c64a"];

customElements.define("luming-chart", LumingChart);
