// Networks on the nodes of a graph or on surfaces, rather than attentions on tokens.
const ofNodes = (experiment) => experiment.protocol.of === "nodes";
const ofSurfaces = (experiment) => experiment.protocol.of === "surfaces";
const ofNetworks = (experiment) => ofNodes(experiment) || ofSurfaces(experiment);
const wholeNetworks = (experiment) => ofNetworks(experiment) || experiment.protocol.width === null;  // given by --pipeline, not by their attention
const methodNoun = (experiment) => (wholeNetworks(experiment) ? "network" : "similarity");
const methodNouns = (experiment) => (wholeNetworks(experiment) ? "networks" : "similarities");

// The tables and figures of one experiment, each with its controls and a line on how to read it.
function accuracyTable(experiment) {
  const extra = experiment.summary.some((s) => exists(s.extra_mean)), level = experiment.protocol.common_accuracy;
  const parameters = (s) => (runsOf(experiment, s.attention)[0] || {}).parameters;
  const columns = [
    {head: methodNoun(experiment), text: (s) => named(experiment, s.attention)},
    {
      head: "test accuracy",
      title: "mean ± deviation over all runs, dead ones included",
      text: (s) => spread(s.accuracy_mean, s.accuracy_sd)
    },
    extra && {
      head: "fresh points",
      title: "mean ± deviation over all runs, on an extra test set",
      text: (s) => spread(s.extra_mean, s.extra_sd)
    },
    {
      head: "dead runs",
      text: (s) => (s.dead ? h("strong", {class: "warn"}, `${s.dead} of ${s.runs}`) : `0 of ${s.runs}`)
    },
    {
      head: "living runs",
      title: "mean ± deviation over the living runs, " + measureName(experiment),
      text: (s) => spread(s.living_mean, s.living_sd)
    },
    {
      head: "spread, 95 % interval",
      title: "bootstrap interval of the living runs' deviation, in percentage points",
      text: (s) => range(s.living_sd_low, s.living_sd_high)
    },
    exists(level) && {
      head: `epochs to ${percent(level, 0)}`,
      title: "median over the runs that reach it",
      text: (s) => count(s.epochs_to_common)
    },
    exists(level) && {
      head: `time to ${percent(level, 0)}`,
      title: "median training time over the runs that reach it",
      text: (s) => seconds(s.seconds_to_common)
    },
    {head: "parameters", text: (s) => count(parameters(s))},
  ].filter(Boolean);
  return table(`Accuracy of each ${methodNoun(experiment)}: mean ± deviation over seeds`, columns, experiment.summary);
}

function curvesFigure(experiment) {
  const state = {hidden: new Set(), band: "sd", log: false, single: false, dead: true, time: "epochs"};
  const extra = experiment.runs.some((run) => run.extra_accuracy), anyDead = experiment.runs.some((run) => run.dead);
  state.accuracy = extra ? "extra_accuracy" : "test_accuracy";
  const loss =
      plot(`Training loss along training, one curve per ${methodNoun(experiment)}`, (width) => curves(experiment, state, "loss", width));
  const accuracy = plot(
      `Accuracy along training, one curve per ${methodNoun(experiment)}`, (width) => curves(experiment, state, state.accuracy, width));
  const both = () => {
    loss.redraw();
    accuracy.redraw();
  };
  const chips = experiment.attentions.filter((a) => runsOf(experiment, a).length).map((attention) => {
    const button = toggle("", true, (on) => {
      on ? state.hidden.delete(attention) : state.hidden.add(attention);
      both();
    });
    button.append(named(experiment, attention));
    return button;
  });
  const set = (key) => (value) => {
    state[key] = value;
    both();
  };
  const accuracies = [
    extra && ["extra_accuracy", "fresh points"], ["test_accuracy", "test"], ["train_accuracy", "training"]
  ].filter(Boolean);
  const controls = [
    h("div", {class: "chips", role: "group", "aria-label": "Similarities shown"}, chips),
    choice("Accuracy", accuracies, state.accuracy, set("accuracy")),
    choice("Time", [["epochs", "epochs"], ["seconds", "seconds"]], "epochs", set("time")),
    choice("Band", [["sd", "± deviation"], ["range", "min–max"]], "sd", set("band")),
    toggle("Log loss", false, set("log")),
    toggle("Single runs", false, set("single")),
    anyDead ? toggle("Dead runs", true, set("dead")) : null,
  ];
  return figure(
      "Loss and accuracy along training",
      `A line is the mean over the living runs, its band their spread${
          anyDead ?
              "; dotted thin lines are dead runs" :
              ""}. A curve that falls or rises earlier trains faster; a narrow band means that the seed matters little.`,
      controls,
      h("div", {class: "two"}, h("div", {}, h("h4", {}, "Training loss"), loss.element),
        h("div", {}, h("h4", {}, "Accuracy"), accuracy.element)));
}

