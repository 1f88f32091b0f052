// The look-up box.

// The fields of a record in the order in which they are shown; others follow.
const FIELDS = [
  ["nombre_o_razon_social", "Name"], ["estado_del_contribuyente", "State"],
  ["condicion_de_domicilio", "Domicile"],
  ["direccion", "Address"], ["direccion_simple", "Short address"],
  ["tipo_de_via", "Street type"], ["nombre_de_via", "Street"], ["numero", "Number"],
  ["interior", "Interior"], ["dpto", "Flat"], ["manzana", "Block"], ["lote", "Lot"],
  ["kilometro", "Kilometre"], ["codigo_de_zona", "Zone type"], ["tipo_de_zona", "Zone"],
  ["distrito", "District"], ["provincia", "Province"], ["departamento", "Region"], ["ubigeo", "Ubigeo"],
  ["actualizado_en", "Updated"],
];

// Why a number is in the registry.
const REASONS = {
  NO_EXISTE_SUNAT: "Not in SUNAT's register", FORMATO_INVALIDO: "Not a RUC", ERROR_API: "The source failed", OTRO: "Other reasons",
};

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// How the answer came, from `Cache-Status` (RFC 9211).
function cameFrom(response) {
  const status = response.headers.get("Cache-Status") ?? "";
  const ttl = Number(/ttl=(-?\d+)/.exec(status)?.[1]);
  if (status.includes("fwd=")) return "from the source" + (status.includes("stored") ? ", now cached" : "");
  if (ttl < 0) return `from the cache, stale for ${span(-ttl)}`;
  return Number.isFinite(ttl) ? `from the cache, fresh for ${span(ttl)}` : "";
}

function record(body) {
  const list = element("dl", { class: "record" });
  const line = (label, value) => list.append(element("dt", {}, label), element("dd", {}, String(value)));
  line("RUC", body.ruc);
  const known = FIELDS.filter(([field]) => body[field]);
  known.forEach(([field, label]) => line(label, body[field]));
  const shown = new Set(["ruc", ...known.map(([field]) => field)]);
  const others = Object.entries(body).filter(([field, value]) => !shown.has(field) && typeof value !== "object");
  others.forEach(([field, value]) => line(capital(plain(field)), value));
  return list;
}

function refusal(status, problem) {
  const title = problem.title ?? `The service answered ${status}`;
  const parts = [element("p", { class: `verdict ${status === 404 ? "warn" : "bad"}` }, title)];
  if (problem.detail) parts.push(element("p", {}, `${capital(problem.detail)}.`));
  const again = problem.retry_after === undefined ? null : `in ${span(problem.retry_after)}`;
  const reason = REASONS[problem.reason] ?? problem.reason;
  const facts = [["Reason", reason], ["Attempts", problem.attempts], ["Expected check digit", problem.expected], ["Try again", again]];
  const known = facts.filter(([, value]) => value !== undefined && value !== null);
  if (known.length) {
    const pairs = known.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, String(value))]);
    parts.push(element("dl", { class: "record" }, ...pairs));
  }
  return parts;
}

// Asks `ask(path)` for the number in the box.
function lookUpBox(ask) {
  const [form, input, answer] = ["look-up", "ruc", "answer"].map((id) => document.getElementById(id));
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value.replace(/[\s.-]/g, "");
    if (!text) {
      answer.replaceChildren(element("p", {}, "Type a RUC: eleven digits."));
      return input.focus();
    }
    button.disabled = true;
    try {
      const response = await ask(`/v1/ruc/${encodeURIComponent(text)}`);
      const body = await response.json();
      if (response.ok) {
        const came = element("p", { class: "hint" }, cameFrom(response));
        answer.replaceChildren(element("p", { class: "verdict good" }, "Found"), came, record(body));
      } else {
        answer.replaceChildren(...refusal(response.status, body));
      }
    } catch {
      answer.replaceChildren(element("p", { class: "verdict bad" }, "The service does not answer"));
    } finally {
      button.disabled = false;
    }
  });
}
