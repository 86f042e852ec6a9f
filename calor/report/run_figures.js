// The figures beside the picture, each from what the document has for it; null where it has nothing.
const line = (attributes) => Object.assign({type: "scatter", mode: "lines", hoverinfo: "skip"}, attributes);
const lowHeight = (width) => (width < 520 ? 240 : 280);
const places = (values) => Float32Array.from(values, (_, i) => i + 1);

// A logarithmic axis with a tick at every decade, or every few; within two decades at 1, 2 and 5.
function logAxis(title, values, options = {}) {
  const [low, high] = extent(values.filter((value) => value > 0)).map(Math.log10), tickvals = [], ticktext = [];
  const first = Math.floor(low), last = Math.ceil(high), fine = high - low < 2, step = Math.ceil((last - first) / 8);
  const power = (exponent) => "10" + String(exponent).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  for (let decade = first; decade <= last; decade += fine ? 1 : step)
    for (const digit of fine ? [1, 2, 5] : [1]) {
      const value = digit * 10 ** decade;
      tickvals.push(value);
      ticktext.push(Math.abs(decade) < 4 ? significant(value) : digit === 1 ? power(decade) : digit + "·" + power(decade));
    }
  const margin = 0.04 * (high - low) + 0.02;
  return axis(title, Object.assign({type: "log", tickvals, ticktext, range: [low - margin, high + margin]}, options));
}

function spectrumPlot(width) {
  const p = palette(), values = result.spectrum, gap = result.quality.gap, n = values.length;
  const band = gap && {
    type: "rect",
    yref: "paper",
    x0: gap.after,
    x1: gap.after + 1,
    y0: 0,
    y1: 1,
    fillcolor: alpha(p.series[1], 0.16),
    line: {width: 0},
    layer: "below"
  };
  const name = gap && {
    yref: "paper",
    x: gap.after + 0.5,
    y: 1,
    xanchor: gap.after < n / 3 ? "left" : gap.after > 2 * n / 3 ? "right" : "center",
    yanchor: "bottom",
    showarrow: false,
    text: `largest gap: ${plain(gap.suggests)}`,
    font: {size: 12, color: p.quiet}
  };
  return {
    data: [line({
      mode: n > 60 ? "lines" : "lines+markers",
      x: places(values),
      y: values,
      line: {color: alpha(p.series[0], 0.5), width: 1.5},
      marker: {size: 9, color: p.series[0]},
      hoverinfo: "all",
      hovertemplate: "eigenvalue %{x}: %{y:.6~g}<extra></extra>"
    })],
    layout: layout({
      height: lowHeight(width),
      shapes: gap ? [band] : [],
      annotations: gap ? [name] : [],
      margin: {l: 8, r: 12, t: gap ? 28 : 12, b: 8},
      xaxis: axis("number", {range: [0.5, n + 0.5], tickformat: "d", dtick: n <= 12 ? 1 : undefined}),
      yaxis: axis("eigenvalue", {exponentformat: "power"})
    })
  };
}

function spectrumFigure() {
  const n = result.spectrum.length, gap = result.quality.gap;
  if (!n) return null;
  const reading = gap ?
      `The ${count(n)} eigenvalues in order, without the trivial constant. The widest step is after ${
          count(gap.after)}: it suggests ${gap.suggests}, a rule of thumb rather than a proof.` :
      `The ${plural(n, "eigenvalue")} of the coordinates, without the trivial constant. ${
          n < 4 ? "A gap shows from four on: --set eigen.k=10." : ""}`;
  return figure("Spectrum", reading, null, plot("Eigenvalues in order", spectrumPlot).element);
}

// A series of the bandwidth curve with the bandwidth chosen.
function bandwidthPlot(values, title, colour, width) {
  const p = palette(), scale = result.series.bandwidth_scale, chosen = result.figures.bandwidth;
  const onTheRight = chosen > Math.sqrt(scale[0] * scale[scale.length - 1]);
  return {
    data: [line({
      x: scale,
      y: values,
      line: {color: p.series[colour], width: 2.5},
      hoverinfo: "all",
      hovertemplate: "bandwidth %{x:.3~g}: %{y:.4~g}<extra></extra>"
    })],
    layout: layout({
      height: lowHeight(width) + 16,
      margin: {l: 8, r: 12, t: 28, b: 8},
      xaxis: logAxis("bandwidth", scale),
      yaxis: axis(title),
      shapes: [{
        type: "line",
        yref: "paper",
        x0: chosen,
        x1: chosen,
        y0: 0,
        y1: 1,
        line: {color: p.quiet, width: 1.5, dash: "dash"}
      }],
      annotations: [{
        yref: "paper",
        x: Math.log10(chosen),
        y: 1,
        xanchor: onTheRight ? "right" : "left",
        yanchor: "bottom",
        showarrow: false,
        text: `chosen: ${significant(chosen)}`,
        font: {size: 12, color: p.quiet}
      }]
    })
  };
}