function robustnessFigure(experiment) {
  const state = {dead: true}, anyDead = experiment.runs.some((run) => run.dead);
  const dots = plot(`Final accuracy of every run, by ${methodNoun(experiment)}`, (width) => seedDots(experiment, state, width));
  const spreads = experiment.summary.some((s) => exists(s.living_sd)) &&
      plot(`Deviation of the living runs with its interval, by ${methodNoun(experiment)}`, (width) => spreadRows(experiment, width));
  return figure(
      "Robustness: every run",
      `Left, each mark is one seed; the bar is mean ± deviation of the living runs${
          anyDead ?
              ", a thin cross is a dead run" :
              ""}. Right, that deviation with its 95 % bootstrap interval: intervals that overlap show no difference in robustness.`,
      anyDead ? [toggle(
                    "Dead runs", true,
                    (on) => {
                      state.dead = on;
                      dots.redraw();
                    })] :
                [],
      h("div", {class: "two"}, h("div", {}, dots.element),
        spreads ? h("div", {}, spreads.element) : h("p", {class: "quiet"}, "Too few living runs for a deviation.")));
}

function efficiencyFigure(experiment) {
  const level = experiment.protocol.common_accuracy;
  if (!exists(level) || !experiment.summary.some((s) => s.reached > 0))
    return figure(
        "Efficiency", null, [],
        h("p", {class: "quiet"},
          `No accuracy level was reached by every ${methodNoun(experiment)}, so there is no common one to time.`));
  const one = (key, title) =>
      h("div", {},
        plot(
            `${title} to ${percent(level, 0)} ${measureName(experiment)}, by ${methodNoun(experiment)}`,
            (width) => efficiencyRows(experiment, key, `${title} to ${percent(level, 0)}`, width))
            .element);
  const missing =
      experiment.summary.filter((s) => s.reached < s.runs).map((s) => `${s.attention} ${s.reached} of ${s.runs}`);
  return figure(
      `Efficiency: the way to ${percent(level, 0)} ${measureName(experiment)}`,
      "Each dot is a run, the bar the median of the runs that get there; further left is faster. Seconds depend on this machine, epochs do not.",
      [], h("div", {class: "two"}, one("epochs_to_common", "epochs"), one("seconds_to_common", "seconds")),
      missing.length ? h("p", {class: "quiet"}, `Runs that get there: ${missing.join(", ")}; all of the others.`) :
                       null);
}

// Each note once, with the pairs that it is about.
function notesOf(pairs) {
  const about = new Map();
  for (const pair of pairs.filter((p) => p.note))
    about.set(pair.note, (about.get(pair.note) || []).concat(`${pair.a} − ${pair.b}`));
  return [...about].map(
      ([note, names]) =>
          h("p", {class: "quiet"}, `${names.length === pairs.length ? "Every pair" : listed(names)}: ${note}.`));
}

function differencesFigure(experiment) {
  if (!experiment.pairs.length) return null;
  const columns = [
    {head: "difference of", text: (p) => `${p.a} − ${p.b}`},
    {head: "pairs", text: (p) => count(p.pairs)},
    {head: "mean, percentage points", text: (p) => signed(p.difference, 2)},
    {
      head: "95 % interval",
      title: "Student's t interval of the mean difference, percentage points",
      text: (p) => (exists(p.low) ? `${signed(p.low, 2)} to ${signed(p.high, 2)}` : NONE)
    },
    {
      head: "p",
      title: "Wilcoxon's signed-rank test, two-sided",
      text: (p) => probability(p.p) + (p.exact ? "" : " (approx.)")
    },
    {
      head: "p after Holm",
      title: "corrected for all tests in this table",
      text: (p) =>
          (exists(p.p_holm) && p.p_holm < 0.05 ? h("strong", {}, probability(p.p_holm)) : probability(p.p_holm))
    },
    {head: "smallest p", title: "the least p that this many pairs can give", text: (p) => probability(p.smallest_p)},
    {
      head: "detectable",
      title: "true difference found with 80 % power at 5 %, percentage points",
      text: (p) => points(p.detectable, 2)
    },
    {
      head: "both alive, percentage points",
      title: "mean difference over the seeds where both runs are alive",
      text: (p) =>
          (p.living_pairs < p.pairs ? `${signed(p.living_difference, 2)} (${plural(p.living_pairs, "pair")})` : NONE)
    },
  ].filter((column) => !column.head.startsWith("both") || experiment.pairs.some((p) => p.living_pairs < p.pairs));
  return figure(
      `Paired differences in ${measureName(experiment)}`,
      "Both members of a pair share seed and split. A whisker that crosses zero, inside the grey bar of differences too small for this run to detect, is no evidence of a difference; filled marks have p < 0.05 after Holm's correction.",
      [],
      plot(
          `Mean paired difference with 95 % interval, by pair of ${methodNouns(experiment)}`,
          (width) => differenceRows(experiment, width))
          .element,
      table("Paired tests over the same seeds (dead runs included)", columns, experiment.pairs),
      notesOf(experiment.pairs));
}

