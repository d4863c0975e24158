// A chart of the last five minutes, as SVG: lines, or areas upon one another. It knows nothing of
// what it shows: a series has a name, a colour (a class of page.css) and a value for each sample; a
// `rare` one is named only where there is any of it.
"use strict";

const SPAN = [60, 300]; // seconds from the left to the right, at least and at most
const SVG = "http://www.w3.org/2000/svg";
const LEFT = 54, BOTTOM = 16, TOP = 8; // pixels for the labels

function element(name, parent, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  parent.append(made);
  return made;
}

// The least round number that is not less: 1, 2, 2.5 or 5 with zeros.
function ceiling(value) {
  if (!(value > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * [1, 2, 2.5, 5, 10].find((step) => step * unit >= value * 0.9999);
}

class Chart {
  // `least`: what the top of the scale is at least; `show` makes text of a value.
  constructor(parent, title, series, { stacked = false, least = 0, show }) {
    this.series = series;
    this.stacked = stacked;
    this.least = least;
    this.show = show;
    this.at = null; // the time under the pointer
    this.samples = [];
    const card = document.createElement("figure");
    card.className = "chart";
    card.style.margin = "0";
    const heading = document.createElement("h2");
    heading.textContent = title;
    this.legend = document.createElement("div");
    this.legend.className = "legend";
    card.append(heading, this.legend);
    this.svg = element("svg", card, { role: "img", "aria-label": title });
    parent.append(card);
    this.values = series.map((one) => {
      const entry = document.createElement("span");
      entry.className = one.colour;
      const value = document.createElement("b");
      entry.append(document.createElement("i"), one.name + " ", value);
      this.legend.append(entry);
      return value;
    });
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => { this.at = null; this.draw(); });
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    const part = (event.clientX - box.left - LEFT) / (box.width - LEFT);
    const last = this.samples.at(-1);
    if (last) this.at = last.t - this.span() * (1 - part);
    this.draw();
  }

  // As much as there is to show, within bounds.
  span() {
    const age = this.samples.at(-1).t - this.samples[0].t;
    return Math.min(Math.max(age, SPAN[0]), SPAN[1]);
  }

  update(samples) {
    this.samples = samples;
    this.draw();
  }

  draw() {
    const width = this.svg.clientWidth, height = this.svg.clientHeight;
    const last = this.samples.at(-1);
    if (!width || !last) return;
    const span = this.span();
    const shown = this.samples.filter((sample) => sample.t >= last.t - span);
    const x = (t) => LEFT + (width - LEFT) * (1 - (last.t - t) / span);
    const top = ceiling(Math.max(this.least, ...shown.map((sample) => this.highest(sample))));
    const y = (value) => TOP + (height - TOP - BOTTOM) * (1 - value / top);
    this.svg.replaceChildren();
    for (const part of [0, 0.5, 1]) {
      const at = Math.round(y(top * part)) + 0.5;
      element("line", this.svg, { x1: LEFT, x2: width, y1: at, y2: at });
      element("text", this.svg, { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, this.show(top * part));
    }
    const step = span > 150 ? 60 : span > 75 ? 30 : 15;
    for (let ago = step; ago < span * 0.95; ago += step) {
      const text = step === 60 ? `${ago / 60}m ago` : `${ago}s ago`;
      element("text", this.svg, { x: x(last.t - ago), y: height - 3, "text-anchor": "middle" }, text);
    }
    element("text", this.svg, { x: width - 1, y: height - 3, "text-anchor": "end" }, "now");
    if (this.stacked) this.areas(shown, x, y);
    else this.lines(shown, x, y);
    this.tell(shown, x, height);
  }

  highest(sample) {
    const values = this.series.map((one) => one.value(sample) ?? 0);
    return this.stacked ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
  }

  lines(shown, x, y) {
    for (const one of this.series) {
      let path = "", pen = "M";
      for (const sample of shown) {
        const value = one.value(sample);
        if (value == null) { pen = "M"; continue; }
        path += `${pen}${x(sample.t).toFixed(1)} ${y(value).toFixed(1)}`;
        if (pen === "M") path += "h0.01"; // one sample alone is a point
        pen = "L";
      }
      element("path", this.svg, { class: `line ${one.colour}`, d: path, "stroke-linecap": "round" });
    }
  }

  areas(shown, x, y) {
    let below = shown.map(() => 0);
    for (const one of this.series) {
      const above = shown.map((sample, at) => below[at] + (one.value(sample) ?? 0));
      const point = (at, values) => `${x(shown[at].t).toFixed(1)} ${y(values[at]).toFixed(1)}`;
      const there = shown.map((_, at) => point(at, above));
      const back = shown.map((_, at) => point(at, below)).reverse();
      element("path", this.svg, { class: `area ${one.colour}`, d: `M${[...there, ...back].join("L")}Z` });
      below = above;
    }
  }

  // The values under the pointer, or else the last.
  tell(shown, x, height) {
    let told = shown.at(-1);
    if (this.at !== null) {
      const far = (sample) => Math.abs(sample.t - this.at);
      told = shown.reduce((best, sample) => (far(sample) < far(best) ? sample : best));
      const at = Math.round(x(told.t)) - 0.5;
      element("line", this.svg, { class: "cursor", x1: at, x2: at, y1: TOP, y2: height - BOTTOM });
    }
    this.series.forEach((one, at) => {
      const value = one.value(told);
      this.values[at].textContent = value == null ? "–" : this.show(value);
      this.values[at].parentNode.hidden = Boolean(one.rare) && !value;
    });
  }
}
