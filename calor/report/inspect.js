// The page of an inspection, from top to bottom.
function headsTable() {
  const number = (pick, digits = 3) => (head) => significant(pick(head), digits);
  const defect = (name) => (head) => {
    const null_ = head.defects.null && head.defects.null[name].interval, value = head.defects[name];
    return [significant(value, 2), null_ ? h("span", {class: "quiet"}, ` (${significant(null_[0], 2)} to ${significant(null_[1], 2)})`) : null];
  };
  return table("Every head; behind the defects, in brackets, 95 % of the same head with random directions.", [
    {head: "head", text: headName},
    {head: "symmetry", title: "||F − F'|| / ||F + F'|| of the doubly centred score; 0 for a metric", text: defect("symmetry")},
    {head: "Euclidean", title: "share of the wrong sign in the spectrum; 0 for a squared Euclidean distance", text: defect("euclidean")},
    {head: "triangle", title: "share of triples that break the triangle inequality", text: defect("triangle")},
    {head: "neighbours", title: "exp of a row's entropy, mean", text: number((head) => head.attention.effective_neighbours)},
    {head: "self", title: "mean weight of a token for itself", text: number((head) => head.attention.self_weight, 2)},
    {head: "drift", title: "drift share of a step", text: number((head) => head.step.drift_share, 2)},
    {head: "explained", title: "share of the values' step that the local linear picture explains", text: number((head) => head.step.explained, 2)},
    {head: "jump angle", title: "mean angle between a token and where its score is greatest, on the sphere", text: (head) => (head.step.sphere ? fixed(head.step.sphere.angle, 0) + "°" : NONE)},
    {head: "gap", title: "1 − |second eigenvalue|", text: number((head) => head.modes.gap, 2)},
    {head: "slow modes", text: (head) => count(head.modes.slow)},
    {head: "Lipschitz", title: "largest singular value of the Jacobian at these tokens", text: number((head) => head.lipschitz.measured)},
    {head: "bound", title: "that holds for all inputs of as many tokens", text: (head) => (exists(head.lipschitz.bound) ? significant(head.lipschitz.bound) : h("span", {title: head.lipschitz.no_bound}, NONE))}
  ], result.heads);
}

function endFacts() {
  return h("div", {class: "two ends"}, facts("This inspection", [
    ["model", result.model.kind], ["file", result.model.file && h("code", {}, result.model.file)], ["file (SHA-256)", result.model.sha256 && h("code", {}, result.model.sha256)],
    ["tokens", `${count(result.tokens.count)}, ${result.tokens.from}`], ["seed", String(result.seed)], ["run time", exists(result.seconds) ? seconds(result.seconds) : null],
    ["command", result.command && h("code", {}, result.command)], ["version", `Calor ${result.version}`]
  ]));
}

function buildPage() {
  applyTheme(theme);
  const [headline, ...rest] = result.summary;
  document.getElementById("top").append(
      h("div", {class: "bar"}, h("span", {class: "brand"}, "Calor"), h("span", {class: "buttons"}, saveButton("calor-inspect.json"), themeSwitch())),
      h("h1", {}, `Inside ${result.model.kind}`),
      h("div", {class: "verdict"}, h("p", {class: "headline"}, typeset(headline)), rest.length ? h("ul", {}, rest.map((text) => h("li", {}, typeset(text)))) : null));
  document.getElementById("main").replaceChildren(
      ...[h("section", {class: "heads", "aria-label": "Heads"}, headsTable()), defectsFigure(), flowFigure(), headFigure(), statesFigure()].filter(Boolean));
  document.getElementById("end").append(
      endFacts(),
      h("p", {class: "quiet"}, "All figures are drawn from the data inside this file; nothing is loaded from elsewhere. Charts: plotly.js (MIT licence)."));
  startDrawing();
}

buildPage();