// Every method beside the propagator, best first.
function standingFigure(experiment) {
  const standing = experiment.standing || [];
  if (!standing.length) return null;
  const reference = standing.find((s) => !exists(s.p)).name;
  const columns = [
    {head: "method", text: (s) => (s.kind === "propagator" ? h("strong", {}, s.name) : s.name)},
    {head: measureName(experiment), text: (s) => spread(s.accuracy_mean, s.accuracy_sd)},
    {head: `${reference} ahead by`, title: "percentage points", text: (s) => (exists(s.difference) ? signed(s.difference) : "")},
    {head: "95 % interval", text: (s) => (exists(s.low) ? `${signed(s.low)} to ${signed(s.high)}` : "")},
    {head: "p", title: "Wilcoxon's signed-rank test", text: (s) => (exists(s.p) ? fixed(s.p, 3) : "")},
    {head: "p after Holm", text: (s) => (exists(s.p_holm) ? fixed(s.p_holm, 3) : "")},
    {head: "chosen", title: "by each seed's training rows; counts are of seeds", prose: true, text: (s) => s.chosen || ""}
  ];
  const remarks = (experiment.remarks || []).map((r) => h("p", {class: "quiet"}, `${r.name}: ${r.left_out ? "left out, " : ""}${r.reason}.`));
  return figure(
      "All methods",
      "Each method over the same seeds and splits, the best mean first. Each has chosen how its features are scaled and its own parameters on the training rows of each seed. The propagator lets the training labels flow to a new point under a learned metric; untrained, its bandwidth and density exponent are chosen by leaving each training point out. An interval that contains zero is no evidence of a difference.",
      [], table("All methods: mean ± deviation over seeds", columns, standing), remarks);
}

function baselinesFigure(experiment) {
  if (!experiment.baselines.length) return null;
  const extra = experiment.baselines.some((b) => exists(b.extra_mean)), best = experiment.best_baseline;
  const columns = [
    {head: "baseline", text: (b) => b.name},
    {head: "test accuracy", text: (b) => spread(b.accuracy_mean, b.accuracy_sd)},
    extra && {head: "fresh points", text: (b) => spread(b.extra_mean, b.extra_sd)},
    {head: "parameters", text: (b) => count(b.parameters)}
  ].filter(Boolean);
  const sentence = best &&
      `Best baseline against best attention, over the same seeds: ${best.baseline} − ${best.attention} = ${
                       signed(best.difference)} percentage points${
                       exists(best.low) ? ` (95 % interval ${signed(best.low)} to ${signed(best.high)})` : ""}.`;
  return figure(
      "Against plain methods",
      ofNetworks(experiment) ?
          "Sorted by mean accuracy over all runs, whiskers are ± deviation over seeds; squares are methods to which every node, triangle or point is alone, or which see the graph alone; the grey ring is uniform attention, the control, where it was run." :
          "Sorted by mean accuracy over all runs, whiskers are ± deviation over seeds; squares are methods without attention, the grey ring is uniform attention, the control. An attention network that does not beat them has not earned its cost.",
      [],
      plot(`Mean accuracy of ${methodNouns(experiment)} and baselines, sorted`, (width) => baselineRows(experiment, width)).element,
      table("Baselines: mean ± deviation over seeds", columns, experiment.baselines),
      sentence ? h("p", {class: "quiet"}, sentence) : null);
}

const layersOf = (experiment, key) =>
    Math.max(0, ...experiment.runs.map((run) => (run[key].length ? run[key][0].length : 0)));
const layerPlots = (experiment, key, what) => h(
    "div", {class: "two"},
    Array.from(
        {length: layersOf(experiment, key)},
        (_, layer) => h(
            "div", {}, h("h4", {}, `Layer ${layer + 1}`),
            plot(`${what} of layer ${layer + 1} along training`, (width) => layerCurves(experiment, key, layer, width))
                .element)));

