// What the server tells once a second becomes rates, percentiles, and tables. Text from requests and
// applications is only ever set as text, never as markup.
"use strict";

const KEPT = 330; // samples
const SMOOTH = 4; // samples that a rate and a percentile are made of
const $ = (id) => document.getElementById(id);

// -- how values are written --

// Three digits at most, and no zeros at the end that say nothing.
function digits(value) {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}
function number(value) {
  if (value >= 999_500) return `${digits(value / 1e6)}M`;
  if (value >= 9_999.5) return `${digits(value / 1e3)}k`;
  return digits(value);
}
function seconds(value) {
  if (value === 0) return "0";
  if (value < 0.0009995) return `${digits(value * 1e6)} µs`;
  if (value < 0.9995) return `${digits(value * 1e3)} ms`;
  if (value < 100) return `${digits(value)} s`;
  return span(value);
}
function span(value) {
  const units = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const at = units.findIndex(([size]) => value >= size);
  if (at < 0 || at === 3) return `${value.toFixed(0)}s`;
  const [size, unit] = units[at], [smaller, small] = units[at + 1];
  return `${Math.floor(value / size)}${unit} ${Math.floor((value % size) / smaller)}${small}`;
}
const bytes = (value) => (value ? `${digits(value / 2 ** 20)} MiB` : "–");
const states = (counts) =>
  Object.entries(counts).filter(([, n]) => n).map(([state, n]) => `${n} ${state}`).join(", ") || "–";

// -- from sums to samples --

let told = []; // what came, the newest last
let samples = []; // what the charts show

function sum(counts, wanted) {
  return Object.entries(counts ?? {}).reduce((all, [label, n]) => all + (wanted(label) ? n : 0), 0);
}

// The value below which `part` of the durations were, as Prometheus reckons it; null where none was.
function percentile(bounds, now, before, part) {
  const sizes = now.map((size, at) => size - (before[at] ?? 0));
  const wanted = sizes.reduce((all, size) => all + size, 0) * part;
  if (wanted <= 0) return null;
  let passed = 0;
  for (let at = 0; at < sizes.length; at++) {
    if (passed + sizes[at] >= wanted && sizes[at] > 0) {
      const low = at ? bounds[at - 1] : 0, high = bounds[at] ?? bounds.at(-1);
      return low + (high - low) * ((wanted - passed) / sizes[at]);
    }
    passed += sizes[at];
  }
  return bounds.at(-1);
}

function sample(now, before) {
  const time = Math.max(0.001, now.now - before.now);
  const answers = (digit) => {
    const mine = (label) => label.split(" ")[1].startsWith(digit);
    const { requests } = now.numbers.counters, { requests: old } = before.numbers.counters;
    return Math.max(0, (sum(requests, mine) - sum(old, mine)) / time);
  };
  const of = (name, part) =>
    percentile(now.bounds, now.numbers.buckets[name] ?? [], before.numbers.buckets[name] ?? [], part);
  const gauges = now.numbers.gauges;
  return {
    t: now.now,
    answers: { 2: answers("2"), 3: answers("3"), 4: answers("4"), 5: answers("5"), none: answers("none") },
    latency: [0.5, 0.95, 0.99].map((part) => of("request_duration_seconds", part)),
    wait: [0.5, 0.95, 0.99].map((part) => of("queue_duration_seconds", part)),
    queue: gauges.queue_depth?.[""] ?? 0,
    threads: gauges.threads ?? {},
    connections: gauges.connections ?? {},
    lag: gauges.loop_lag_seconds?.[""] ?? 0,
  };
}

// -- charts and tiles --

const percentiles = (name) =>
  [["p50", "blue"], ["p95", "violet"], ["p99", "amber"]].map(([part, colour], at) => (
    { name: part, colour, value: (one) => one[name][at] }));
const parts = (name, colours) =>
  Object.entries(colours).map(([state, colour]) => (
    { name: state, colour, value: (one) => one[name][state] ?? 0 }));
const by = (digit, name, colour) => ({ name, colour, value: (one) => one.answers[digit] });

const charts = [
  ["Requests per second", [by(2, "2xx", "green"), by(3, "3xx", "blue"), by(4, "4xx", "amber"),
    by(5, "5xx", "red"), { ...by("none", "cut", "grey"), rare: true }], { stacked: true, least: 1, show: number }],
  ["Latency", percentiles("latency"), { least: 0.001, show: seconds }],
  ["Time in the queue", percentiles("wait"), { least: 0.001, show: seconds }],
  ["Threads", parts("threads", { busy: "blue", streaming: "teal", idle: "grey" }),
    { stacked: true, least: 1, show: number }],
  ["Connections", parts("connections", { active: "blue", reading: "teal", closing: "amber", idle: "grey" }),
    { stacked: true, least: 1, show: number }],
  ["Loop lag", [{ name: "worst", colour: "violet", value: (one) => one.lag }],
    { least: 0.001, show: seconds }],
].map(([title, series, how]) => new Chart($("charts"), title, series, how));

const tiles = new Map();
function tile(name, value, colour = "") {
  if (!tiles.has(name)) {
    const made = document.createElement("div"), label = document.createElement("span");
    label.textContent = name;
    made.append(label, document.createElement("b"));
    $("tiles").append(made);
    tiles.set(name, made);
  }
  const made = tiles.get(name);
  made.className = `tile ${colour}`;
  made.lastChild.textContent = value;
}

