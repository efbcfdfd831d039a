// The chart of the workbench: one grid per factor, every doubted, refused and corrected value with a mark of its own,
// calibrations, maintenance and gaps as bands behind them. It shows the same choice as the table and sets it by clicks.

const GRID = 96; // px of one factor
const SPACE = 30; // px between two grids: the title of the next
const DAY = 86400000;
const COLOURS = ["#0b6e63", "#b4540a", "#4453c4", "#8a3b9a", "#2176ae", "#7a6a00"];
const LIGHT = ["#3fc0ae", "#f0a35e", "#97a2ff", "#d48be4", "#6cbbf0", "#d9c64a"];
const BANDS = { calibration: "rgba(68,83,196,.18)", maintenance: "rgba(138,59,154,.18)", maintainer: "rgba(122,106,0,.5)", gap: "rgba(130,140,150,.22)", mark: "rgba(33,118,174,.16)" };
const MARKS = {
  1: { color: "#f59f00", symbol: "diamond" }, // suspect
  2: { color: "#d63939", symbol: "path://M1 1L9 9M9 1L1 9", hollow: true }, // invalid
};

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

export class ReviewChart {
  // choose(series id, instant, extend) is called when a point of time is chosen in a factor's grid.
  constructor(area, url, texts, choose) {
    Object.assign(this, { area, url, texts, choose });
    new ResizeObserver(() => this.chart?.resize()).observe(area);
    document.addEventListener("luming:theme", () => this.state && this.draw(this.state));
  }

  // state: data, shown (Set of series ids), around, neighbours (factor → lines), chosen {start, end, series}, drafts
  async draw(state) {
    this.state = state;
    try {
      await load(this.url);
    } catch (error) {
      this.area.textContent = this.texts.failed;
      return;
    }
    const series = state.data.series.filter((one) => state.shown.has(one.id));
    this.series = series;
    this.area.hidden = !series.length;
    if (!series.length) return;
    const dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
    this.area.style.height = `${series.length * (GRID + SPACE) + 24}px`;
    if (!this.chart || this.dark !== dark) {
      this.chart?.dispose();
      this.chart = window.echarts.init(this.area, dark ? "dark" : null);
      this.dark = dark;
      this.chart.getZr().on("click", (event) => this.clicked(event));
    }
    this.chart.resize();
    this.chart.setOption(this.option(series, state, dark), true);
    this.area.dataset.drawn = state.data.key;
  }

  option(series, state, dark) {
    const { data, around } = state;
    const from = data.start - (around ? DAY : 0) + data.offset;
    const to = data.end + (around ? DAY : 0) + data.offset;
    const option = {
      backgroundColor: "transparent", animation: false, useUTC: true,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      tooltip: { trigger: "axis", confine: true, axisPointer: { type: "line" } },
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      grid: [], xAxis: [], yAxis: [], series: [], title: [],
    };
    series.forEach((one, index) => {
      const top = index * (GRID + SPACE) + 22;
      const colour = (dark ? LIGHT : COLOURS)[index % COLOURS.length];
      const last = index === series.length - 1;
      option.title.push({ text: one.unit ? `${one.name}  ${one.unit}` : one.name, top: top - 22, left: 4, textStyle: { fontSize: 12, fontWeight: 600 } });
      option.grid.push({ top, height: GRID - 8, left: 52, right: 14 });
      option.xAxis.push({ type: "time", gridIndex: index, min: from, max: to, splitLine: { show: false }, axisTick: { show: last },
        axisLabel: { show: last, hideOverlap: true, formatter: { year: "{MM}-{dd}", month: "{MM}-{dd}", day: "{MM}-{dd}", hour: "{HH}:{mm}", minute: "{HH}:{mm}" } } });
      option.yAxis.push({ type: "value", gridIndex: index, scale: true, splitNumber: 2, axisLabel: { fontSize: 11 },
        splitLine: { lineStyle: { color: dark ? "#2b3a4a" : "#e6ebea" } } });
      option.series.push(...this.lines(one, index, colour, state));
    });
    return option;
  }

