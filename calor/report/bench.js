// The page of `make bench`: the share of one core's peak that each work reaches, beside its peers, and its error beside that.
const milliseconds = (x) => significant(1e3 * x, 3);
const times = (x) => (exists(x) ? fixed(x, 2) : NONE);

function figureOf(described) {
  return h("figure", {id: described.name}, h("figcaption", {}, h("h3", {}, described.title), h("p", {}, described.meaning)),
           h("div", {class: "grid three"}, plotsOf(described.plots)));
}

function worksTable() {
  return table("Every run: one thread, the median of rounds that take turns", [
    {head: "operator", text: (row) => row.name},
    {head: "tokens", text: (row) => count(row.rows)},
    {head: "heads × width", text: (row) => `${row.heads} × ${row.dim}`},
    {head: "pass", text: (row) => (row.backward ? "both" : "forward")},
    {head: "ms", text: (row) => milliseconds(row.seconds)},
    {head: "GFLOP/s", text: (row) => significant(row.flops * 1e-9, 3)},
    {head: "of the peak", text: (row) => percent(row.share_of_bound, 0)},
    {head: "times torch's speed", text: (row) => (row.library === "torch" ? NONE : times(row.ratio_to_peer))},
    {head: "error", title: "the largest of the result and, where both passes ran, the gradients, over the largest value, against double", text: (row) => significant(row.error, 2)}
  ], result.rows);
}

function stepsTable() {
  return table("One training step of a two-layer metric network, forward, backward and AdamW", [
    {head: "model", text: (row) => row.name},
    {head: "points", text: (row) => count(row.points)},
    {head: "width", text: (row) => count(row.width)},
    {head: "ms", text: (row) => milliseconds(row.seconds)},
    {head: "times the faster composition's speed", text: (row) => times(row.ratio_to_peer)}
  ], result.steps);
}

function buildPage() {
  applyTheme(theme);
  const [headline, ...rest] = result.findings;
  document.getElementById("top").append(
      h("div", {class: "bar"}, h("span", {class: "brand"}, "Calor"), h("span", {class: "buttons"}, saveButton("calor-bench.json"), themeSwitch())),
      h("h1", {}, "Attention on this machine"),
      h("div", {class: "verdict"}, h("p", {class: "headline"}, headline), h("ul", {}, rest.map((text) => h("li", {}, typeset(text))))),
      h("nav", {"aria-label": "Figures"}, result.figures.map((one) => h("a", {href: "#" + one.name}, one.title))));
  document.getElementById("main").replaceChildren(
      ...result.figures.map(figureOf), h("section", {class: "experiment"}, h("h2", {}, "All figures"), worksTable(), result.steps.length ? stepsTable() : null));
  document.getElementById("end").append(
      facts("This machine", [["processor", result.machine.processor], ["Calor's instructions", result.machine.isa],
                             ["peak of one core", `${significant(result.limits.flops * 1e-9, 4)} GFLOP/s of float multiply-adds, ${significant(result.limits.exp_seconds * 1e9, 3)} ns an exponential, measured in the same run (${result.limits.target})`],
                             ["beside", result.peers.join(", ")], ["version", `Calor ${result.version}`]]),
      h("p", {class: "quiet"},
        "All figures are drawn from the data inside this file; nothing is loaded from elsewhere. Charts: plotly.js (MIT licence)."));
  startDrawing();
}

buildPage();
