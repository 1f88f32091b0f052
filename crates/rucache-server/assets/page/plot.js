// Line plots: two series at most, over the last minutes.
// Seconds that a plot shows: it grows from the one to the other while the page is open.
const LEAST = 60, SPAN = 300;
const WIDTH = 320, HEIGHT = 132, LEFT = 34, BOTTOM = 18, TOP = 6;

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// The least of 1, 2, 5 times a power of ten that is not under `value`.
function niceTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= value * 0.999);
}

// Pieces of a line: a point without a value parts them.
function pieces(points) {
  const all = [[]];
  for (const point of points) {
    if (point.y === null) all.push([]);
    else all[all.length - 1].push(point);
  }
  return all.filter((piece) => piece.length > 0);
}

class Plot {
  // `names` are those of the series; `top` fixes the upper end of the scale; `unit` is for the ear.
  constructor(place, { names, top = null, unit, title }) {
    Object.assign(this, { place, names, top, unit, title });
    this.svg = svg("svg", { role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" });
    place.append(this.svg);
    place.append(this.legend());
    new ResizeObserver(() => this.draw()).observe(place);
    this.rows = [];
  }

  legend() {
    const legend = document.createElement("div");
    legend.className = "legend";
    legend.setAttribute("aria-hidden", "true");
    this.names.forEach((name, at) => {
      const key = document.createElement("span");
      const path = svg("path", { d: "M0 2H20", class: at ? "second" : "first" });
      key.append(svg("svg", { viewBox: "0 0 20 4" }, path), name);
      legend.append(key);
    });
    return legend;
  }

  // `rows` are [time in seconds, value…], oldest first; a value may be null.
  show(rows) {
    this.rows = rows;
    this.draw();
  }

  draw() {
    const width = Math.max(this.place.clientWidth, 160);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const values = this.rows.flatMap((row) => row.slice(1)).filter((value) => value !== null);
    const top = this.top ?? niceTop(Math.max(0, ...values));
    const now = this.rows.length ? this.rows[this.rows.length - 1][0] : 0;
    const shown = Math.min(SPAN, Math.max(LEAST, now - (this.rows[0]?.[0] ?? now)));
    const x = (time) => LEFT + (width - LEFT) * (1 - (now - time) / shown);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(value, top) / top);
    const parts = [0, 0.5, 1].flatMap((part) => [
      svg("path", { class: "grid", d: `M${LEFT} ${y(top * part)}H${width}` }),
      svg("text", { x: LEFT - 8, y: y(top * part) + 4, "text-anchor": "end" }, short(top * part)),
    ]);
    parts.push(
      svg("text", { x: LEFT, y: HEIGHT - 3 }, `${span(shown)} ago`),
      svg("text", { x: width, y: HEIGHT - 3, "text-anchor": "end" }, "now"),
    );
    this.names.forEach((_, at) => {
      const points = this.rows.map((row) => ({ x: x(row[0]), y: row[at + 1] === null ? null : y(row[at + 1]) }));
      for (const piece of pieces(points)) {
        const line = piece.map((point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`).join("L");
        const [from, to] = [piece[0].x, piece[piece.length - 1].x];
        if (at === 0) parts.push(svg("path", { class: "under", d: `M${line}L${to} ${y(0)}L${from} ${y(0)}Z` }));
        const series = at ? "second" : "first";
        // A single point is a dot.
        parts.push(piece.length > 1 ? svg("path", { class: series, d: `M${line}` }) : svg("path", { class: `${series} point`, d: `M${line}h.1` }));
      }
    });
    this.svg.replaceChildren(...parts);
    this.svg.setAttribute("aria-label", this.words());
  }

  // The plot for whoever does not see it.
  words() {
    const say = (name, at) => {
      const values = this.rows.map((row) => row[at + 1]).filter((value) => value !== null);
      if (!values.length) return `${name}: nothing yet`;
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return `${name} now ${short(values[values.length - 1])}, between ${short(low)} and ${short(high)}`;
    };
    return `${this.title}, ${this.unit}. ${this.names.map(say).join(". ")}`;
  }
}
