// Dots and intervals: one row or column a similarity, a pair or a baseline.
// Fixed sideways offsets in place of random jitter: the same page looks the same every time.
const sideways = (i, n) => (n < 2 ? 0 : 0.5 * ((i * 0.618034) % 1) - 0.25);

function seedDots(experiment, state, width) {
  const data = [], names = experiment.attentions.filter((attention) => runsOf(experiment, attention).length);
  names.forEach((attention, place) => {
    const style = look(experiment, attention), runs = runsOf(experiment, attention),
          summary = experiment.summary.find((s) => s.attention === attention);
    for (const dead of [false, true]) {
      const shown = runs.filter((run) => run.dead === dead);
      if (!shown.length || (dead && !state.dead)) continue;
      data.push(scatter({
        mode: "markers",
        x: shown.map((_, i) => place + 0.55 * sideways(i, shown.length) - 0.12),
        y: shown.map((run) => 100 * measured(experiment, run)),
        text: shown.map((run) => `seed ${run.seed}${dead ? ", dead: " + plain(run.dead_reason) : ""}`),
        hoverinfo: "all",
        hovertemplate: `<b>${plain(attention)}</b>, %{text}<br>%{y:.2f} %<extra></extra>`,
        marker: {
          size: 9,
          symbol: dead ? "x-thin" : style.symbol.replace("x-thin-open", "circle-open"),
          color: alpha(style.color, 0.65),
          line: {width: dead ? 2 : 1, color: style.color}
        }
      }));
    }
    if (exists(summary.living_mean))
      data.push(scatter({
        mode: "markers",
        x: [place + 0.27],
        y: [100 * summary.living_mean],
        marker: {symbol: "line-ew", size: 16, line: {width: 3, color: style.color}},
        error_y: {type: "data", array: [100 * (summary.living_sd || 0)], color: style.color, thickness: 2, width: 5},
        hoverinfo: "all",
        hovertemplate: `<b>${plain(attention)}</b>, living runs<br>mean %{y:.2f} %, deviation ${
            points(summary.living_sd, 2)}<extra></extra>`
      }));
  });
  return {
    data,
    layout: layout({
      height: heightOf(width),
      yaxis: axis(measureName(experiment) + " (%)"),
      xaxis: axis("", {
        tickvals: names.map((_, i) => i),
        ticktext: names.map((name) => plain(shortened(name, 16))),
        range: [-0.55, names.length - 0.45],
        showgrid: false,
        tickfont: {size: 13}
      })
    })
  };
}

// One row a name: a point with an interval; `extra` traces come below.
function rows(entries, title, width, options = {}) {
  const names = entries.map((entry) => plain(shortened(entry.name, width < 520 ? 18 : 34)));
  const data = (options.below || []).concat(entries.map((entry, i) => scatter({
                                                          mode: "markers",
                                                          x: [entry.x],
                                                          y: [names.length - 1 - i],
                                                          marker: {
                                                            size: 10,
                                                            symbol: entry.symbol || "circle",
                                                            color: entry.color,
                                                            line: {width: 1, color: entry.color}
                                                          },
                                                          hoverinfo: "all",
                                                          hovertemplate: entry.hover + "<extra></extra>",
                                                          error_x: exists(entry.low) ? {
                                                            type: "data",
                                                            symmetric: false,
                                                            array: [entry.high - entry.x],
                                                            arrayminus: [entry.x - entry.low],
                                                            color: entry.color,
                                                            thickness: 2,
                                                            width: 5
                                                          } :
                                                                                       undefined
                                                        })));
  return {
    data,
    layout: layout(Object.assign(
        {
          height: 74 + 38 * entries.length,
          xaxis: axis(title, options.xaxis || {}),
          yaxis: axis("", {
            tickvals: names.map((_, i) => names.length - 1 - i),
            ticktext: names,
            range: [-0.6, names.length - 0.4],
            showgrid: false,
            tickfont: {size: 13, color: palette().ink}
          })
        },
        options.layout || {}))
  };
}