function shareFigure(experiment) {
  const layers = layersOf(experiment, "share");
  if (!layers) return null;
  const columns = [{head: methodNoun(experiment), text: (s) => named(experiment, s.attention)}];
  for (let layer = 0; layer < layers; ++layer)
    columns.push(
        {head: `layer ${layer + 1}, start`, text: (s) => percent(s.share_initial[layer])},
        {head: "end", text: (s) => percent(s.share_final[layer])});
  const flags = experiment.summary.flatMap(
      (s) => s.flags.map(
          (flag) => h("li", {class: flag.kind}, h("strong", {}, `${s.attention}, ${flag.kind}`), ": " + flag.text)));
  return figure(
      ofNetworks(experiment) ? "How many neighbours a node attends to" : "How many keys a token attends to",
      ofNetworks(experiment) ?
          "exp(entropy) of a node's weights over the number of its neighbours, itself included; the mean over nodes and heads. At 100 % all neighbours weigh the same: the attention is a plain mean. Bands run from the lowest to the highest run." :
          "exp(entropy) of a token's weights over the number of keys. Near 100 % it averages all tokens alike (collapse: attention does nothing); near the dashed line it attends only to itself (saturation). Bands run from the lowest to the highest run.",
      [],
      flags.length ? h("ul", {class: "flags", "aria-label": "Warnings"}, flags) :
      ofNetworks(experiment) ? null : h("p", {class: "quiet"}, "No sign of saturation or collapse."),
      layerPlots(experiment, "share", ofNetworks(experiment) ? "Effective share of neighbours" : "Effective share of keys"),
      table(ofNetworks(experiment) ? "Effective share of neighbours, mean over runs" : "Effective share of keys, mean over runs", columns, experiment.summary.filter((s) => s.runs > 0 && s.share_final.length)));
}

function temperatureFigure(experiment) {
  const moves = experiment.runs.some(
      (run) => run.temperature.some((layers) => layers.some((value, l) => value !== run.temperature[0][l])));
  if (!moves) return null;
  return figure(
      "Temperature along training",
      "The factor of the score before the softmax: larger is sharper attention. Bands run from the lowest to the highest run.",
      [], layerPlots(experiment, "temperature", "Temperature"));
}

function weightScale() {
  return h(
      "div", {class: "scale", "aria-hidden": "true"}, h("span", {}, "weight, relative to uniform"),
      h("div", {}, h("i"), h("span", {}, ["1/100", "1/10", "1×", "10×", "100×"].map((text) => h("b", {}, text)))));
}

function similarityFigure(experiment) {
  const entries = (experiment.similarity || []).filter((entry) => entry.labels.length);
  if (!entries.length) return null;
  return figure(
      "The learned similarity",
      "Row: a token; column: a token it attends to; both sorted by class (lines part the classes). Red is more than uniform attention would give, blue less: a good similarity shows blocks on the diagonal.",
      [], weightScale(),
      h("div", {class: "grid"},
        entries.map(
            (entry) =>
                h("div", {},
                  h("h4", {}, named(experiment, entry.attention), `, layer ${entry.layer}, seed ${entry.seed}`),
                  plot(
                      `Similarity matrix of ${entry.attention}, layer ${
                          entry.layer}, tokens sorted by class; weight relative to uniform attention`,
                      (width) => similarityMap(experiment, entry, width))
                      .element))));
}

function regionsFigure(experiment) {
  const entries = experiment.regions || [];
  if (!entries.length) return null;
  const state = {train: true},
        plots = entries.map(
            (entry) =>
                plot(`Decision regions of ${entry.attention}`, (width) => regionMap(experiment, entry, state, width)));
  const classes = experiment.data.classes;
  return figure(
      "Decision regions",
      `Shading is the network's answer at each place${
          classes.length === 2 ? ", the line where it is undecided" :
                                 ""}. Large outlined marks are test points, small ones training points; circles are ${
          listed(classes.slice(0, 1))}${classes.length > 1 ? `, squares ${classes[1]}` : ""}${
          classes.length > 2 ? ", further shapes further classes" : ""}.`,
      [toggle(
          "Training points", true,
          (on) => {
            state.train = on;
            plots.forEach((p) => p.redraw());
          })],
      h("div", {class: "grid"},
        entries.map(
            (entry, i) =>
                h("div", {}, h("h4", {}, named(experiment, entry.attention), `, seed ${entry.seed}`),
                  plots[i].element))));
}

