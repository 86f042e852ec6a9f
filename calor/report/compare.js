// The page of a comparison, from top to bottom.
const result = JSON.parse(document.getElementById("document").textContent);

function applyTheme(name) {
  theme = name;
  document.documentElement.dataset.theme = name;
  palette().series.forEach((colour, i) => document.documentElement.style.setProperty(`--series-${i}`, colour));
  document.documentElement.style.setProperty("--series-control", palette().control);
  document.documentElement.style.setProperty(
      "--weights", [...palette().below, palette().middle, ...palette().above].join(","));
}

// In turns, so that the page stays responsive while many plots are drawn.
async function drawAll() {
  document.body.dataset.ready = "false";
  for (const entry of drawn.slice()) {
    await entry.draw();
    await new Promise((done) => setTimeout(done));
  }
  document.body.dataset.ready = "true";
}

function themeSwitch() {
  const label = () => (theme === "dark" ? "Light theme" : "Dark theme");
  const button = h("button", {type: "button", class: "theme", id: "theme"}, label());
  const change = (name) => {
    applyTheme(name);
    button.textContent = label();
    return drawAll();
  };
  button.addEventListener("click", () => change(theme === "dark" ? "light" : "dark"));
  darkSystem.addEventListener("change", (event) => change(event.matches ? "dark" : "light"));
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = theme;
    if (theme === "dark") {
      applyTheme("light");
      drawn.forEach((entry) => entry.draw());
    }
  });
  window.addEventListener("afterprint", () => {
    if (before && before !== theme) change(before);
  });
  return button;
}

function saveButton() {
  return h(
      "button", {
        type: "button",
        onclick: () => {
          const url = URL.createObjectURL(new Blob([JSON.stringify(result)], {type: "application/json"}));
          h("a", {href: url, download: "calor-compare.json"}).click();
          setTimeout(() => URL.revokeObjectURL(url), 1000);
        }
      },
      "Save the data (JSON)");
}

function verdictOf(experiment) {
  const [headline, ...rest] = experiment.verdict, name = experiment.data.name + ": ";
  // A sentence begins with a capital, a similarity's name stays as it is.
  const sentence = (text) => typeset(
      experiment.attentions.includes(text.split(/[\s,]/)[0]) ? text : text.charAt(0).toUpperCase() + text.slice(1));
  const line = (text) => {
    const topic = text.match(/^(robustness|efficiency|baselines): /);
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
  const facts = `${plural(experiment.data.train, "training point")}, ${plural(experiment.data.test, "test point")}, ${
      plural(experiment.data.columns, "feature")}, ${experiment.data.classes.length} classes; ${
      plural(experiment.protocol.seeds.length, "seed")} a similarity`;
  return h(
      "section", {id: `experiment-${place}`, class: "experiment", "aria-labelledby": `heading-${place}`}, heading,
      h("p", {class: "quiet"}, facts), verdictOf(experiment), accuracyTable(experiment), curvesFigure(experiment),
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
        h("span", {class: "buttons"}, saveButton(), themeSwitch())),
      h("h1", {}, `Which attention for ${listed(names)}?`),
      h("p", {class: "lead"},
        `${
            listed(
                similarities)}, trained and tested side by side, with the statistics to tell a difference from chance.`),
      names.length > 1 ?
          h("nav", {"aria-label": "Data sets"}, names.map((name, i) => h("a", {href: `#experiment-${i}`}, name))) :
          null);
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
  window.addEventListener("resize", () => drawn.forEach((entry) => {
    if (entry.narrow !== entry.element.clientWidth < 520) entry.draw();
  }));
  drawAll();
}

buildPage();