function spreadRows(experiment, width) {
  const entries = experiment.summary.filter((s) => exists(s.living_sd))
                      .map((s) => ({
                             name: s.attention,
                             x: 100 * s.living_sd,
                             low: exists(s.living_sd_low) ? 100 * s.living_sd_low : null,
                             high: 100 * s.living_sd_high,
                             color: look(experiment, s.attention).color,
                             symbol: look(experiment, s.attention).symbol.replace("x-thin-open", "circle-open"),
                             hover: `<b>${plain(s.attention)}</b><br>${points(s.living_sd, 2)} percentage points (${
                                 range(s.living_sd_low, s.living_sd_high)})`
                           }));
  return rows(entries, "deviation of the living runs (percentage points)", width, {xaxis: {rangemode: "tozero"}});
}

function efficiencyRows(experiment, key, title, width) {
  const summaries = experiment.summary.filter((s) => s.reached > 0), below = [];
  const text = (value) => (key === "epochs_to_common" ? plural(value, "epoch") : seconds(value));
  const entries = summaries.map((s, i) => {
    const style = look(experiment, s.attention),
          runs = runsOf(experiment, s.attention).filter((run) => exists(run[key]));
    below.push(scatter({
      mode: "markers",
      x: runs.map((run) => run[key]),
      y: runs.map((_, j) => summaries.length - 1 - i + 0.8 * sideways(j, runs.length)),
      text: runs.map((run) => `seed ${run.seed}: ${text(run[key])}`),
      marker: {size: 7, color: alpha(style.color, 0.4)},
      hoverinfo: "all",
      hovertemplate: `<b>${plain(s.attention)}</b>, %{text}<extra></extra>`
    }));
    return {
      name: s.attention,
      x: s[key],
      color: style.color,
      symbol: "line-ns-open",
      hover: `<b>${plain(s.attention)}</b>, median ${text(s[key])}`
    };
  });
  const result = rows(entries, title, width, {below, xaxis: {rangemode: "tozero"}});
  result.data.slice(below.length)
      .forEach((trace) => Object.assign(trace.marker, {size: 26, line: {width: 3.5, color: trace.marker.color}}));
  return result;
}

function differenceRows(experiment, width) {
  const p = palette(), pairs = experiment.pairs;
  const below = pairs.map((pair, i) => scatter({
                            x: exists(pair.detectable) ? [-100 * pair.detectable, 100 * pair.detectable] : [0, 0],
                            y: [pairs.length - 1 - i, pairs.length - 1 - i],
                            line: {width: 14, color: alpha(p.control, 0.22)}
                          }));
  const entries = pairs.map((pair) => {
    const found = exists(pair.p_holm) && pair.p_holm < 0.05;
    return {
      name: `${pair.a} − ${pair.b}`,
      x: 100 * pair.difference,
      low: exists(pair.low) ? 100 * pair.low : null,
      high: 100 * pair.high,
      color: found ? p.ink : p.control,
      symbol: found ? "circle" : "circle-open",
      hover: `<b>${plain(pair.a)} − ${plain(pair.b)}</b><br>${signed(pair.difference, 2)} percentage points (${
          range(pair.low, pair.high)})<br>p after Holm: ${plain(probability(pair.p_holm))}`
    };
  });
  return rows(
      entries, "difference (percentage points)", width, {below, xaxis: {zeroline: true, zerolinecolor: p.axis, zerolinewidth: 2}});
}

function baselineRows(experiment, width) {
  const extra = experiment.measure === "extra_accuracy", p = palette();
  const value = (s) => (extra ? [s.extra_mean, s.extra_sd] : [s.accuracy_mean, s.accuracy_sd]);
  const all = experiment.summary
                  .map((s) => ({
                         name: s.attention,
                         pair: value(s),
                         color: look(experiment, s.attention).color,
                         symbol: look(experiment, s.attention).symbol.replace("x-thin-open", "circle-open")
                       }))
                  .concat(experiment.baselines.map(
                      (b) => ({name: b.name, pair: value(b), color: p.baseline, symbol: "square"})))
                  .filter((entry) => exists(entry.pair[0]));
  all.sort((a, b) => b.pair[0] - a.pair[0]);
  const entries = all.map(({name, pair: [mean, sd], color, symbol}) => ({
                            name,
                            color,
                            symbol,
                            x: 100 * mean,
                            low: exists(sd) ? 100 * Math.max(0, mean - sd) : null,
                            high: 100 * Math.min(1, mean + sd),
                            hover: `<b>${plain(name)}</b><br>${spread(mean, sd)}`
                          }));
  return rows(entries, measureName(experiment) + " (%)", width);
}
