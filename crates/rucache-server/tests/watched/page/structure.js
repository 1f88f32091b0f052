(() => {
  const wrong = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const check = (holds, text) => holds || wrong.push(text);
  check(document.documentElement.lang === "en", "the document has no language");
  check(document.title, "the document has no title");
  for (const landmark of ["main", "body > header", "body > footer", "h1"]) {
    check(all(landmark).length === 1, `there is not exactly one ${landmark}`);
  }
  const named = (element) =>
    element.getAttribute("aria-label") ||
    (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent).join("");
  all("nav, section, svg[role=img]").forEach((element) => check(named(element), `${element.outerHTML.slice(0, 60)} has no name`));
  all("svg:not([role])").forEach((element) => check(element.closest("[aria-hidden=true]"), "a picture has neither name nor is it hidden"));
  all("input").forEach((input) => check(input.labels.length === 1 && input.labels[0].textContent.trim(), `${input.id} has no label`));
  all("button, a").forEach((control) => check(control.textContent.trim(), `${control.outerHTML.slice(0, 60)} has no name`));
  all("a").forEach((link) => check(link.getAttribute("href"), `${link.textContent} leads nowhere`));
  all("[tabindex]").forEach((element) => check(element.tabIndex <= 0, "a tabindex changes the order"));
  const ids = all("[id]").map((element) => element.id);
  check(new Set(ids).size === ids.length, "an id stands twice");
  for (const name of ["aria-labelledby", "aria-describedby", "for"]) {
    all(`[${name}]`).forEach((element) =>
      element.getAttribute(name).split(" ").forEach((id) => check(document.getElementById(id), `${name}=${id} points nowhere`)));
  }
  const levels = all("h1, h2, h3, h4").map((heading) => Number(heading.tagName[1]));
  levels.forEach((level, at) => check(level <= (levels[at - 1] ?? 0) + 1, `a heading jumps to level ${level}`));
  check(all("[role=status]").length === 2, "what changes is not told");
  all("table").forEach((table) => check(table.querySelectorAll("th[scope=col]").length > 0, "a table has no heads"));
  return wrong;
})()
