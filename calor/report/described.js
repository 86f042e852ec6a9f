// Plots that a document describes: {title, x_title, y_title, x_log, y_log, x_ticks, y_to, series: [{name, x, y, line}]}: an axis
// has ticks where x_ticks says, and goes from 0 to y_to or further where y_to is given; `line` is true, false or "marked", a line with marks.

// The ends of what is drawn on a logarithmic axis, with ticks at decades; within two decades at 1, 2 and 5 too.
function scaledAxis(title, log, values, ticks, to) {
  if (!log) return axis(title, Object.assign({nticks: 6, exponentformat: "power"}, exists(to) ? {range: [0, 1.04 * Math.max(to, ...values)]} : {}));
  const positive = values.filter((value) => value > 0);
  const low = Math.log10(Math.min(...positive)), high = Math.log10(Math.max(...positive)), margin = 0.05 * (high - low) + 0.03;
  const digits = high - low < 2 ? [1, 2, 5] : [1], step = Math.max(1, Math.ceil((high - low) / 6)), tickvals = [];
  for (let decade = Math.floor(low) - 1; decade <= Math.ceil(high); decade += step)
    for (const digit of digits) tickvals.push(digit * 10 ** decade);
  if (ticks) tickvals.splice(0, tickvals.length, ...ticks);
  return axis(title, {type: "log", tickvals, ticktext: tickvals.map((value) => (ticks ? count(value) : significant(value, 1))), range: [low - margin, high + margin]});
}

function seriesTrace(series, place, log) {
  const p = palette(), colour = p.series[place % p.series.length];
  const y = series.y.map((value) => (log && !(value > 0) ? null : value));
  const common = {type: "scatter", name: plain(series.name), x: series.x, y, hovertemplate: `%{x:.4~g}, %{y:.4~g}<extra>${plain(series.name)}</extra>`};
  if (series.line === "marked")
    return Object.assign(common, {mode: "lines+markers", line: {color: colour, width: 2, dash: DASHES[place % DASHES.length]}, marker: {color: colour, size: 7, symbol: SYMBOLS[place % SYMBOLS.length]}});
  if (series.line) return Object.assign(common, {mode: "lines", line: {color: colour, width: 2, dash: DASHES[place % DASHES.length]}});
  return Object.assign(common, {
    mode: "markers",
    marker: {color: colour, size: series.x.length > 100 ? 5 : 9, opacity: series.x.length > 100 ? 0.7 : 1, symbol: SYMBOLS[place % SYMBOLS.length]}
  });
}

function drawnPlot(described, width) {
  const all = (name) => described.series.flatMap((series) => series[name]).filter(exists);
  return {
    data: described.series.map((series, i) => seriesTrace(series, i, described.y_log)),
    layout: layout({
      height: width < 520 ? 300 : 340,
      showlegend: described.series.length > 1,
      legend: {orientation: "h", x: 0, y: 1.02, xanchor: "left", yanchor: "bottom", font: {size: 12}},
      margin: {l: 8, r: 12, t: 12, b: 8},
      xaxis: scaledAxis(plain(described.x_title), described.x_log, all("x"), described.x_ticks),
      yaxis: scaledAxis(plain(described.y_title), described.y_log, all("y"), null, described.y_to)
    })
  };
}

const plotsOf = (described) => described.map((one) => h("div", {}, h("h4", {}, one.title), plot(one.title, (width) => drawnPlot(one, width)).element));