  lines(one, index, colour, state) {
    const { data, around, neighbours, chosen, drafts } = state;
    const axes = { xAxisIndex: index, yAxisIndex: index };
    const points = (data.around[one.id] ?? []).filter(([time]) => around || (time >= data.start && time < data.end));
    const at = (time) => time + data.offset;
    const found = [];
    for (const [position, line] of (neighbours?.[one.factor] ?? []).entries()) {
      if (line.unit !== one.unit) continue;
      found.push({ ...axes, type: "line", name: line.name, symbol: "none", color: "#8a97a3", z: 1,
        lineStyle: { width: 1, type: ["solid", "dashed", "dotted"][position % 3] },
        data: line.points.filter(([time]) => around || (time >= data.start && time < data.end)).map(([time, value]) => [at(time), value]) });
    }
    // what was observed, thin; what counts, thick: where they part, somebody has spoken
    found.push({ ...axes, type: "line", name: this.texts.observed, symbol: "none", color: "#9aa6b2", z: 2, lineStyle: { width: 1 },
      data: points.map(([time, value]) => [at(time), value]) });
    const line = { ...axes, type: "line", name: this.texts.counts, color: colour, z: 3, connectNulls: false, symbol: "circle", symbolSize: 5,
      lineStyle: { width: 1.8 }, data: points.map(([time, , used, quality]) => [at(time), quality === 0 ? used : null]) };
    const bounds = [one.limit?.upper, one.limit?.lower].filter((value) => value !== undefined);
    if (bounds.length) {
      line.markLine = { silent: true, symbol: "none", precision: 6, lineStyle: { color: "#d63939", type: "dashed" },
        label: { formatter: ({ value }) => `${this.texts.limit} ${value}`, position: "insideEndTop", color: "#d63939", fontSize: 10 },
        data: bounds.map((yAxis) => ({ yAxis })) };
      found.push({ ...axes, type: "line", data: bounds.map((value) => [at(data.start), value]), symbol: "none", lineStyle: { opacity: 0 }, silent: true, tooltip: { show: false } });
    }
    line.markArea = { silent: true, label: { show: false }, data: this.areas(one, state, at, chosen, drafts) };
    found.push(line);
    for (const [quality, { hollow, ...look }] of Object.entries(MARKS)) {
      const spots = points.filter((point) => point[3] === Number(quality) && point[1] !== null);
      if (!spots.length) continue;
      found.push({ ...axes, ...look, type: "scatter", name: this.texts.qualities[quality], z: 5, symbolSize: 9,
        itemStyle: hollow ? { color: "transparent", borderColor: look.color, borderWidth: 2 } : {},
        data: spots.map(([time, value]) => [at(time), value]) });
    }
    return found;
  }

  areas(one, { data }, at, chosen, drafts) {
    const band = (start, end, color, border) => [
      { xAxis: at(start), itemStyle: { color, borderColor: border, borderWidth: border ? 1.5 : 0 } }, { xAxis: at(Math.max(end, start + 300000)) },
    ];
    const found = data.bands.map((row) => band(row.start, row.end, BANDS[row.kind] ?? BANDS.gap));
    drafts.filter((row) => row.series === one.id).forEach((row) => found.push(band(row.start, row.end, "rgba(245,159,0,.16)")));
    if (chosen && chosen.series.includes(one.id)) found.push(band(chosen.start, chosen.end, "rgba(11,110,99,.14)", this.dark ? "#3fc0ae" : "#0b6e63"));
    return found;
  }

  clicked(event) {
    const pixel = [event.offsetX, event.offsetY];
    const grid = this.series.findIndex((_, index) => this.chart.containPixel({ gridIndex: index }, pixel));
    if (grid < 0) return;
    const [time] = this.chart.convertFromPixel({ gridIndex: grid }, pixel);
    this.choose(this.series[grid].id, time - this.state.data.offset, event.event?.shiftKey ?? false);
  }
}
