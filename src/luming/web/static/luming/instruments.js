// <luming-drift>: control charts of an instrument's drifts, one grid per factor and kind of calibration.
//
// The points are calibrations, coloured by their result; dashed lines are the limits of the standard, the grey band is
// three sigma of the instrument, the thin line its EWMA. Times are the city's: the axis runs in "UTC" with the offset.

const GRID = 150;
const SPACE = 64;
const FIRST = 6; // charts before a person asks for all; what drifts comes first
const WIDE = 640; // px from which two charts stand side by side
const TONES = { "is-good": "#2f9e6e", "is-warn": "#f2b134", "is-bad": "#d9534f", "": "#868e96" };

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

// The next of 1, 2, 5, 10, 20 … so that the axis has round figures.
function nice(bound) {
  const power = 10 ** Math.floor(Math.log10(bound));
  return [1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= bound * 0.999) * power;
}

class LumingDrift extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.dataset.textChart);
    this.area = document.createElement("div");
    this.more = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", hidden: true });
    this.more.addEventListener("click", () => {
      this.all = true;
      this.draw();
    });
    this.append(this.area, this.more);
    this.abort = new AbortController();
    document.addEventListener("luming:theme", () => this.draw(), { signal: this.abort.signal });
    this.resizing = new ResizeObserver(() => {
      if (this.drifts && this.columns() !== this.drawn) this.draw();
      else this.chart?.resize();
    });
    this.resizing.observe(this);
    this.fetch();
  }

  disconnectedCallback() {
    this.abort.abort();
    this.resizing.disconnect();
    this.chart?.dispose();
  }

  async fetch() {
    try {
      const [answer] = await Promise.all([
        fetch(this.dataset.url, { headers: { Accept: "application/json" } }),
        load(this.dataset.library),
      ]);
      if (!answer.ok) throw new Error(answer.status);
      this.drifts = (await answer.json()).drifts;
      this.draw();
    } catch (error) {
      this.area.replaceChildren(Object.assign(document.createElement("div"), { className: "lm-message", textContent: this.dataset.textFailed }));
    }
  }

  columns() {
    return this.clientWidth >= WIDE ? 2 : 1;
  }

  draw() {
    if (!this.drifts?.length) return;
    this.drawn = this.columns();
    this.shown = this.all ? this.drifts : this.drifts.slice(0, FIRST);
    this.more.hidden = this.shown.length === this.drifts.length;
    this.more.textContent = `${this.dataset.textAll} (${this.drifts.length})`;
    const dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
    this.area.style.height = `${Math.ceil(this.shown.length / this.drawn) * (GRID + SPACE)}px`;
    this.chart?.dispose();
    this.chart = window.echarts.init(this.area, dark ? "dark" : null);
    this.chart.on("click", (event) => {
      if (event.data?.url) window.location.assign(event.data.url);
    });
    this.chart.setOption(this.option(dark));
    this.dataset.ready = "";
  }

  option(dark) {
    const muted = dark ? "#a3b0bf" : "#5b6775";
    const option = {
      backgroundColor: "transparent", animation: false, useUTC: true,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      tooltip: { trigger: "item", confine: true, formatter: (event) => this.tip(event) },
      title: [], grid: [], xAxis: [], yAxis: [], series: [],
    };
    const half = this.drawn === 2;
    this.shown.forEach((one, index) => {
      const top = Math.floor(index / this.drawn) * (GRID + SPACE) + 44;
      const right = half && index % 2 === 1;
      const sides = { left: right ? "56%" : 48, right: half && !right ? "53%" : 16 };
      option.title.push({ text: `${one.label}  (${one.unit})`, subtext: `${one.course}${one.edition ? ` · ${one.edition}` : ""}`, top: top - 44, left: right ? "51%" : 4, itemGap: 3,
        textStyle: { fontSize: 12, fontWeight: 600, width: this.clientWidth / this.drawn - 12, overflow: "truncate" },
        subtextStyle: { fontSize: 11, color: muted, width: this.clientWidth / this.drawn - 12, overflow: "truncate" } });
      option.grid.push({ top, height: GRID - 30, ...sides });
      option.xAxis.push({ type: "time", gridIndex: index, splitLine: { show: false }, axisLabel: { hideOverlap: true, formatter: "{MM}-{dd}" } });
      const bound = nice(Math.max(...this.bounds(one), 0.1) * 1.05);
      option.yAxis.push({ type: "value", gridIndex: index, min: -bound, max: bound, interval: bound / 2,
        axisLabel: { fontSize: 11, formatter: (value) => Number(value.toPrecision(3)) }, splitLine: { lineStyle: { color: dark ? "#2b3a4a" : "#e6ebea" } } });
      option.series.push(...this.lines(one, index, dark));
    });
    return option;
  }

  bounds(one) {
    const own = one.points.map((point) => Math.abs(point.v));
    return [...own, one.control ?? one.adjust ?? 0, Math.abs(one.high ?? 0)];
  }

  lines(one, index, dark) {
    const axes = { xAxisIndex: index, yAxisIndex: index };
    const at = (point) => point.t + one.offset;
    const limits = [[one.adjust, this.dataset.textAdjust, "#b4540a"], [one.control, this.dataset.textControl, "#d63939"]]
      .filter(([value]) => value !== null)
      .flatMap(([value, name, color]) => [value, -value].map((yAxis) => ({ yAxis, name, lineStyle: { color }, label: { color } })));
    const points = { ...axes, type: "line", z: 4, name: this.dataset.textDrift, symbol: "circle", symbolSize: 8, lineStyle: { width: 1, color: "#868e96" },
      data: one.points.map((point, position) => ({ value: [at(point), point.v], ...point, unit: one.unit,
        symbol: one.broken.includes(position) ? "diamond" : "circle", symbolSize: one.broken.includes(position) ? 12 : 8, itemStyle: { color: TONES[point.tone] } })),
      markLine: { silent: true, symbol: "none", lineStyle: { type: "dashed", width: 1.2 }, label: { formatter: "{b}", position: "insideEndTop", fontSize: 10 }, data: limits } };
    if (one.low !== null) {
      points.markArea = { silent: true, itemStyle: { color: "rgba(130,140,150,.14)" }, data: [[{ yAxis: one.low }, { yAxis: one.high }]] };
    }
    const average = { ...axes, type: "line", z: 3, name: this.dataset.textEwma, symbol: "none", silent: true, lineStyle: { width: 1.4, color: dark ? "#6fb3e0" : "#2176ae" },
      data: one.points.map((point, position) => [at(point), one.ewma[position]]) };
    return [average, points];
  }

  tip(event) {
    const point = event.data;
    if (!point?.t) return "";
    const when = new Date(event.value[0]).toISOString().slice(0, 16).replace("T", " ");
    const box = document.createElement("div");
    [when, `${point.v > 0 ? "+" : ""}${Number(point.v.toPrecision(4))} ${point.unit}`, point.result, point.by].filter(Boolean).forEach((text) =>
      box.append(Object.assign(document.createElement("div"), { textContent: text })));
    return box;
  }
}

customElements.define("luming-drift", LumingDrift);