function showNow(one) {
  const duration = (value) => (value == null ? "–" : seconds(value));
  const all = Object.values(one.answers).reduce((a, b) => a + b, 0);
  const { busy = 0, idle = 0 } = one.threads;
  tile("requests/s", number(all));
  tile("p50", duration(one.latency[0]));
  tile("p95", duration(one.latency[1]));
  tile("p99", duration(one.latency[2]));
  tile("in the queue", number(one.queue), one.queue && !idle ? "amber" : "");
  tile("threads busy", `${busy} / ${busy + idle}`, busy && !idle ? "red" : "");
  tile("connections", number(Object.values(one.connections).reduce((a, b) => a + b, 0)));
  tile("5xx/s", number(one.answers[5]), one.answers[5] ? "red" : "");
}

// -- tables --

function row(body, cells) {
  const made = document.createElement("tr");
  for (const [text, kind] of cells) {
    const cell = document.createElement("td");
    cell.className = kind ?? "";
    cell.append(text);
    made.append(cell);
  }
  body.append(made);
  return made;
}

function showServer({ status, about, numbers }) {
  $("where").textContent = `${status.addresses.join("  ")} · process ${status.pid} · up ${span(status.age)}`;
  document.title = `aiowsgi ${status.addresses[0] ?? ""}`;
  $("wanted").textContent = status.wanted === undefined ? "" : `${status.wanted} workers wanted`;
  const body = $("workers").tBodies[0];
  body.replaceChildren();
  for (const each of status.workers) {
    row(body, [
      [String(each.pid)], [each.state], [span(each.age), "number"],
      [bytes(each.memory), "number"], [states(each.threads)], [String(each.queue), "number"],
      [states(each.connections), "wide"], [seconds(each.loop_lag), "number wide"],
    ]);
  }
  const names = { worker_restarts: "replaced", shed: "shed", timeouts: "too late" };
  const { keep_alive, silent, ...late } = numbers.counters.timeouts ?? {}; // of those is nobody late
  const counters = { ...numbers.counters, timeouts: late };
  $("incidents").textContent = Object.entries(names)
    .filter(([name]) => sum(counters[name], () => true))
    .map(([name, word]) => `${word}: ${states(counters[name])}`).join(" · ")
    || "No worker was replaced, nothing was shed, nobody was late.";
  $("version").textContent = about.version;
  const options = Object.entries(about.options).flatMap(([name, value]) => {
    const term = document.createElement("dt"), text = document.createElement("dd");
    term.textContent = name;
    text.textContent = value;
    return [term, text];
  });
  $("options").replaceChildren(...options);
}

const open = new Set(); // the requests whose stacks are shown
const key = (each) => [each.worker, each.request_id || each.path, each.thread].join(" ");

// A response may well take long; to wait for one may not.
function urgency({ state, age }) {
  if (state !== "queued" && state !== "in the application") return "";
  return age >= 10 ? "red" : age >= 1 ? "amber" : "";
}

function showRequests({ requests, silent }) {
  const body = $("requests").tBodies[0];
  const there = new Set(requests.map(key));
  for (const each of open) if (!there.has(each)) open.delete(each);
  const focused = document.activeElement?.dataset?.key;
  body.replaceChildren();
  for (const each of requests) {
    const what = `${each.method} ${each.path}`;
    const name = document.createElement(each.thread ? "button" : "span");
    name.textContent = what;
    name.title = what;
    if (each.thread) {
      name.dataset.key = key(each);
      name.setAttribute("aria-expanded", open.has(key(each)));
      name.addEventListener("click", () => {
        if (!open.delete(key(each))) open.add(key(each));
        askForRequests();
      });
    }
    row(body, [
      [seconds(each.age), `number ${urgency(each)}`],
      [each.state], [name, "path"], [seconds(each.waited), "number wide"],
      [each.client || "–", "wide"], [String(each.worker), "wide"], [each.thread || "–", "wide"],
      [each.request_id || "–", "wide"],
    ]);
    if (open.has(key(each)) && each.stack) {
      const stack = document.createElement("pre");
      stack.textContent = each.stack.replace(/^ {2}/gm, "");
      const wide = row(body, [[stack]]);
      wide.className = "stack";
      wide.firstChild.colSpan = 8;
    }
    if (name.dataset.key && name.dataset.key === focused) name.focus();
  }
  $("requests").hidden = !requests.length;
  $("nothing").hidden = requests.length > 0;
  $("in-flight").textContent = requests.length ? requests.length : "";
  $("silent").hidden = !silent.length;
  $("silent").textContent = `These workers did not answer within a second: ${silent.join(", ")}`;
}

let asking = false;
async function askForRequests() {
  if (asking) return;
  asking = true;
  try {
    const answer = await fetch(open.size ? "stacks" : "requests");
    showRequests(await answer.json());
  } catch {
    // The server is gone, or comes back: the line at the top says so.
  } finally {
    asking = false;
  }
}

// -- what comes --

function take(event) {
  const last = told.at(-1);
  if (last && last.status.pid !== event.status.pid) told = samples = []; // it was started anew
  told = [...told, event].slice(-KEPT);
  if (told.length > 1) {
    samples = [...samples, sample(event, told.at(-1 - Math.min(SMOOTH, told.length - 1)))].slice(-KEPT);
    for (const chart of charts) chart.update(samples);
    showNow(samples.at(-1));
  }
  showServer(event);
  if (!document.hidden) askForRequests();
}

function live(word, kind) {
  $("live").textContent = word;
  $("live").className = kind;
}

const source = new EventSource("events");
source.addEventListener("message", (message) => {
  live("live", "moves");
  take(JSON.parse(message.data));
});
source.addEventListener("error", () => live("no answer: trying again", "lost"));
