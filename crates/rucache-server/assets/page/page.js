// What the service says of itself, once a second.
const PERIOD = 1000; // milliseconds
const id = (name) => document.getElementById(name);
const sum = (numbers) => Object.values(numbers).reduce((all, number) => all + number, 0);

let samples = []; // {at, view}, oldest first, a little more than the plots show
let token = sessionStorage.getItem("rucache-token");

function ask(path) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  return fetch(path, { headers, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(10_000) });
}

const hits = ({ requests }) => requests.hit + requests.stale_hit + requests.negative_hit;
const reads = ({ requests }) => hits({ requests }) + requests.miss + requests.error;
const ended = ({ loads }) => sum(loads.results);
const calls = ({ latency }) => latency.local.map((count, at) => count + latency.shared[at] + latency.origin[at]);

// What was counted between the sample at `to` and the last one that is `seconds` older; null where
// there is none, or where nothing was read.
function between(to, seconds) {
  const last = samples[to];
  let from = to - 1;
  while (from > 0 && last.at - samples[from].at < seconds * 1000 - PERIOD / 2) from--;
  if (from < 0) return null;
  const [now, then] = [last.view, samples[from].view];
  const took = (last.at - samples[from].at) / 1000;
  const before = calls(then);
  return {
    reads: reads(now) - reads(then), hits: hits(now) - hits(then), took,
    loads: ended(now) - ended(then),
    calls: calls(now).map((count, at) => count - before[at]),
  };
}

const plots = {
  ratio: new Plot(id("plot-ratio"), { title: "Hit ratio", names: ["hit ratio"], top: 100, unit: "per cent" }),
  rate: new Plot(id("plot-rate"), { title: "Reads and loads", names: ["reads", "loads"], unit: "a second" }),
  latency: new Plot(id("plot-latency"), { title: "Latency of reads", names: ["median", "99 %"], unit: "milliseconds" }),
};

function figure(place, value, unit = "") {
  const text = short(value);
  const parts = text.split(" ");
  const tail = [parts[1], unit].filter(Boolean).join(" ");
  place.replaceChildren(parts[0], ...(text === "–" || !tail ? [] : [element("span", { class: "unit" }, tail)]));
}

const millis = (seconds) => (seconds === null ? null : seconds * 1000);

function showNumbers(view) {
  const minute = between(samples.length - 1, 60);
  const moment = between(samples.length - 1, 5);
  const at = (share, counted) => counted && millis(quantile(view.latency.bounds, counted.calls, share));
  figure(id("now-ratio"), minute && minute.reads ? Math.floor((minute.hits / minute.reads) * 1000) / 10 : null, "%");
  figure(id("now-rate"), moment && moment.reads / moment.took);
  figure(id("now-slow"), at(0.99, minute) ?? null, "ms");
  figure(id("now-loads"), moment && moment.loads / moment.took);
  id("all-ratio").textContent = `${percent(hits(view), reads(view))} overall`;
  id("all-reads").textContent = `${whole(reads(view))} in all`;
  id("now-median").textContent = `median ${short(at(0.5, minute) ?? null)} ms`.replace("– ms", "–");
  id("all-loads").textContent = `${whole(view.loads.in_flight)} in flight`;
}

function showPlots(view) {
  const rows = samples.map((sample, at) => [sample.at / 1000, between(at, 1), between(at, 10)]).filter((row) => row[1]);
  const part = (counted, share) => (counted ? millis(quantile(view.latency.bounds, counted.calls, share)) : null);
  plots.ratio.show(rows.map(([at, one]) => [at, one.reads ? (one.hits / one.reads) * 100 : null]));
  plots.rate.show(rows.map(([at, one]) => [at, one.reads / one.took, one.loads / one.took]));
  plots.latency.show(rows.map(([at, , ten]) => [at, part(ten, 0.5), part(ten, 0.99)]));
}

function line(label, value, kind = "") {
  return element("div", { class: "line" }, element("span", {}, label), element("span", { class: kind }, value));
}

function bar(part, all) {
  const fill = element("i");
  fill.style.width = `${all > 0 ? (part / all) * 100 : 0}%`;
  return element("div", { class: "bar", "aria-hidden": "true" }, fill);
}

const nothing = (text) => element("p", { class: "empty" }, text);
const counted = (numbers) => Object.entries(numbers).filter(([, number]) => number > 0);

const TROUBLE = { skipped: "not asked while down", timeout: "out of time", error: "failed" };

function tiers({ tiers, memory }) {
  const shown = Object.entries(tiers).filter(([, tier]) => tier).flatMap(([name, tier]) => [
    line(name === "local" ? "In this process" : "Shared", `${percent(tier.hit, sum(tier))} of ${amount(sum(tier), "read")}`),
    bar(tier.hit, sum(tier)),
  ]);
  const trouble = counted(tiers.shared ?? {}).filter(([result]) => !["hit", "miss"].includes(result));
  shown.push(...trouble.map(([result, count]) => line(`Shared: ${TROUBLE[result] ?? plain(result)}`, whole(count), "warn")));
  if (memory) {
    shown.push(line("Memory in use", `${bytes(memory.used_bytes)} of ${bytes(memory.capacity_bytes)}`));
    shown.push(bar(memory.used_bytes, memory.capacity_bytes));
    shown.push(line("Entries", whole(memory.entries)), line("Evicted", whole(memory.evictions)));
  }
  return shown.length ? shown : [nothing("No reads yet.")];
}