function bandwidthFigure() {
  const {bandwidth_log_sum: sum, bandwidth_slope: slope} = result.series, dimension = result.figures.dimension;
  if (!sum) return null;
  const curve = plot("Log of the kernel's sum against the bandwidth", (width) => bandwidthPlot(sum, "log Σ K", 0, width));
  const steepness = plot("Slope of that curve against the bandwidth", (width) => bandwidthPlot(slope, "slope", 1, width));
  return figure(
      "Bandwidth",
      `First the logarithm of the kernel's sum as its bandwidth grows, then how steeply it rises. The steepest place is the bandwidth chosen${
          exists(dimension) ? `; twice its slope, ${significant(dimension)}, estimates the dimension of the data` : ""}.`,
      null, h("div", {class: "two"}, curve.element, steepness.element));
}

// A curve over 1, 2, ...; short ones with their points.
function curvePlot(values, {colour = 0, hover, height, xaxis, yaxis}) {
  return {
    data: [line({
      mode: values.length > 40 ? "lines" : "lines+markers",
      x: places(values),
      y: values,
      line: {color: palette().series[colour], width: 2.5},
      hoverinfo: "all",
      hovertemplate: hover + "<extra></extra>"
    })],
    layout: layout({height, xaxis, yaxis})
  };
}

function historyFigure() {
  const series = ["stress", "change"].find((name) => (result.series[name] || []).length > 1), stress = series === "stress";
  if (!series) return null;
  const values = result.series[series].map((value) => (value > 0 ? value : null)), step = stress ? "step" : "repetition";
  const drawing = plot(`${series} at each ${step}`, (width) => curvePlot(values, {
    hover: `${step} %{x}: %{y:.4~g}`,
    height: lowHeight(width),
    xaxis: axis(step, {tickformat: "d"}),
    yaxis: logAxis(series, values)
  }));
  return figure(
      "Convergence",
      stress ? "The stress after each step: it cannot rise, and the run ends when it hardly falls." :
               "How much changed in each repetition, relative to the spread of the points or the largest value; the run ends when next to nothing does.",
      null, drawing.element);
}

// Bars of at most forty sizes.  one: what a bar is; name(i): what stands below it.
const MOST_BARS = 40;
function sizesPlot(sizes, {one, name, coloured}, width) {
  const shown = sizes.slice(0, MOST_BARS), numbers = shown.map((_, i) => i);
  const step = Math.ceil(shown.length / (width < 520 ? 10 : 20)), ticks = numbers.filter((i) => i % step === 0);
  return {
    data: [{
      type: "bar",
      x: numbers,
      y: shown,
      marker: {color: numbers.map((i) => (coloured ? groupColour(i) : palette().series[0]))},
      text: shown.map(count),
      textposition: shown.length <= (width < 520 ? 8 : 16) ? "outside" : "none",
      textfont: {size: 12, color: palette().quiet},
      cliponaxis: false,
      customdata: numbers.map(name),
      hovertemplate: `${one} %{customdata}: %{y:,} points<extra></extra>`
    }],
    layout: layout({
      height: lowHeight(width),
      bargap: 0.25,
      margin: {l: 8, r: 12, t: 24, b: 8},
      xaxis: axis(one, {tickvals: ticks, ticktext: ticks.map(name), showgrid: false}),
      yaxis: axis("points", {rangemode: "tozero"})
    })
  };
}
const sizesElement = (sizes, bars) => plot(`Size of each ${bars.one}`, (width) => sizesPlot(sizes, bars, width)).element;

function clustersFigure() {
  const clusters = result.quality.clusters;
  if (!clusters || clusters.count < 2) return null;
  const more = clusters.sizes.length > MOST_BARS ? ` The first ${MOST_BARS} are shown.` : "";
  return figure(
      "Cluster sizes", `How many points each of the ${count(clusters.count)} clusters has.${more}`, null,
      sizesElement(clusters.sizes, {one: "cluster", name: (i) => String(i), coloured: clusters.sizes.length <= MOST_GROUPS}));
}

function componentsFigure() {
  const graph = result.quality.graph;
  if (!graph || graph.components < 2) return null;
  const more = graph.components > MOST_BARS ? ` The ${MOST_BARS} largest are shown.` : "";
  return figure(
      "Components of the graph",
      `The graph of ${count(graph.rows)} rows and ${count(graph.edges)} edges falls into ${
          count(graph.components)} components, ordered by size here. What is not connected cannot be compared: a larger k may join them.${more}`,
      null, sizesElement(graph.sizes, {one: "component", name: (i) => String(i + 1), coloured: false}));
}

