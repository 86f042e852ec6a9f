// Curves along training.  Here and in rows.js and maps.js each function gives {data, layout} for Plotly, from an experiment, the
// state of its controls and the width in pixels.
const runsOf = (experiment, attention) => experiment.runs.filter((run) => run.attention === attention);
const measured = (experiment, run) => (experiment.measure === "extra_accuracy" ? run.final_extra : run.final_accuracy);
const measureName = (experiment) =>
    (experiment.measure === "extra_accuracy" ? "accuracy on fresh points" : "test accuracy");
const heightOf = (width) => (width < 520 ? 270 : 340);
const finite = (values) => values.filter(exists);
const average = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
const scatter = (attributes) => Object.assign({type: "scatter", mode: "lines", hoverinfo: "skip"}, attributes);

// Over the runs, at every record that all of them have: middle, low and high.
function bandOf(series, kind) {
  const length = Math.min(...series.map((values) => values.length));
  const result = {middle: [], low: [], high: []};
  for (let i = 0; i < length; ++i) {
    const values = finite(series.map((s) => s[i]));
    const middle = values.length ? average(values) : null;
    const sd =
        values.length > 1 ? Math.sqrt(values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (values.length - 1)) : 0;
    result.middle.push(middle);
    result.low.push(middle === null ? null : kind === "range" ? Math.min(...values) : middle - sd);
    result.high.push(middle === null ? null : kind === "range" ? Math.max(...values) : middle + sd);
  }
  return result;
}

function seriesTraces(experiment, attention, xs, series, style, state, unit) {
  const band = bandOf(series, state.band), x = bandOf(xs, "range").middle;
  // A logarithmic axis has no place for a band's lower edge at or below zero.
  const floor = state.log ? Math.min(...finite(band.low).concat(finite(band.middle)).filter((y) => y > 0)) : -Infinity;
  return [
    scatter({x, y: band.high, line: {width: 0}}),
    scatter({
      x,
      y: band.low.map((y) => (y === null ? null : Math.max(y, floor))),
      line: {width: 0},
      fill: "tonexty",
      fillcolor: alpha(style.color, 0.16)
    }),
    scatter({
      x,
      y: band.middle,
      name: plain(attention),
      line: {color: style.color, dash: style.dash, width: 2.5},
      hoverinfo: "all",
      hovertemplate: `<b>${plain(attention)}</b><br>${
          state.time === "seconds" ? "%{x:.3~g} s" : "epoch %{x}"}: %{y:.3~f}${unit}<extra></extra>`
    }),
  ];
}

// key: "loss", or one of the accuracies
function curves(experiment, state, key, width) {
  const percentage = key !== "loss", scale = percentage ? 100 : 1, data = [];
  for (const attention of experiment.attentions) {
    if (state.hidden.has(attention)) continue;
    const runs = runsOf(experiment, attention).filter((run) => run[key]);
    const style = look(experiment, attention), x = (run) => run[state.time === "seconds" ? "seconds" : "epoch"];
    const living = runs.filter((run) => !run.dead),
          y = (run) => run[key].map((value) => (exists(value) ? scale * value : null));
    const thin = (run) => scatter({
      x: x(run),
      y: y(run),
      line: {color: alpha(style.color, run.dead ? 0.75 : 0.4), width: 1, dash: run.dead ? "dot" : "solid"},
      hoverinfo: "all",
      hovertemplate: `<b>${plain(attention)}</b>, seed ${run.seed}${run.dead ? ", dead" : ""}<br>%{y:.3~f}${
          percentage ? " %" : ""}<extra></extra>`
    });
    if (state.dead) data.push(...runs.filter((run) => run.dead).map(thin));
    if (state.single) data.push(...living.map(thin));
    if (living.length)
      data.push(
          ...seriesTraces(experiment, attention, living.map(x), living.map(y), style, state, percentage ? " %" : ""));
  }
  return {
    data,
    layout: layout({
      height: heightOf(width),
      xaxis: axis(state.time === "seconds" ? "training time (s)" : "epoch", {rangemode: "tozero"}),
      yaxis: axis(
          percentage ? "accuracy (%)" : "loss (nats)",
          percentage || !state.log ? {} : {type: "log", dtick: "D2", tickformat: ".2~g"}),
    })
  };
}

// Per layer, along training, over all runs.  key: "share" or "temperature"
function layerCurves(experiment, key, layer, width) {
  const data = [], state = {band: "range", log: true, time: "epochs"}, keys = experiment.protocol.tokens,
        share = key === "share";
  for (const attention of experiment.attentions) {
    const runs = runsOf(experiment, attention).filter((run) => run[key].length && run[key][0].length > layer);
    if (!runs.length) continue;
    data.push(...seriesTraces(
        experiment, attention, runs.map((run) => run.epoch),
        runs.map((run) => run[key].map((at) => (exists(at[layer]) ? (share ? 100 : 1) * at[layer] : null))),
        look(experiment, attention), state, share ? " % of keys" : ""));
  }
  const floor = share && keys > 1 ? 100 / keys : null;
  const shapes = floor === null ? [] : [{
    type: "line",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: floor,
    y1: floor,
    line: {color: palette().axis, width: 1.5, dash: "dash"}
  }];
  const annotations = floor === null ? [] : [{
    xref: "paper",
    x: 1,
    y: Math.log10(floor),
    xanchor: "right",
    yanchor: "top",
    showarrow: false,
    text: "one key",
    font: {size: 12, color: palette().quiet}
  }];
  return {
    data,
    layout: layout({
      height: width < 420 ? 240 : 270,
      shapes,
      annotations,
      xaxis: axis("epoch", {rangemode: "tozero"}),
      yaxis: axis(
          share ? `effective share of ${ofNetworks(experiment) ? "neighbours" : "keys"} (%)` : "factor of the score",
          share && ofNetworks(experiment) ? {range: [0, 104]} : Object.assign(
              {type: "log"},
              share ? {tickvals: [0.001, 0.01, 0.1, 1, 10, 100], ticktext: ["0.001", "0.01", "0.1", "1", "10", "100"]} :
                      {tickformat: ".3~g", dtick: "D2"},
              {range: share && floor !== null ? [Math.log10(floor) - 0.35, 2.08] : undefined}))
    })
  };
}
