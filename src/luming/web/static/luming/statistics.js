// <luming-statistics>: figures of one place, one grid per factor: bars of the periods.
//
// What is valid is a filled bar; what is not is an empty one with a dashed edge, so that colour alone says nothing. A
// click on a bar opens the figure's own page. The table below holds the same figures.

const GRID = 120;
const SPACE = 58;
const COLOURS = ["#0b6e63", "#b4540a", "#4453c4", "#8a3b9a", "#2176ae", "#7a6a00"];
const OFFSET = 8 * 3_600_000; // the city's time, whatever zone the browser lives in

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

class LumingStatistics extends HTMLElement {
  connectedCallback() {
    this.columns = JSON.parse(this.querySelector("script").textContent).filter((column) => column.points.length);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.dataset.textChart);
    this.area = document.createElement("div");
    this.append(this.area);
    this.abort = new AbortController();
    document.addEventListener("luming:theme", () => this.draw(), { signal: this.abort.signal });
    this.resizing = new ResizeObserver(() => this.chart?.resize());
    this.resizing.observe(this);
    load(this.dataset.library).then(
      () => this.draw(),
      () => this.area.replaceChildren(Object.assign(document.createElement("div"), { className: "lm-message", textContent: this.dataset.textFailed })),
    );
  }

  disconnectedCallback() {
    this.abort.abort();
    this.resizing.disconnect();
    this.chart?.dispose();
  }

  draw() {
    if (!this.columns.length) return;
    const dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
    this.area.style.height = `${this.columns.length * (GRID + SPACE) + 16}px`;
    this.chart?.dispose();
    this.chart = window.echarts.init(this.area, dark ? "dark" : null);
    this.chart.setOption({
      backgroundColor: "transparent",
      animation: false,
      aria: { enabled: true },
      tooltip: { trigger: "item", formatter: (item) => this.tip(item) },
      title: this.columns.map((column, i) => ({
        text: [column.name, column.measure, column.unit].filter(Boolean).join(" · "),
        top: i * (GRID + SPACE),
        textStyle: { fontSize: 13, fontWeight: 600 },
      })),
      grid: this.columns.map((_, i) => ({ top: i * (GRID + SPACE) + 28, height: GRID - 20, left: 52, right: 12 })),
      xAxis: this.columns.map((column, i) => ({
        type: "category",
        gridIndex: i,
        data: column.points.map(([ms]) => this.label(ms)),
        axisTick: { show: false },
      })),
      yAxis: this.columns.map((_, i) => ({ type: "value", gridIndex: i, splitNumber: 3, scale: false })),
      series: this.columns.map((column, i) => this.bars(column, i)),
    });
    this.chart.on("click", (item) => {
      const id = this.columns[item.seriesIndex].points[item.dataIndex][5];
      if (id) window.location.assign(this.dataset.address.replace("/0/", `/${id}/`));
    });
  }

  bars(column, i) {
    const colour = COLOURS[i % COLOURS.length];
    const empty = { color: "transparent", borderColor: colour, borderWidth: 1.5, borderType: "dashed" };
    return {
      type: "bar",
      name: column.name,
      xAxisIndex: i,
      yAxisIndex: i,
      barMaxWidth: 28,
      data: column.points.map(([, value, valid]) => ({ value, itemStyle: valid ? { color: colour } : empty })),
    };
  }

  // Everything shown comes from the server and is escaped by going through text nodes.
  tip(item) {
    const [ms, value, valid, count, required] = this.columns[item.seriesIndex].points[item.dataIndex];
    const box = document.createElement("div");
    const line = (text) => box.append(Object.assign(document.createElement("div"), { textContent: text }));
    line(this.label(ms));
    line(`${value ?? "—"} ${this.columns[item.seriesIndex].unit} · ${valid ? this.dataset.textValid : this.dataset.textInvalid}`);
    line(`${this.dataset.textCount}: ${count}/${required}`);
    return box;
  }

  label(ms) {
    const text = new Date(ms + OFFSET).toISOString();
    const kind = this.dataset.kind;
    if (kind === "hour" || kind === "8h") return text.slice(5, 16).replace("T", " ");
    if (kind === "day") return text.slice(5, 10);
    if (kind === "quarter") return `${text.slice(0, 4)} Q${Math.floor((Number(text.slice(5, 7)) + 2) / 3)}`;
    return text.slice(0, kind === "month" ? 7 : 4);
  }
}

customElements.define("luming-statistics", LumingStatistics);
