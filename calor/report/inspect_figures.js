// The figures of an inspection.
const headName = (head) => `${head.layer}.${head.head}`;
const tokenName = (number) => {
  const name = result.tokens.names[number - 1];
  return name === undefined || name === "" ? String(number) : `${number} ${shortened(name.replace(/\n/g, "⏎"), 16)}`;
};
const lowHeight = (width) => (width < 520 ? 240 : 280);
const marks = (attributes) => Object.assign({type: "scatter", mode: "markers", hoverinfo: "all"}, attributes);

// A value for each head, in their order; `ranges`: [low, high] of the null behind each, or null.
function headsPlot({value, ranges, title, colour = 0, fixedRange}, width) {
  const p = palette(), heads = result.heads, places = heads.map((_, i) => i);
  const step = Math.ceil(heads.length / (width < 520 ? 8 : 20)), ticks = places.filter((i) => i % step === 0);
  const bands = ranges ? heads.map((head, i) => ({range: ranges(head), i})).filter(({range}) => range && exists(range[0]) && exists(range[1])) : [];
  return {
    data: [marks({
      x: places,
      y: heads.map((head) => (exists(value(head)) ? value(head) : null)),
      marker: {size: heads.length > 24 ? 7 : 10, color: p.series[colour]},
      customdata: heads.map(headName),
      hovertemplate: `head %{customdata}: %{y:.3~g}<extra></extra>`
    })],
    layout: layout({
      height: lowHeight(width),
      shapes: bands.map(({range, i}) => ({
        type: "rect",
        x0: i - 0.3,
        x1: i + 0.3,
        y0: range[0],
        y1: range[1],
        fillcolor: alpha(p.control, 0.28),
        line: {width: 0},
        layer: "below"
      })),
      xaxis: axis("head (layer.head)", {tickvals: ticks, ticktext: ticks.map((i) => headName(heads[i])), showgrid: false, range: [-0.6, heads.length - 0.4]}),
      yaxis: axis(title, fixedRange ? {range: fixedRange} : {rangemode: "tozero"})
    })
  };
}

function defectsFigure() {
  const of = (name) => ({value: (head) => head.defects[name], ranges: (head) => head.defects.null && head.defects.null[name].interval});
  const element = (name, title, colour) =>
      plot(`${title} of each head`, (width) => headsPlot(Object.assign({title, colour}, of(name)), width)).element;
  return figure(
      "How far from a metric",
      "0 in all three: the head compares its tokens by a distance. The grey bars hold 95 % of the same head with random directions: a head below its bar " +
          "is closer to a metric than chance. Heads without a bar have nothing to turn.",
      null,
      h("div", {class: "two"}, element("symmetry", "symmetry defect", 0), element("euclidean", "Euclidean defect", 1), element("triangle", "triangle defect", 2)));
}

function flowFigure() {
  const element = (label, options) => plot(`${label} of each head`, (width) => headsPlot(options, width)).element;
  return figure(
      "What a step does",
      "Effective neighbours: how many tokens a row averages. Drift share: near 0 tokens spread out, near 1 they are carried. " +
          "Contraction: what one bare step leaves of the differences between tokens; 1 keeps them, 0 makes all tokens equal.",
      null,
      h("div", {class: "two"},
        element("Effective neighbours", {value: (head) => head.attention.effective_neighbours, title: "effective neighbours", colour: 3}),
        element("Drift share", {value: (head) => head.step.drift_share, title: "drift share", colour: 4, fixedRange: [-0.02, 1.02]}),
        element("Contraction", {value: (head) => head.step.contraction, title: "contraction", colour: 1}),
        element("Concentration of the column sums", {value: (head) => head.attention.gini, title: "Gini index of the column sums", colour: 5, fixedRange: [-0.02, 1.02]})));
}

function spectrumPlot(head, width) {
  const p = palette(), values = head.modes.eigenvalues, size = Math.min(width, 380);
  const circle = {type: "circle", x0: -1, x1: 1, y0: -1, y1: 1, line: {color: p.axis, width: 1}};
  const slow = values.map((_, i) => i < head.modes.slow);
  return {
    data: [marks({
      x: values.map(([re]) => re),
      y: values.map(([, im]) => im),
      marker: {size: 10, color: slow.map((one) => (one ? p.series[1] : p.series[0])), symbol: slow.map((one) => (one ? "diamond" : "circle"))},
      customdata: values.map(([re, im]) => Math.hypot(re, im)),
      hovertemplate: "%{x:.4~g} %{y:+.4~g} i, modulus %{customdata:.4~g}<extra></extra>"
    })],
    layout: layout({
      height: size,
      shapes: [circle],
      xaxis: axis("real part", {range: [-1.1, 1.1]}),
      yaxis: axis("imaginary part", {range: [-1.1, 1.1], scaleanchor: "x"})
    })
  };
}