function confusionPlot(found, width) {
  const names = found.classes.map((name) => plain(shortened(name, 14))), numbers = names.map((_, i) => i);
  const totals = found.confusion.map((row) => row.reduce((sum, x) => sum + x, 0));
  const size = Math.min(width, 520), p = palette(), cell = size / (names.length + 2);
  const ticks = {tickvals: numbers, ticktext: names, showgrid: false, constrain: "domain"};
  return {
    data: [{
      type: "heatmap",
      z: found.confusion.map((row, i) => row.map((x) => (totals[i] ? x / totals[i] : 0))),
      zmin: 0,
      zmax: 1,
      showscale: false,
      colorscale: [[0, p.middle], [1, p.series[0]]],
      xgap: 1,
      ygap: 1,
      text: found.confusion.map((row) => row.map((x) => (x ? count(x) : ""))),
      texttemplate: cell > 24 ? "%{text}" : undefined,
      textfont: {size: cell > 40 ? 13 : 11},
      customdata: found.confusion.map((row, i) => row.map((x, j) => `${count(x)} of ${names[i]} predicted as ${names[j]}`)),
      hovertemplate: "%{customdata}<extra></extra>"
    }],
    layout: layout({
      height: size,
      xaxis: axis("predicted", Object.assign({tickangle: names.some((name) => name.length > 4) ? -45 : 0}, ticks)),
      yaxis: axis("true", Object.assign({autorange: "reversed", scaleanchor: "x"}, ticks))
    })
  };
}

function confusionFigure() {
  const found = result.quality.prediction, most = 40;
  if (!found || !found.confusion || found.classes.length > most) return null;
  return figure(
      "Confusion matrix",
      "Rows are the true classes of the held-out rows, columns the predicted ones: correct predictions lie on the diagonal. The colour is the share of the row.",
      null, h("div", {class: "square"}, plot("Confusion matrix", (width) => confusionPlot(found, width)).element));
}

// How often the predicted class is right against the probability it was given, on held-out rows.
function reliabilityPlot(bins, width) {
  const p = palette();
  return {
    data: [
      line({x: [0, 1], y: [0, 1], line: {color: p.axis, width: 1.5, dash: "dash"}}),
      {
        type: "scatter",
        mode: "lines+markers",
        x: bins.map((bin) => bin.confidence),
        y: bins.map((bin) => bin.accuracy),
        customdata: bins.map((bin) => plural(bin.rows, "row")),
        line: {color: alpha(p.series[0], 0.5), width: 1.5},
        marker: {size: bins.map((bin) => 7 + Math.min(15, Math.sqrt(bin.rows) / 2)), color: p.series[0]},
        hovertemplate: "%{customdata}: probability %{x:.3f}, correct %{y:.3f}<extra></extra>"
      }
    ],
    layout: layout({
      height: Math.min(width, 420),
      xaxis: axis("probability of the predicted class", {range: [0, 1.03]}),
      yaxis: axis("share of correct predictions", {range: [0, 1.03]})
    })
  };
}

function reliabilityFigure() {
  const found = result.quality.prediction;
  if (!found || !found.reliability) return null;
  const bins = found.reliability.filter((bin) => bin.rows > 0);
  if (!bins.length) return null;
  return figure(
      "Calibration",
      "The held-out rows in tenths of the probability of their predicted class: on the line the probabilities are calibrated, below it overconfident.",
      null, h("div", {class: "square"}, plot("Reliability", (width) => reliabilityPlot(bins, width)).element));
}

// How well each labelled row is predicted by the others, at each bandwidth.
function leaveOneOutFigure() {
  const {leave_one_out_scale: scale, leave_one_out_plain: plainly, leave_one_out_likelihood: corrected} = result.series;
  if (!scale) return null;
  const density = corrected && result.figures.alpha > 0, chosen = result.figures.bandwidth;
  const drawing = plot("Leave-one-out likelihood against the bandwidth", (width) => {
    const p = palette();
    const curve = (y, colour, name) => line({
      mode: "lines+markers",
      x: scale,
      y,
      name,
      showlegend: Boolean(density),
      line: {color: p.series[colour], width: 2.5},
      hoverinfo: "all",
      hovertemplate: "bandwidth %{x:.3~g}: %{y:.4~g}<extra></extra>"
    });
    return {
      data: [
        ...(density ? [curve(corrected, 0, `density to the power ${result.figures.alpha} taken out`)] : []),
        ...(plainly ? [curve(plainly, density ? 1 : 0, "density kept")] : [])
      ],
      layout: layout({
        height: lowHeight(width) + 40,
        legend: {orientation: "h", y: 1.15},
        xaxis: logAxis("bandwidth", scale),
        yaxis: axis("likelihood"),
        shapes: [{type: "line", yref: "paper", x0: chosen, x1: chosen, y0: 0, y1: 1, line: {color: p.quiet, width: 1.5, dash: "dash"}}]
      })
    };
  });
  return figure(
      "Bandwidth", "How well each labelled row is predicted by the others, for each bandwidth; the dashed line is the one chosen.", null,
      drawing.element);
}

