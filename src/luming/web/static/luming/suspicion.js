// <luming-suspicion>: the picture of one suspicion: histogram, line, scatter or bars, with what is expected and marks.
//
// The picture is the JSON in the element's <script type="application/json">. Its titles come in both languages; the
// page's language chooses. Below the chart the same figures stand as a table, for those who cannot see the chart or
// want the numbers. Times are the city's, whatever zone the browser lives in: the axis runs in "UTC", eight hours on.

const CITY = 8 * 3_600_000;
const LIGHT = { data: "#2176ae", expected: "#b4540a", mark: "#c92a2a", grid: "#e6ebea", text: "#4a5563" };
const DARK = { data: "#6cbbf0", expected: "#f0a35e", mark: "#ff8787", grid: "#2b3a4a", text: "#b6c2cf" };

let library;
function load(url) {
  if (window.echarts) return Promise.resolve(window.echarts);
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.echarts);
    script.onerror = () => {
      library = null; // the next picture tries again
      reject(new Error("echarts"));
    };
    document.head.append(script);
  });
  return library;
}

class LumingSuspicion extends HTMLElement {
  connectedCallback() {
    const source = this.querySelector('script[type="application/json"]');
    if (!source || this.picture) return;
    this.picture = JSON.parse(source.textContent);
    this.names = this.picture[this.dataset.language] || this.picture.en;
    this.area = document.createElement("div");
    this.area.className = "lm-suspicion-chart";
    this.area.style.height = "17rem";
    this.area.setAttribute("role", "img");
    this.area.setAttribute("aria-label", this.dataset.said);
    this.append(this.area, this.table());
    this.abort = new AbortController();
    document.addEventListener("luming:theme", () => this.draw(), { signal: this.abort.signal });
    this.watch = new ResizeObserver(() => this.chart?.resize());
    this.watch.observe(this);
    load(this.dataset.library).then(
      () => this.isConnected && this.draw(),
      () => this.say(this.dataset.textFailed),
    );
  }

  disconnectedCallback() {
    this.abort?.abort();
    this.watch?.disconnect();
    this.chart?.dispose();
    this.chart = null;
  }

  say(text) {
    this.area.removeAttribute("role");
    this.area.replaceChildren(Object.assign(document.createElement("div"), { className: "lm-message", textContent: text }));
  }

  draw() {
    if (!window.echarts) return;
    const dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
    this.chart?.dispose();
    this.chart = window.echarts.init(this.area, dark ? "dark" : null);
    this.chart.setOption(this.option(dark ? DARK : LIGHT));
    this.toggleAttribute("data-ready", true);
  }