function sinksPlot(head, width) {
  const sinks = head.attention.sinks, places = sinks.map((_, i) => i);
  return {
    data: [{
      type: "bar",
      x: places,
      y: sinks.map((sink) => sink.sum / result.tokens.count),
      marker: {color: palette().series[2]},
      customdata: sinks.map((sink) => plain(tokenName(sink.token))),
      hovertemplate: "token %{customdata}: %{y:.1%} of all attention<extra></extra>"
    }],
    layout: layout({
      height: lowHeight(width),
      bargap: 0.3,
      xaxis: axis("token", {tickvals: places, ticktext: sinks.map((sink) => plain(tokenName(sink.token))), showgrid: false}),
      yaxis: axis("share of all attention", {tickformat: "~%", rangemode: "tozero"})
    })
  };
}

// The tokens in order, each in the colour of its cluster.
const MOST_TOKENS = 1500;
function clusterText(head) {
  const {clusters, slow, sizes} = head.modes, colours = palette().classes;
  if (slow < 2) return h("p", {class: "quiet"}, "One slow mode only: no group of tokens keeps to itself.");
  const colour = (cluster) => (cluster < colours.length ? colours[cluster] : palette().control);
  const chips = sizes.map((size, i) => h("span", {style: `border-bottom: 3px solid ${colour(i)}`}, `cluster ${i + 1}: ${plural(size, "token")} `));
  const words = clusters.slice(0, MOST_TOKENS).map((cluster, i) => h("span", {
    style: `border-bottom: 3px solid ${colour(cluster)}`, title: `token ${i + 1}, cluster ${cluster + 1}`}, result.tokens.names[i] || ` ${i + 1} `));
  const rest = clusters.length > MOST_TOKENS ? h("span", {class: "quiet"}, ` and ${count(clusters.length - MOST_TOKENS)} more`) : null;
  return h("div", {}, h("p", {class: "quiet"}, chips), h("p", {class: "tokens"}, words, rest));
}

function headFigure() {
  let chosen = result.heads[0];
  const spectrum = plot("Eigenvalues of the head", (width) => spectrumPlot(chosen, width));
  const sinks = plot("Tokens that receive most attention", (width) => sinksPlot(chosen, width));
  const clusters = h("div", {id: "clusters"}, clusterText(chosen));
  const redraw = () => {
    spectrum.redraw();
    sinks.redraw();
    clusters.replaceChildren(clusterText(chosen));
  };
  themed.push(() => clusters.replaceChildren(clusterText(chosen)));
  const select = h(
      "select", {"aria-label": "head", onchange: (event) => {
        chosen = result.heads[Number(event.target.value)];
        redraw();
      }},
      result.heads.map((head, i) => h("option", {value: String(i)}, `layer ${head.layer}, head ${head.head}`)));
  return figure(
      "One head: slow modes, sinks, clusters",
      `Eigenvalues inside the unit circle: those near 1 (diamonds) are slow, and what they separate mixes last. ${
          result.model.causal ? "They are of the head without its causal mask: with it they are the weights that tokens give themselves. " : ""}` +
          "Below, each token in the colour of the cluster that the slow modes put it in.",
      [h("label", {class: "selector"}, h("span", {}, "Head"), select)], h("div", {class: "two"}, spectrum.element, sinks.element), clusters);
}

function statesFigure() {
  const states = result.states;
  if (states.length < 3) return null;
  const curve = (key, title, colour, other) => plot(title + " before each layer", (width) => ({
    data: [[key, colour, "solid"], other].filter(Boolean).map(([name, place, dash]) => ({
      type: "scatter",
      mode: "lines+markers",
      x: states.map((_, i) => i),
      y: states.map((state) => state[name]),
      line: {color: palette().series[place], width: 2.5, dash},
      hovertemplate: `${name === "bare" ? "bare steps alone: " : ""}%{y:.3~g}<extra></extra>`
    })),
    layout: layout({
      height: lowHeight(width),
      xaxis: axis("after layer", {dtick: Math.ceil(states.length / 12)}),
      yaxis: axis(title, {rangemode: "tozero"})
    })
  })).element;
  return figure(
      "Across the layers",
      "Rank: how many directions the tokens differ in. Spread: how much of the state is differences between tokens; 0 when all are equal. " +
          "Dashed: the spread if only the mean head's bare steps had acted: residual connections and feed-forward layers are what keeps tokens apart.",
      null, h("div", {class: "two"}, curve("rank", "effective rank", 0), curve("spread", "spread", 1, ["bare", 2, "dash"])));
}
