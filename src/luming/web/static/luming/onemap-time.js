// The hours of the last days under a slider; null is now. Only layers that have a history are asked again.

const HOUR = 3600000, HOURS = 7 * 24, PACE = 900; // ms between two hours while playing

export class Time {
  constructor(app) {
    this.app = app;
    this.slider = app.part("time-slider");
    this.label = app.part("time-label");
    this.play = app.part("time-play");
    this.slider.max = HOURS;
    this.slider.value = HOURS;
    this.slider.addEventListener("input", () => this.pick(Number(this.slider.value)));
    app.part("time-back").addEventListener("click", () => this.step(-1));
    app.part("time-forward").addEventListener("click", () => this.step(1));
    app.part("time-now").addEventListener("click", () => this.pick(HOURS));
    this.play.addEventListener("click", () => (this.playing ? this.stop() : this.start()));
    this.show();
  }

  // The full hour that the slider's place stands for.
  instant(place) {
    return place >= HOURS ? null : Math.floor(Date.now() / HOUR) * HOUR - (HOURS - 1 - place) * HOUR;
  }

  iso(moment) {
    return moment === null ? null : new Date(moment).toISOString().replace(".000Z", "Z");
  }

  get at() {
    return this.iso(this.moment ?? null);
  }

  step(by) {
    this.stop();
    this.pick(Math.max(0, Math.min(HOURS, Number(this.slider.value) + by)));
  }

  pick(place) {
    this.slider.value = place;
    this.moment = this.instant(place);
    this.show();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.load(), 120); // a slider that is dragged passes many hours
  }

  async load() {
    await this.app.layers.setTime(this.at);
    this.app.changed("time");
  }

  // Of a link: an hour that has left the slider stands at its beginning.
  async restore(text) {
    const moment = Date.parse(text);
    if (!Number.isFinite(moment) || moment > Date.now()) return;
    const place = HOURS - 1 - Math.round((Math.floor(Date.now() / HOUR) * HOUR - moment) / HOUR);
    this.slider.value = Math.max(0, place);
    this.moment = moment;
    this.show();
    this.app.layers.at = this.at;
  }

  show() {
    const past = this.moment !== null && this.moment !== undefined;
    const text = past ? this.app.hour(this.moment) : this.app.t("now");
    this.label.textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
    this.app.classList.toggle("is-past", past);
    this.app.part("time-now").disabled = !past;
  }

  start() {
    this.playing = true;
    this.play.setAttribute("aria-pressed", "true");
    if (Number(this.slider.value) >= HOURS) this.slider.value = HOURS - 25;
    this.run();
  }

  async run() {
    while (this.playing) {
      const place = Number(this.slider.value) + 1;
      this.slider.value = Math.min(place, HOURS);
      this.moment = this.instant(place);
      this.show();
      const next = this.iso(this.instant(place + 1));
      await Promise.all([this.load(), new Promise((resolve) => setTimeout(resolve, PACE))]);
      if (place >= HOURS) return this.stop();
      if (next) this.app.layers.prefetch(next);
    }
  }

  stop() {
    this.playing = false;
    this.play.setAttribute("aria-pressed", "false");
  }
}
