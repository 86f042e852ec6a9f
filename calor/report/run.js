// The page of a run, from top to bottom.
// [what, value, what it means] for each quality figure that the document has.
function qualityRows() {
  const {embedding, clusters, prediction} = result.quality, rows = [];
  const add = (name, value, meaning, text = (x) => fixed(x, 3)) => exists(value) && rows.push({name, value: text(value), meaning});
  if (embedding) {
    const k = embedding.neighbours;
    add("trustworthiness", embedding.trustworthiness, `1: each point's ${k} nearest in the embedding are near in the data too`);
    add("continuity", embedding.continuity, `1: each point's ${k} nearest in the data are near in the embedding too`);
    add("neighbour purity", embedding.purity, `share of each point's ${k} nearest in the embedding that have its label`);
    add("neighbour purity of the input", embedding.purity_of_input, `the same among the ${k} nearest in the data`);
    if (embedding.stability) add("stability", embedding.stability.mean, `share of each point's ${k} nearest in the embedding that are also among its nearest under ${plural(embedding.stability.seeds - 1, "other seed")}`);
    add("stress-1", embedding.stress_1, "0: distances are kept, up to one scale for all");
  }
  if (clusters) {
    add("adjusted Rand index", clusters.ari, "against the labels; 0: as expected by chance, 1: the same groups");
    add("normalised mutual information", clusters.nmi, "against the labels; 0: independent, 1: the same groups");
  }
  if (prediction) {
    add("accuracy", prediction.accuracy, "share of the held-out rows that are predicted correctly");
    add("log-loss", prediction.log_loss, "mean of −log p(true class) on held-out rows, in nats; 0: certain and right");
    add("Brier score", prediction.brier, "mean squared error of the probabilities, summed over the classes; 0: certain and right, 2: certain and wrong");
    add("calibration error", prediction.calibration_error, "mean gap between the probability of the predicted class and how often it is correct, in tenths; 0: calibrated");
    add("root mean square error", prediction.root_mean_square_error, "on held-out rows, in the unit of the values", significant);
    add("R²", prediction.r2, "share of the variance explained on held-out rows; 1: all of it");
    if (prediction.unreached) add("rows without a prediction", prediction.unreached, "no labelled row reaches them", count);
  }
  return rows;
}

function qualitySection() {
  const rows = qualityRows(), {embedding, clusters, prediction} = result.quality;
  if (!rows.length) return null;
  const judged = embedding ? [embedding.rows, embedding.of] : [(prediction || clusters).rows, result.rows];
  const sample = judged[0] === judged[1] ? `All ${count(judged[0])} rows are judged.` :
      embedding ? `Judged on ${count(judged[0])} rows drawn by the seed, each against all ${count(judged[1])}.` :
                  `Judged on ${count(judged[0])} of ${count(judged[1])} rows.`;
  return h("section", {class: "quality", "aria-label": "Quality"}, h("h3", {}, "Quality"),
           table(sample, [
             {head: "figure", text: (row) => [row.name, h("span", {class: "meaning"}, row.meaning)]},
             {head: "value", text: (row) => h("strong", {}, row.value)}
           ], rows));
}

function notesSection() {
  if (!result.notes.length) return null;
  const remark = (note) => h("li", {}, h("strong", {}, note.stage), ": " + note.text);
  return h("section", {class: "notes", "aria-label": "Notes"}, h("h3", {}, "Notes"),
           h("ul", {class: "flags"}, result.notes.map(remark)));
}

function stagesSection() {
  const row = (stage) =>
      h("li", {class: `depth-${Math.min(stage.depth, 2)}`}, h("code", {}, stage.text), h("p", {}, stage.meaning),
        h("p", {class: "quiet"}, `${stage.takes} → ${stage.gives}${stage.citation ? "; " + stage.citation : ""}`));
  return h("section", {class: "stages", "aria-label": "Pipeline"}, h("h3", {}, "The pipeline"),
           h("p", {class: "pipeline"}, h("code", {}, result.pipeline)), h("ol", {}, result.stages.map(row)));
}

const FIGURE_NAMES = {
  dimension: "dimension by the bandwidth's slope",
  inertia: "inertia (sum of squared distances to the centres)",
  stress_1: "stress-1 of the distances matched",
  change: "last relative change",
  largest: "largest component"
};

function endFacts() {
  const features = result.data.columns ? `, ${plural(result.data.columns, "feature")}` : "", figures = Object.entries(result.figures);
  return h(
      "div", {class: "two ends"},
      facts(
          "This run",
          [
            ["data", `${result.data.name}: ${plural(result.rows, "row")}${features}`], ["label", result.data.label],
            ["seed", String(result.seed)], ["run time", exists(result.seconds) ? seconds(result.seconds) : null],
            ["command", h("code", {}, result.command)], ["version", `Calor ${result.version}`],
            ["input (SHA-256)", h("code", {}, result.input_hash)],
            ["result (SHA-256)", result.digest && h("code", {}, result.digest)],
            ["fitted on (SHA-256)", result.fit_hash && h("code", {}, result.fit_hash)]
          ]),
      figures.length ?
          facts("Figures of the stages", figures.map(([name, value]) => [FIGURE_NAMES[name] || name, significant(value, 5)])) :
          null);
}

function buildPage() {
  applyTheme(theme);
  const [headline, ...rest] = result.summary;  // a recipe's name stays as it is, at the beginning too
  const sentences = rest.length ? h("ul", {}, rest.map((text) => h("li", {}, typeset(text)))) : null;
  document.getElementById("top").append(
      h("div", {class: "bar"}, h("span", {class: "brand"}, "Calor"),
        h("span", {class: "buttons"}, saveButton("calor-run.json"), themeSwitch())),
      h("h1", {}, result.title), h("div", {class: "verdict"}, h("p", {class: "headline"}, typeset(headline)), sentences));
  const small = [spectrumFigure(), clustersFigure(), componentsFigure(), historyFigure()].filter(Boolean);
  const parts = [
    cloudFigure(), rankingFigure(), qualitySection(), confusionFigure(), reliabilityFigure(), valuesFigure(), notesSection(),
    small.length > 1 ? h("div", {class: "two"}, small) : small[0], bandwidthFigure(), leaveOneOutFigure(), stagesSection()
  ];
  document.getElementById("main").replaceChildren(...parts.filter(Boolean));
  document.getElementById("end").append(
      endFacts(),
      h("p", {class: "quiet"},
        "All figures are drawn from the data inside this file; nothing is loaded from elsewhere. Charts: plotly.js (MIT licence)."));
  startDrawing();
}

buildPage();