const CIRCUITS = { closed: ["up", "good"], open: ["down", "bad"], half_open: ["being tried", "warn"] };
const PUSH = { trusted: ["told of changes", "good"], unproven: ["being proven", "warn"], lost: ["not told of changes", "bad"] };

function backends({ backend, nodes, push, outbox, response_ms }) {
  const shown = [line("Kind", capital(plain(backend)))];
  if (response_ms > 0) shown.push(line("Answers in", `${short(response_ms)} ms`));
  for (const { node, state, seconds } of nodes) {
    const [words, kind] = CIRCUITS[state] ?? [state, ""];
    shown.push(line(node, `${words} for ${span(seconds)}`, kind));
  }
  if (PUSH[push]) shown.push(line("Push", ...PUSH[push]));
  if (outbox > 0) shown.push(line("Invalidations that wait", whole(outbox), "warn"));
  return shown;
}

function loads({ loads }) {
  const results = counted(loads.results).map(([result, count]) => line(`Ended: ${plain(result)}`, whole(count)));
  const shown = [line("In flight", whole(loads.in_flight)), line("Waited for another's load", whole(loads.coalesced))];
  if (loads.overdue > 0) shown.push(line("Past their deadline", whole(loads.overdue), "bad"));
  return [...shown, ...results];
}

function shares(numbers, words, empty) {
  const known = counted(numbers).sort((a, b) => b[1] - a[1]);
  const all = sum(numbers);
  const name = (label) => words[label] ?? capital(plain(label));
  return known.length ? known.flatMap(([label, count]) => [line(name(label), whole(count)), bar(count, all)]) : [nothing(empty)];
}

const STALE = {
  allowed: "Accepted by the caller", soft_timeout: "The load took long", load_error: "The load failed",
  refreshing: "Loaded elsewhere meanwhile", backend_down: "The shared tier was down",
};

const SCOPES = { key: "an entry", tag: "a tag", namespace: "the whole service", all: "everything" };

function invalidations({ invalidations }) {
  if (!invalidations.length) return [nothing("None since the start.")];
  const row = ({ service, scope, seconds, count }) => element("li", {},
    line([service, SCOPES[scope] ?? scope].filter(Boolean).join(": ") + (count > 1 ? ` × ${whole(count)}` : ""), `${span(seconds)} ago`, "hint"));
  return [element("ul", {}, ...invalidations.map(row))];
}

function services({ services }) {
  if (!services.length) return [nothing("Nothing has been asked of any service.")];
  const cells = (kind, texts) => texts.map((text, at) => element(kind, kind === "th" ? { scope: "col" } : {}, text));
  const rows = services.map(({ name, hits, misses }) =>
    element("tr", {}, ...cells("td", [name, whole(hits), whole(misses), percent(hits, hits + misses)])));
  const head = element("thead", {}, element("tr", {}, ...cells("th", ["Service", "Hits", "Misses", "Hit ratio"])));
  return [element("div", { class: "scroll" }, element("table", {}, head, element("tbody", {}, ...rows)))];
}

const STATES = {
  healthy: ["good", "Healthy"],
  warning: ["warn", "Shared tier down, still answering"],
  unhealthy: ["bad", "Does not keep what it is given"],
  unreachable: ["bad", "The service does not answer"],
  refused: ["warn", "Token needed"],
};

// Told to screen readers when it changes, not every second.
function showState(state) {
  const [kind, words] = STATES[state] ?? ["unknown", plain(state)];
  if (id("state-text").textContent === words) return;
  id("state").dataset.state = kind;
  document.body.dataset.view = state;
  id("state-text").textContent = words;
  document.title = kind === "good" ? "rucache" : `${words} – rucache`;
}

// Numbers that are no longer renewed say from when they are.
function age(isOld) {
  const last = samples[samples.length - 1];
  id("old").hidden = !(isOld && last);
  if (!id("old").hidden) id("old-time").textContent = new Date(last.view.timestamp).toLocaleTimeString();
}

function show(view) {
  const last = samples[samples.length - 1];
  // A service that was restarted counts from zero.
  if (last && view.uptime < last.view.uptime) samples = [];
  samples.push({ at: performance.now(), view });
  if (samples.length > SPAN + 12) samples.shift();
  showState(view.status);
  id("facts").textContent = `${plain(view.backend)} · up ${span(view.uptime)} · version ${view.version}`;
  showNumbers(view);
  showPlots(view);
  const cards = { tiers, backends, loads, invalidations, services };
  for (const [name, card] of Object.entries(cards)) id(name).replaceChildren(...card(view));
  id("stale").replaceChildren(...shares(view.stale, STALE, "None since the start."));
  id("registry").replaceChildren(...(view.registry ? shares(view.registry, REASONS, "None known.") : [nothing("Not known at the moment.")]));
  id("updated").textContent = `Updated ${new Date(view.timestamp).toLocaleTimeString()}`;
}

async function poll() {
  try {
    const response = await ask("/v1/overview");
    id("token-form").hidden = response.status !== 401;
    if (response.ok) show(await response.json());
    else showState(response.status === 401 ? "refused" : "unreachable");
    age(!response.ok);
  } catch {
    showState("unreachable");
    age(true);
  }
}

async function watch() {
  for (;;) {
    await poll();
    await new Promise((wake) => setTimeout(wake, PERIOD));
  }
}

id("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = id("token").value.trim();
  sessionStorage.setItem("rucache-token", token);
  id("token").value = "";
  poll();
});
lookUpBox(ask);
watch();
