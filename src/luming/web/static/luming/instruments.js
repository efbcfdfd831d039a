// <luming-drift>: control charts of an instrument's drifts, one grid per factor and kind of calibration.
//
// The points are calibrations, coloured by their result; dashed lines are the limits of the standard, the grey band is
// three sigma of the instrument, the thin line its EWMA. Times are the city's: the axis runs in "UTC" with the offset.

const GRID = 170;
const SPACE = 64;
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
    this.append(this.area);
    this.abort = new AbortController();
    document.addEventListener("luming:theme", () => this.draw(), { signal: this.abort.signal });
    this.resizing = new ResizeObserver(() => this.chart?.resize());
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

  draw() {
    if (!this.drifts?.length) return;
    const dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
    this.area.style.height = `${this.drifts.length * (GRID + SPACE)}px`;
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
    this.drifts.forEach((one, index) => {
      const top = index * (GRID + SPACE) + 44;
      option.title.push({ text: `${one.label}  (${one.unit})`, subtext: `${one.course}${one.edition ? ` · ${one.edition}` : ""}`, top: top - 44, left: 4, itemGap: 3,
        textStyle: { fontSize: 12, fontWeight: 600 }, subtextStyle: { fontSize: 11, color: muted } });
      option.grid.push({ top, height: GRID - 30, left: 48, right: 16 });
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