  option(colours) {
    const { kind, y, expected, marks = [] } = this.picture;
    const timed = typeof this.picture.x[0] === "string" && /^\d{4}-\d\d-\d\dT/.test(this.picture.x[0]);
    const place = (x) => (timed ? Date.parse(x) + CITY : x);
    const x = this.picture.x.map(place);
    const counted = kind === "bars" || kind === "histogram";
    const label = { color: colours.text, fontSize: 11, hideOverlap: true };
    const line = { lineStyle: { color: colours.grid } };
    const type = kind === "bars" ? "category" : timed ? "time" : "value";
    const share = (value) => (type === "category" ? x.indexOf(value) / x.length : (value - x[0]) / (x.at(-1) - x[0]));
    const pairs = (values) => values.map((value, at) => [x[at], value]);
    const step = x.length > 1 ? Math.abs(x[1] - x[0]) : 1;
    const series = [{
      name: this.names.data, type: counted ? "bar" : kind, data: pairs(y), color: colours.data, z: 2,
      ...(counted
        ? { barCategoryGap: kind === "bars" ? "35%" : "8%", barMaxWidth: 48 }
        : { showSymbol: false, symbolSize: kind === "scatter" ? 6 : 4, lineStyle: { width: 1.6 }, itemStyle: { opacity: kind === "scatter" ? 0.65 : 1 } }),
      markLine: marks.length ? {
        silent: true, symbol: "none", animation: false,
        lineStyle: { color: colours.mark, type: "dashed", width: 1.3 },
        data: marks.map((mark, at) => ({
          xAxis: place(mark.x),
          label: {
            formatter: mark[this.dataset.language] ?? mark.en, color: colours.mark, fontSize: 11, position: "end",
            align: lean(marks.map((one) => share(place(one.x))), at),
          },
        })),
      } : undefined,
    }];
    if (expected) {
      series.push({
        name: this.names.expected, type: "line", data: pairs(expected), color: colours.expected, z: 3, showSymbol: kind === "bars",
        symbolSize: 7, lineStyle: { width: 1.8, type: "dashed" },
      });
    }
    return {
      backgroundColor: "transparent", animation: false, useUTC: true,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      legend: { top: 0, right: 8, itemWidth: 18, textStyle: { color: colours.text, fontSize: 12 }, data: series.map((one) => one.name) },
      grid: { left: 12, right: 24, top: 62, bottom: 26, containLabel: true },
      tooltip: { trigger: kind === "scatter" ? "item" : "axis", confine: true, valueFormatter: (value) => (value === null || value === undefined ? "—" : short(value)) },
      xAxis: {
        type, name: this.names.x, nameLocation: "middle", nameGap: 30, nameTextStyle: { color: colours.text }, axisLabel: timed ? { ...label, formatter: TIMES } : label,
        scale: true, splitLine: { show: false }, splitNumber: this.clientWidth < 480 ? 4 : 8, axisLine: line,
        ...(kind === "histogram" ? { min: x[0] - step / 2, max: x.at(-1) + step / 2, axisLabel: { ...label, showMinLabel: false, showMaxLabel: false, formatter: (value) => short(value) } } : {}),
      },
      yAxis: { type: "value", name: this.names.y, nameTextStyle: { color: colours.text, align: "left" }, scale: !counted, splitNumber: 4, axisLabel: label, splitLine: line },
      series,
    };
  }

  // The figures of the chart; built when opened, for a picture may have hundreds.
  table() {
    const details = document.createElement("details");
    details.className = "small mt-1";
    details.append(Object.assign(document.createElement("summary"), { textContent: this.dataset.textTable }));
    details.addEventListener("toggle", () => details.open && details.children.length === 1 && details.append(this.rows()), { once: false });
    return details;
  }

  rows() {
    const { x, y, expected } = this.picture;
    const box = Object.assign(document.createElement("div"), { className: "table-responsive lm-suspicion-rows", tabIndex: 0 });
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", this.dataset.textTable);
    const table = Object.assign(document.createElement("table"), { className: "table table-sm mb-0" });
    const heads = [this.names.x, this.names.data, ...(expected ? [this.names.expected] : [])];
    row(table.createTHead(), heads, "th");
    const body = table.createTBody();
    x.forEach((one, at) => row(body, [moment(one), short(y[at]), ...(expected ? [short(expected[at])] : [])], "td"));
    box.append(table);
    return box;
  }
}

// To which side the words of a mark lie: inwards at the edges, away from each other where two are close.
function lean(shares, at) {
  if (shares.length === 2 && Math.abs(shares[1] - shares[0]) < 0.3) return at ? "left" : "right";
  if (shares[at] < 0.25) return "left";
  return shares[at] > 0.75 ? "right" : "center";
}

const TIMES = { year: "{yyyy}", month: "{yyyy}-{MM}", day: "{MM}-{dd}", hour: "{HH}:{mm}", minute: "{HH}:{mm}", second: "{HH}:{mm}:{ss}" };
const short = (value) => (value === null || value === undefined ? "—" : typeof value === "number" ? String(Number(value.toPrecision(5))) : String(value));

function moment(x) {
  if (typeof x !== "string" || !/^\d{4}-\d\d-\d\dT/.test(x)) return short(x);
  return new Date(Date.parse(x) + CITY).toISOString().slice(0, 16).replace("T", " ");
}

function row(section, texts, tag) {
  const line = section.insertRow();
  for (const text of texts) {
    const cell = Object.assign(document.createElement(tag), { textContent: text });
    if (tag === "th") cell.scope = "col";
    line.append(cell);
  }
}

customElements.define("luming-suspicion", LumingSuspicion);