function nodeProtocol(p, seeds) {
  const tried = (values) => values.map((value) => significant(value)).join(", ");
  return [
    ["optimiser", "adam, coupled decay"], ["learning rates tried", tried(p.learning_rates)], ["weight decays tried", tried(p.weight_decays)],
    ["epochs", count(p.epochs)], ["patience", p.patience ? plural(p.patience, "epoch") : null],
    ["weights kept", "of the epoch, rate and decay that classify the validation nodes best"],
    ["training nodes of a class", exists(p.per_class) ? count(p.per_class) : null], ["seeds", seeds], ["a seed changes", p.seed_means],
    ["dead runs", p.dead_rule], ["common accuracy", exists(p.common_accuracy) ? percent(p.common_accuracy, 0) : null]
  ];
}

function surfaceProtocol(p, seeds) {
  return [
    ["optimiser", "adam; one surface a step, its rate falls along a half cosine"], ["learning rate", significant(p.learning_rate)], ["weight decay", significant(p.weight_decay)],
    ["label smoothing", significant(p.label_smoothing)], ["epochs", count(p.epochs)], ["share of surfaces to test on", exists(p.test_share) ? percent(p.test_share, 0) : null], ["seeds", seeds],
    ["a seed changes", p.seed_means], ["dead runs", p.dead_rule], ["common accuracy", exists(p.common_accuracy) ? percent(p.common_accuracy, 0) : null]
  ];
}

function protocolFigure(experiment) {
  const d = experiment.data, p = experiment.protocol, yes = (value) => (value ? "yes" : "no");
  const attend = {train: "training points and itself", joint: "all points", batch: "its own batch"};
  const seeds = p.seeds.length > 1 ?
      `${plural(p.seeds.length, "seed")}, ${p.seeds[0]} to ${p.seeds[p.seeds.length - 1]}` :
      plural(p.seeds.length, "seed");
  return h(
      "details", {class: "protocol", open: true}, h("summary", {}, h("h3", {}, "Protocol and data")),
      h("div", {class: "two"},
        facts(
            "Protocol",
            ofSurfaces(experiment) ? surfaceProtocol(p, seeds) : ofNodes(experiment) ? nodeProtocol(p, seeds) : [
              ...(p.width === null ? [] : [["reading", p.reading]]),
              ["a test point attends to", attend[p.attend] ? `${attend[p.attend]} (${p.attend})` : p.attend],
              ...(p.width === null ? [["networks", "each as its pipeline says"]] : [["layers × width", `${count(p.layers)} × ${count(p.width)}`], ["residual", yes(p.residual)]]),
              ["optimiser", p.optimizer], ["learning rate", significant(p.learning_rate)],
              ["weight decay", significant(p.weight_decay)], ["batch", plural(p.batch, "token")],
              ["epochs", count(p.epochs)], ...(p.width === null ? [] : [["temperature", p.temperature]]), ["keys of a token", count(p.tokens)],
              ["seeds", seeds], ["a seed changes", p.seed_means], ["dead runs", p.dead_rule],
              ["common accuracy", percent(p.common_accuracy, 0)]
            ]),
        facts(
            "Data",
            [
              ["name", d.name], ["source", d.source], ["content hash", h("code", {}, d.hash)],
              ofSurfaces(experiment) ? [`surfaces, ${d.of} in all`, `${count(d.surfaces)}, ${count(d.rows)}`] :
                                       [ofNodes(experiment) ? "nodes × features" : "rows × columns", `${count(d.rows)} × ${count(d.columns)}`],
              ["edges", exists(d.edges) ? count(d.edges) : null],
              ["classes", `${d.classes.length}: ${listed(d.classes.slice(0, 12))}${d.classes.length > 12 ? " …" : ""}`],
              ["label column", d.label || null],
              ofSurfaces(experiment) ? ["surfaces to train / test on", `${count(d.train)} / ${count(d.test)}`] :
              ofNodes(experiment) ?
                  ["nodes to train / validate / test on", `${count(d.train)} / ${count(d.validation)} / ${count(d.test)}`] :
                  ["training / test points", `${count(d.train)} / ${count(d.test)}`],
              ["fresh test points", d.extra_test ? count(d.extra_test) : null],
              [
                "test set", ofSurfaces(experiment) ? d.test_source || "drawn for each seed" :
                    ofNodes(experiment) ? (d.own_split ? "the data's own split" : "drawn for each seed") : d.test_source || "held out, stratified"
              ],
              ["features of the networks", ofSurfaces(experiment) ? null : ofNodes(experiment) ? p.features : p.preprocessing],
              ["constant columns", d.constant_columns.length ? listed(d.constant_columns) : null]
            ])),
      facts(
          "Pipelines",
          experiment.attentions.map(
              (name) => [name, experiment.pipelines[name] && h("code", {}, experiment.pipelines[name])])));
}
