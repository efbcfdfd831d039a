// Sampling: the table of results by keyboard, the phone's position by consent, the chart of comparisons.

// A choice in the head of a list chooses all rows.
document.querySelectorAll("[data-check-all]").forEach((all) => {
  all.addEventListener("change", () => {
    all.closest("form").querySelectorAll(`input[name="${all.dataset.checkAll}"]`).forEach((one) => { one.checked = all.checked; });
  });
});

// A form that only chooses what is shown needs no button where scripts run.
document.querySelectorAll("form[data-submit-on-change]").forEach((form) => {
  form.addEventListener("change", () => form.requestSubmit());
});

// <luming-entry>: Enter and the arrow keys go up and down a column; nothing is sent before the button.
class LumingEntry extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", (event) => {
      const box = event.target.closest("input[data-column]");
      if (!box || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const column = [...this.querySelectorAll(`input[data-column="${box.dataset.column}"]`)];
      const next = column[column.indexOf(box) + step];
      if (next) {
        next.focus();
        next.select();
      } else if (step > 0) {
        this.closest("form").querySelector("button.btn-primary").focus();
      }
    });
  }
}
customElements.define("luming-entry", LumingEntry);

// <luming-whereabouts>: asks the phone for its position when the person asks for it, never by itself.
class LumingWhereabouts extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    const status = this.querySelector("[role=status]");
    if (!navigator.geolocation) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      status.textContent = this.dataset.asking;
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          this.querySelector("[name=longitude]").value = coords.longitude.toFixed(6);
          this.querySelector("[name=latitude]").value = coords.latitude.toFixed(6);
          this.querySelector("[name=accuracy_m]").value = coords.accuracy.toFixed(1);
          status.textContent = `${this.dataset.known} ${coords.longitude.toFixed(5)}, ${coords.latitude.toFixed(5)} ± ${Math.round(coords.accuracy)} m`;
        },
        () => { status.textContent = this.dataset.refused; },
        { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
      );
    });
  }
}
customElements.define("luming-whereabouts", LumingWhereabouts);

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

// <luming-comparisons>: of each factor the manual results with the error that is allowed, and the automatic values.
class LumingComparisons extends HTMLElement {
  async connectedCallback() {
    this.setAttribute("role", "img");
    this.setAttribute("aria-label", this.dataset.textChart);
    document.addEventListener("luming:theme", () => this.draw());
    new ResizeObserver(() => this.chart?.resize()).observe(this);
    try {
      const [answer] = await Promise.all([fetch(this.dataset.url), load(this.dataset.library)]);
      if (!answer.ok) throw new Error(answer.status);
      this.data = await answer.json();
      this.draw();
    } catch {
      this.say(this.dataset.textFailed);
    }
    this.dataset.ready = "yes";
  }

  disconnectedCallback() {
    this.chart?.dispose();
  }

  say(text) {
    this.replaceChildren(Object.assign(document.createElement("div"), { className: "lm-message", textContent: text }));
  }

  draw() {
    if (!this.data) return;
    const series = this.data.series.filter((one) => one.points.length);
    if (!series.length) {
      this.say(this.dataset.textEmpty);
      return;
    }
    const dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
    this.chart?.dispose();
    this.replaceChildren();
    this.style.height = `${series.length * 190 + 36}px`;
    this.chart = window.echarts.init(this, dark ? "dark" : null);
    this.chart.setOption(this.option(series, dark));
  }

  option(series, dark) {
    const { textManual, textAutomatic, textAllowed } = this.dataset;
    const ink = dark ? "#c9d6d4" : "#33413f";
    const local = (t) => t + this.data.offset;
    const times = series.flatMap((one) => one.points.map((point) => local(point.t)));
    const span = Math.max(Math.max(...times) - Math.min(...times), 86400000);
    const edges = { min: Math.min(...times) - span * 0.05, max: Math.max(...times) + span * 0.05 };
    return {
      useUTC: true,
      animation: false,
      backgroundColor: "transparent",
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      legend: { data: [textManual, textAutomatic, textAllowed], top: 0, right: 0, textStyle: { color: ink } },
      tooltip: { trigger: "item" },
      title: series.map((one, i) => ({ text: `${one.name}${one.unit ? ` (${one.unit})` : ""}`, left: 0, top: i * 190 + 28, textStyle: { fontSize: 13, color: ink } })),
      grid: series.map((_one, i) => ({ left: 52, right: 16, top: i * 190 + 60, height: 120 })),
      xAxis: series.map((_one, i) => ({ type: "time", gridIndex: i, ...edges, axisLabel: { color: ink, hideOverlap: true } })),
      yAxis: series.map((_one, i) => ({ type: "value", gridIndex: i, scale: true, axisLabel: { color: ink } })),
      series: series.flatMap((one, i) => {
        const at = { xAxisIndex: i, yAxisIndex: i };
        const failed = (point) => point.outcome === "failed";
        return [
          {
            ...at, name: textAllowed, type: "line", silent: true, symbol: "rect", symbolSize: [12, 2], connectNulls: false,
            itemStyle: { color: "#8aa6a2" }, lineStyle: { width: 2, color: "#8aa6a2" },
            data: one.points.filter((point) => point.low !== null)
              .flatMap((point) => [[local(point.t), point.low], [local(point.t), point.high], [local(point.t), null]]),
          },
          {
            ...at, name: textManual, type: "scatter", symbol: "diamond", symbolSize: 12, itemStyle: { color: "#4453c4" },
            data: one.points.map((point) => [local(point.t), point.manual]),
          },
          {
            ...at, name: textAutomatic, type: "scatter", symbolSize: 10, itemStyle: { color: "#0b6e63" },
            data: one.points.map((point) => ({ value: [local(point.t), point.automatic, point.error], itemStyle: failed(point) ? { color: "#d63939", borderColor: ink, borderWidth: 1 } : {} })),
            tooltip: { formatter: (params) => `${textAutomatic} ${params.value[1]} ${one.unit}<br>${params.value[2]}` },
          },
        ];
      }),
    };
  }
}
customElements.define("luming-comparisons", LumingComparisons);
