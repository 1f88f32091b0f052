// Numbers and spans as people read them.
function short(value) {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e9) return trim(value / 1e9) + " G";
  if (size >= 1e6) return trim(value / 1e6) + " M";
  if (size >= 1e4) return trim(value / 1e3) + " k";
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return trim(value);
}

function trim(value) {
  const digits = Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 3;
  return String(Number(value.toFixed(digits)));
}

const whole = (value) => Math.round(value).toLocaleString("en").replaceAll(",", " ");

const amount = (value, unit) => `${whole(value)} ${unit}${value === 1 ? "" : "s"}`;

function percent(part, all) {
  return all > 0 ? (Math.floor((part / all) * 1000) / 10).toFixed(1) + "\u00a0%" : "–";
}

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  for (; value >= 1024 && at < units.length - 1; at++) value /= 1024;
  return `${trim(value)} ${units[at]}`;
}

function span(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = parts.findIndex(([size]) => seconds >= size);
  if (at < 0) return "0 s";
  const [size, unit] = parts[at];
  const rest = parts[at + 1] && Math.floor((seconds % size) / parts[at + 1][0]);
  return `${Math.floor(seconds / size)} ${unit}` + (rest ? ` ${rest} ${parts[at + 1][1]}` : "");
}

// `soft_timeout` as "soft timeout".
const plain = (name) => name.replaceAll("_", " ").toLowerCase();

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// The duration, in seconds, that a share of the calls stays under, by the buckets they fell into.
// Between two bounds calls are taken to be spread evenly; beyond the last there is only that bound.
function quantile(bounds, counts, share) {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let left = all * share;
  for (let at = 0; at < counts.length; at++) {
    if (counts[at] > 0 && left <= counts[at]) {
      if (at >= bounds.length) return bounds[bounds.length - 1];
      const low = at ? bounds[at - 1] : 0;
      return low + (bounds[at] - low) * (left / counts[at]);
    }
    left -= counts[at];
  }
  return bounds[bounds.length - 1];
}
