// The wall display: figures, trends and lists that renew themselves for days without a reload.
//
// Nothing grows: each tile, line and chart has one node that is used again; charts of panels that go are disposed. Lost
// connections and ended sessions are said on the page, and mend themselves when the server answers again.

const query = new URLSearchParams(window.location.search);
const number = (name, usual, least) => Math.max(least, Number(query.get(name)) || usual);
const TICK = number("tick", 10_000, 50); // ms between two looks at the figures
const TURN = number("turn", 12_000, 50); // ms between two pages of a list or two trends of a panel
const SLOWEST = 60_000; // ms between two attempts while the server is away
const LINES = 6;
const NUMBERS = 4; // of a panel at a time

document.documentElement.setAttribute("data-bs-theme", "dark"); // whatever this browser's other pages look like

const wall = document.getElementById("wall");
const text = wall.dataset;
const trouble = document.getElementById("wall-trouble");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
let paused = calm.matches;
let answered = new Date(); // when the server last answered
let etag = "";
let wait = TICK;
let library;

// ---- asking

async function look() {
  try {
    const answer = await fetch(text.url, {
      headers: { Accept: "application/json", "HX-Request": "true", ...(etag && { "If-None-Match": etag }) },
      cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(20_000),
    });
    if (answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect") ended();
    else if (answer.status === 304 || answer.ok) {
      if (answer.ok) show(await answer.json());
      etag = answer.headers.get("ETag") || "";
      answered = new Date();
      follow();
      wait = TICK;
      trouble.hidden = true;
      wall.classList.remove("is-old");
    } else throw new Error(answer.status);
  } catch (error) {
    lost();
  }
  wall.dataset.looked = String(1 + Number(wall.dataset.looked || 0));
  setTimeout(look, wait);
}

let followed = 0;

function follow() {
  if (answered - followed < 1000) return; // the map looks too, once a second at most
  followed = answered;
  document.body.dispatchEvent(new CustomEvent("luming:tick"));
}

function lost() {
  wait = Math.min(SLOWEST, Math.max(TICK, wait * 2));
  say(`${text.textLost} ${clock(answered)}. ${text.textAgain}`);
}

function ended() {
  wait = Math.min(30_000, Math.max(TICK, wait));
  etag = "";
  const link = Object.assign(document.createElement("a"), { href: text.signIn, textContent: text.textSignIn });
  say(`${text.textEnded} ${clock(answered)}. `, link);
}

function say(...parts) {
  trouble.replaceChildren(...parts);
  trouble.hidden = false;
  wall.classList.add("is-old");
}

// ---- showing

const panels = new Map(); // key of a group -> what is kept of its panel

function show(data) {
  if (data.version !== text.version) return window.location.reload(); // the installation was brought up to date
  const groups = Object.values(data.zones).flat();
  const present = new Set(groups.map((group) => group.key));
  const drawn = [...wall.querySelectorAll("[data-group]")].map((node) => node.dataset.group);
  if (drawn.length !== present.size || drawn.some((key) => !present.has(key))) return window.location.reload();
  groups.forEach((group) => panel(group.key).show(group));
  wrong.show(data.wrong, data.number);
}

function panel(key) {
  if (!panels.has(key)) panels.set(key, new Panel(wall.querySelector(`[data-group="${CSS.escape(key)}"]`)));
  return panels.get(key);
}

// A list that shows a page of its lines and turns to the next one.
class Turning {
  constructor(list, lines) {
    Object.assign(this, { list, lines, rows: [], page: 0 });
  }

  show(rows) {
    this.rows = rows;
    this.draw();
  }

  turn() {
    this.page += 1;
    this.draw();
  }

  draw() {
    const pages = Math.max(1, Math.ceil(this.rows.length / this.lines));
    this.page %= pages;
    const shown = this.rows.slice(this.page * this.lines, (this.page + 1) * this.lines);
    while (this.list.children.length > shown.length) this.list.lastChild.remove();
    while (this.list.children.length < shown.length) this.list.append(line());
    shown.forEach((row, index) => fill(this.list.children[index], row));
    this.list.dataset.pages = pages > 1 ? `${this.page + 1} / ${pages}` : "";
  }
}

function line() {
  const item = document.createElement("li");
  item.innerHTML = "<a><span></span><i><b></b></i><em></em></a>";
  return item;
}

function fill(item, row) {
  const link = item.firstChild;
  const [label, bar, value] = link.children;
  if (row.url) link.href = row.url;
  else link.removeAttribute("href");
  write(label, row.label);
  write(value, row.value);
  bar.hidden = row.share === undefined;
  bar.firstChild.style.cssText = `width:${row.share || 0}%;background:${row.colour || "currentColor"}`;
}

function write(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

class Panel {
  constructor(node) {
    this.node = node;
    this.numbers = node.querySelector(".wall-numbers");
    this.tiles = new Map();
    this.caption = node.querySelector(".wall-caption");
    this.area = node.querySelector(".wall-chart");
    const list = node.querySelector(".wall-list");
    this.list = list && new Turning(list, LINES);
    this.at = 0;
  }

  show(group) {
    const keys = new Set(group.tiles.map((tile) => tile.key));
    for (const [key, node] of this.tiles) {
      if (keys.has(key)) continue;
      node.remove();
      this.tiles.delete(key);
    }
    group.tiles.filter((tile) => tile.kind !== "list").forEach((tile) => this.number(tile));
    this.pages = Math.max(1, Math.ceil(group.tiles.filter((tile) => tile.kind === "number").length / NUMBERS));
    // What the lower part of the panel shows in turn: trends, and rankings page by page.
    this.views = group.tiles.filter((tile) => tile.trend.length > 1).map((tile) => ({ tile }));
    group.tiles.filter((tile) => tile.kind === "list").forEach((tile) => {
      const rows = tile.parts.map(([label, value, colour, url, share]) => ({ label, value: plain(value), colour, url, share }));
      for (let page = 0; page < rows.length; page += LINES) this.views.push({ tile, rows: rows.slice(page, page + LINES) });
    });
    this.draw();
  }

  number(tile) {
    let node = this.tiles.get(tile.key);
    if (!node) {
      node = document.createElement("div");
      node.className = `wall-number is-${tile.kind}`;
      node.innerHTML = '<h3></h3><a><i></i><b></b><small></small></a><p></p><div class="wall-bar"></div><div class="wall-legend"></div>';
      this.tiles.set(tile.key, node);
      this.numbers.append(node);
    }
    const [head, link, note, bar, legend] = node.children;
    write(head, tile.label);
    node.classList.toggle("is-failed", tile.failed);
    const [dot, value, unit] = link.children;
    if (tile.url) link.href = tile.url;
    dot.style.background = tile.colour || "transparent";
    dot.hidden = !tile.colour;
    write(value, tile.text);
    write(unit, tile.unit || "");
    node.dataset.good = tile.good === null || tile.good === undefined ? "" : String(tile.good);
    const notes = [tile.failed ? text.textFailed : tile.note];
    if (tile.target !== null && tile.target !== undefined) notes.unshift(`${text.textTarget} ${plain(tile.target)}`);
    if (tile.coverage !== null && tile.coverage !== undefined) notes.push(`${text.textCoverage} ${tile.coverage}%`);
    write(note, notes.filter(Boolean).join(" · "));
    this.parts(bar, legend, tile.kind === "parts" ? tile.parts : []);
  }

  parts(bar, legend, parts) {
    bar.hidden = legend.hidden = !parts.length;
    while (bar.children.length > parts.length) bar.lastChild.remove();
    while (bar.children.length < parts.length) bar.append(document.createElement("i"));
    while (legend.children.length > parts.length) legend.lastChild.remove();
    while (legend.children.length < parts.length) {
      legend.append(Object.assign(document.createElement("a"), { innerHTML: "<i></i><span></span>" }));
    }
    parts.forEach(([label, value, colour, url, share], index) => {
      bar.children[index].style.cssText = `width:${share}%;background:${colour}`;
      const link = legend.children[index];
      link.href = url;
      link.firstChild.style.background = colour;
      write(link.lastChild, `${label} ${plain(value)}`);
    });
  }

  turn() {
    this.at += 1;
    this.draw();
  }

  draw() {
    const page = this.at % this.pages;
    [...this.numbers.querySelectorAll(".is-number")].forEach((node, index) => {
      node.hidden = Boolean(this.area) && Math.floor(index / NUMBERS) !== page;
    });
    if (!this.area) return;
    const view = this.views[this.at % Math.max(1, this.views.length)];
    this.area.parentElement.hidden = !view;
    if (!view) return;
    const { tile, rows } = view;
    write(this.caption, tile.unit ? `${tile.label} (${tile.unit})` : tile.label);
    this.list.show(rows || []);
    this.area.hidden = Boolean(rows);
    if (rows || !window.echarts) return;
    this.chart ??= window.echarts.init(this.area, "dark");
    const drawn = JSON.stringify([tile.key, tile.trend, tile.target]);
    if (this.drawn === drawn) return;
    this.drawn = drawn;
    this.chart.resize();
    this.chart.setOption(option(tile), true);
  }

  resize() {
    this.chart?.resize();
  }
}

function plain(value) {
  return typeof value === "number" ? value.toLocaleString(text.language === "en" ? "en" : "zh-CN", { maximumFractionDigits: 2 }) : value;
}

// Where an axis of per cent ends: at 100 when all of it lies below and the room above the values would reach beyond.
function whole({ min, max }) {
  return max <= 100 && max + (max - min || max) >= 100 ? 100 : null;
}

function option(tile) {
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const days = tile.trend.at(-1)[0] - tile.trend[0][0] > 3 * 86_400_000;
  const counts = days && !tile.decimals && tile.trend.every(([, value]) => value === null || Number.isInteger(value));
  const shift = 8 * 3_600_000; // the axis runs in UTC and shows the city's time
  const label = { color: "#9fc3bf", fontSize: 1.15 * size };
  return {
    backgroundColor: "transparent", animation: false, useUTC: true,
    grid: { left: 0.6 * size, right: 1.4 * size, top: 0.8 * size, bottom: 0.2 * size, containLabel: true },
    xAxis: {
      type: "time", splitNumber: 4, boundaryGap: counts ? ["6%", "6%"] : [0, 0], axisLine: { lineStyle: { color: "#35605c" } }, axisTick: { show: false },
      axisLabel: { ...label, hideOverlap: true, formatter: days ? "{MM}-{dd}" : "{HH}:{mm}" },
    },
    yAxis: { type: "value", scale: !counts, minInterval: counts ? 1 : 0, max: tile.unit === "%" ? whole : null, splitNumber: 3, axisLabel: label, splitLine: { lineStyle: { color: "#1c3f3d" } } },
    series: [{
      type: counts ? "bar" : "line", showSymbol: false, lineStyle: { width: 0.22 * size, color: "#3ee0c5" },
      itemStyle: { color: "#3ee0c5" }, barMaxWidth: 2.4 * size,
      areaStyle: counts ? undefined : { color: "rgba(62, 224, 197, .14)" },
      data: tile.trend.map(([moment, value]) => [moment + shift, value]),
      markLine: tile.target === null || tile.target === undefined ? undefined : {
        silent: true, symbol: "none", label: { show: false }, lineStyle: { color: "#ffd166", type: "dashed" }, data: [{ yAxis: tile.target }],
      },
    }],
  };
}

const wrong = new (class extends Turning {
  show(rows, every) {
    write(document.getElementById("wall-wrong-number"), every ? String(every) : "");
    super.show(
      rows.length
        ? rows.map((row) => ({ label: `${row.kind} · ${row.label}`, value: row.value, url: row.url }))
        : [{ label: text.textRight, value: "", url: "" }],
    );
  }
})(document.getElementById("wall-wrong"), 4);

// ---- turning, clock, keys

setInterval(() => {
  if (paused || document.hidden || wall.matches(":has(.wall-list:hover, .wall-list :focus-visible)")) return;
  panels.forEach((one) => one.turn());
  wrong.turn();
}, TURN);

const pause = document.getElementById("wall-pause");
function halt(yes) {
  paused = yes;
  pause.setAttribute("aria-pressed", String(yes));
}
halt(paused);
pause.addEventListener("click", () => halt(!paused));

function full() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}
document.getElementById("wall-full").addEventListener("click", full);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.toLowerCase() === "f") full();
  if (event.key.toLowerCase() === "p") halt(!paused);
});

const time = document.getElementById("wall-time");
const date = document.getElementById("wall-date");
const locale = text.language === "en" ? "en-GB" : "zh-CN";
const zone = { timeZone: time.dataset.zone };
const seconds = new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(locale, { ...zone, year: "numeric", month: "long", day: "numeric", weekday: "long" });
function clock(moment) {
  return seconds.format(moment);
}
function show_time() {
  const now = new Date();
  write(time, clock(now));
  write(date, day.format(now));
}
show_time();
setInterval(show_time, 1000);

let resizing = 0;
window.addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => panels.forEach((one) => ((one.drawn = ""), one.draw(), one.resize())), 200);
});

const script = document.createElement("script");
script.src = text.library;
script.onload = script.onerror = look; // without charts the numbers are still there
document.head.append(script);
