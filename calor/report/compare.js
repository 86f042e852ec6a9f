// The page of a comparison, from top to bottom.
themed.push(() => {
  const style = document.documentElement.style;
  palette().series.forEach((colour, i) => style.setProperty(`--series-${i}`, colour));
  style.setProperty("--series-control", palette().control);
  style.setProperty("--weights", [...palette().below, palette().middle, ...palette().above].join(","));
});

function verdictOf(experiment) {
  const [headline, ...rest] = experiment.verdict, name = experiment.data.name + ": ";
  // A sentence begins with a capital, a similarity's name stays as it is.
  const sentence = (text) => typeset(
      experiment.attentions.some((name) => text.startsWith(name)) ? text : text.charAt(0).toUpperCase() + text.slice(1));
  const line = (text) => {
    const topic = text.match(/^(robustness|efficiency|baselines|methods): /);
    return h(
        "li", {},
        topic ? [h("strong", {}, sentence(topic[1])), ": " + typeset(text.slice(topic[0].length))] : sentence(text));
  };
  return h(
      "div", {class: "verdict"},
      h("p", {class: "headline"}, sentence(headline.startsWith(name) ? headline.slice(name.length) : headline) + "."),
      h("ul", {}, rest.map(line)));
}

function experimentSection(experiment, place) {
  const heading = h("h2", {id: `heading-${place}`}, experiment.data.name);
  const points = ofSurfaces(experiment) ? `${plural(experiment.data.train, "training surface")}, ${plural(experiment.data.test, "test surface")}, ${count(experiment.data.rows)} ${experiment.data.of} in all` :
      ofNodes(experiment) ?
      `${plural(experiment.data.rows, "node")}, ${plural(experiment.data.edges, "edge")}, ${plural(experiment.data.train, "training node")}, ${plural(experiment.data.test, "test node")}` :
      `${plural(experiment.data.train, "training point")}, ${plural(experiment.data.test, "test point")}`;
  const facts = `${points}${ofSurfaces(experiment) ? "" : ", " + plural(experiment.data.columns, "feature")}, ${experiment.data.classes.length} classes; ${
      plural(experiment.protocol.seeds.length, "seed")} per ${methodNoun(experiment)}`;
  return h(
      "section", {id: `experiment-${place}`, class: "experiment", "aria-labelledby": `heading-${place}`}, heading,
      h("p", {class: "quiet"}, facts), verdictOf(experiment), standingFigure(experiment), accuracyTable(experiment), surfacesFigure(experiment), curvesFigure(experiment),
      robustnessFigure(experiment), efficiencyFigure(experiment), differencesFigure(experiment),
      baselinesFigure(experiment), shareFigure(experiment), temperatureFigure(experiment), similarityFigure(experiment),
      regionsFigure(experiment), protocolFigure(experiment));
}

function buildPage() {
  applyTheme(theme);
  const names = result.experiments.map((experiment) => experiment.data.name),
        similarities = [...new Set(result.experiments.flatMap((experiment) => experiment.attentions))];
  document.getElementById("top").append(
      h("div", {class: "bar"}, h("span", {class: "brand"}, "Calor"),
        h("span", {class: "buttons"}, saveButton("calor-compare.json"), themeSwitch())),
      h("h1", {}, `Which ${result.experiments.every(wholeNetworks) ? "network" : "attention"} for ${listed(names)}?`),
      h("p", {class: "lead"},
        `${
            listed(
                similarities)}, trained and tested side by side, with the statistics to tell a difference from chance.`),
      ...(names.length > 1 ?
              [h("nav", {"aria-label": "Data sets"}, names.map((name, i) => h("a", {href: `#experiment-${i}`}, name)))] :
              []));
  document.getElementById("main").replaceChildren(...result.experiments.map(experimentSection));
  document.getElementById("end").append(
      facts(
          "This run",
          [
            ["command", h("code", {}, result.command)], ["version", `Calor ${result.version}`],
            [
              "machine",
              `${result.machine.processor}, ${plural(result.machine.threads, "thread")}, ${result.machine.isa}`
            ],
            ["run time", seconds(result.seconds)]
          ]),
      h("p", {class: "quiet"},
        "Accuracies are of points the network was not trained on unless stated; differences are in percentage points; ± is one standard deviation over seeds. All figures are drawn from the data inside this file; nothing is loaded from elsewhere. Charts: plotly.js (MIT licence)."));
  startDrawing();
}

buildPage();
