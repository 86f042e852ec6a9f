// The page of the limit laboratory: a verdict, a table of all rows, and one figure a row; or the curves of the user's own points.
const LAB = result.kind === "limit";

const digits = (x) => (exists(x) ? significant(x, Math.abs(x) < 1e-4 ? 2 : 6).replaceAll("-", "−") : NONE);
const intervalText = (row) => `${digits(row.interval[0])} to ${digits(row.interval[1])}`;
const anchor = (row) => "row-" + row.name.toLowerCase().replace(/[^a-z0-9]+/g, "-");

function rowsTable(caption, rows) {
  return table(caption, [
    {head: "row", text: (row) => h("a", {href: "#" + anchor(row)}, row.name)},
    {head: "theorem", text: (row) => row.theorem},
    {head: "expected", text: (row) => digits(row.expected)},
    {head: "measured", text: (row) => h("strong", {class: row.pass ? null : "warn"}, digits(row.measured))},
    {head: "interval", text: intervalText},
    {head: "verdict", text: (row) => (row.pass ? row.verdict : h("strong", {class: "warn"}, row.verdict))}
  ], rows);
}

function rowFigure(row) {
  const words = h("p", {}, row.meaning, " Expected ", h("strong", {}, digits(row.expected)), ", measured ",
                    h("strong", {class: row.pass ? null : "warn"}, digits(row.measured)), ` (${intervalText(row)}): ${row.verdict}.`);
  return h("figure", {id: anchor(row)}, h("figcaption", {}, h("h3", {}, row.name)), h("div", {class: "two"}, h("div", {}, words), plotsOf(row.plots)));
}

function groupSection(group) {
  const rows = result.rows.filter((row) => row.group === group.name);
  if (!rows.length) return null;
  return h("section", {class: "experiment", id: "group-" + group.name}, h("h2", {}, group.meaning),
           h("p", {class: "quiet"}, `${group.name}: ${group.theorem}`), rowsTable(plural(rows.length, "measured number"), rows), rows.map(rowFigure));
}

function laboratory() {
  const chosen = result.groups.filter((group) => result.rows.some((row) => row.group === group.name));
  document.getElementById("top").append(
      h("h1", {}, "The theory in numbers"),
      h("div", {class: "verdict"}, h("p", {class: "headline"}, result.summary),
        h("ul", {}, h("li", {}, "A row agrees when the whole interval of what was measured lies within its tolerance of what the theorem says."))),
      h("nav", {"aria-label": "Theorems"}, chosen.map((group) => h("a", {href: "#group-" + group.name}, group.name))));
  document.getElementById("main").replaceChildren(...chosen.map(groupSection));
}

function ownPoints() {
  const [headline, ...rest] = result.findings;
  document.getElementById("top").append(
      h("h1", {}, `${result.data} in the limit`),
      h("div", {class: "verdict"}, h("p", {class: "headline"}, headline), h("ul", {}, rest.map((text) => h("li", {}, typeset(text))))));
  document.getElementById("main").replaceChildren(figure(
      "One attention layer on these points",
      "The change in a layer grows like eps where the layer is a step of heat flow: there the order is 1. The kernel's sum grows like eps to half the dimension of the points.",
      null, h("div", {class: "two"}, plotsOf(result.plots))));
}

function buildPage() {
  applyTheme(theme);
  document.getElementById("top").append(h("div", {class: "bar"}, h("span", {class: "brand"}, "Calor"),
                                          h("span", {class: "buttons"}, saveButton("calor-limit.json"), themeSwitch())));
  (LAB ? laboratory : ownPoints)();
  const own = LAB ? [["random point sets", `${count(result.seeds)} of each size`]] :
                    [["function", result.function], ["points", count(result.points)], ["queries", count(result.queries)],
                     ["input (SHA-256)", h("code", {}, result.input_hash)]];
  document.getElementById("end").append(
      facts("This run", [...own, ["seed", String(result.seed)], ["run time", seconds(result.seconds)], ["command", h("code", {}, result.command)],
                         ["version", `Calor ${result.version}`]]),
      h("p", {class: "quiet"},
        "All figures are drawn from the data inside this file; nothing is loaded from elsewhere. Charts: plotly.js (MIT licence)."));
  startDrawing();
}

buildPage();