// Predicted against true values of the held-out rows.
function valuesFigure() {
  const found = result.quality.prediction, [predicted, known] = result.picture.colourings.filter((one) => one.kind === "numbers");
  if (!found || !("r2" in found) || !known) return null;
  const judged = unpack(result.picture.judged), [all, truth] = [unpack(predicted.values), unpack(known.values)];
  const rows = Int32Array.from(truth.keys()).filter((i) => judged[i] === 1 && exists(truth[i]) && exists(all[i]));
  const x = taken(truth, rows), y = taken(all, rows), [low, high] = extent([...extent(x), ...extent(y)]);
  const drawing = plot("Predicted against true values", (width) => {
    const p = palette();
    return {
      data: [
        line({x: [low, high], y: [low, high], line: {color: p.axis, width: 1.5, dash: "dash"}}),
        {
          type: rows.length > MOST_SVG && hasWebGL ? "scattergl" : "scatter",
          mode: "markers",
          x,
          y,
          text: Array.from(rows, rowName),
          marker: {size: markerSize(rows.length, width), color: p.series[0], opacity: markerOpacity(rows.length)},
          hovertemplate: "%{text}<br>true %{x:.4~g}, predicted %{y:.4~g}<extra></extra>"
        }
      ],
      layout: layout({height: Math.min(width, 460), xaxis: axis(`true ${plain(shortened(known.name))}`), yaxis: axis("predicted")})
    };
  });
  return figure("Predicted and true", "Each point is a held-out row: on the line its value was predicted exactly.", null, drawing.element);
}

function topPlot(ranked, top, width) {
  const values = unpack(ranked.values), classes = result.picture.colourings.find((one) => one.kind === "classes");
  const group = (i) => (classes ? `<br>${plain(classes.name)}: ${plain(classes.classes[unpack(classes.values)[i]] || UNKNOWN)}` : "");
  const name = (i) => plain(shortened(result.picture.names ? result.picture.names[i] : String(i + 1), 18));
  return {
    data: [{
      type: "bar",
      orientation: "h",
      x: top.map((i) => values[i]),
      y: top.map((_, place) => place),
      marker: {color: palette().series[0]},
      customdata: top.map((i) => rowName(i) + group(i)),
      hovertemplate: "%{customdata}: %{x:.4~g}<extra></extra>"
    }],
    layout: layout({
      height: 70 + 20 * top.length,
      bargap: 0.3,
      xaxis: axis(plain(ranked.name), {rangemode: "tozero", nticks: width < 520 ? 4 : 6}),
      yaxis: axis("", {
        tickvals: top.map((_, place) => place),
        ticktext: top.map(name),
        autorange: "reversed",
        showgrid: false,
        tickfont: {size: 12, color: palette().ink}
      })
    })
  };
}

// Values of rows that have no coordinates: the greatest by name, and all in order.
function rankingFigure() {
  const ranked = result.picture.colourings.find((one) => one.kind === "numbers");
  if (result.picture.views.length || !ranked) return null;
  const values = unpack(ranked.values), order = Int32Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
  const top = Array.from(order.slice(0, 20)), positive = taken(values, order).filter((value) => value > 0);
  const bars = plot(`The greatest values of ${ranked.name}`, (width) => topPlot(ranked, top, width));
  const curve = plot(`All values of ${ranked.name} in order`, (width) => curvePlot(positive, {
    colour: 1,
    hover: "place %{x}: %{y:.4~g}",
    height: width < 520 ? 260 : 70 + 20 * top.length,
    xaxis: logAxis("place", [1, positive.length]),
    yaxis: logAxis(plain(ranked.name), positive)
  }));
  return figure(
      "Ranking",
      `First the ${count(top.length)} greatest of ${
          count(values.length)} values, then all of them by place, both axes logarithmic: a straight line is a power law.`,
      null, h("div", {class: "two"}, bars.element, curve.element));
}
