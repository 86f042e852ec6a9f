// Pictures: the similarity matrix and the decision regions.
// Weight relative to uniform attention, on a logarithmic scale: 1/100 x .. 1 x .. 100 x.
function similarityMap(experiment, entry, width) {
  const p = palette(), classes = experiment.data.classes, n = entry.labels.length, bounds = [];
  for (let i = 1; i < n; ++i)
    if (entry.labels[i] !== entry.labels[i - 1]) bounds.push(i - 0.5);
  const edges = [-0.5, ...bounds, n - 0.5], centres = edges.slice(1).map((edge, i) => (edge + edges[i]) / 2);
  const names = centres.map((centre) => plain(shortened(classes[entry.labels[Math.round(centre)]], 10)));
  const z =
      entry.matrix.map((row) => row.map((weight) => Math.max(-2, Math.min(2, Math.log10(Math.max(weight * n, 1e-9))))));
  const text = entry.matrix.map(
      (row, i) => row.map(
          (weight, j) => `${plain(classes[entry.labels[i]])} → ${plain(classes[entry.labels[j]])}: weight ${
              significant(weight, 2)}, ${significant(weight * n, 2)} × uniform`));
  const line = (along) => bounds.map((at) => ({
                                       type: "line",
                                       [along + "0"]: at,
                                       [along + "1"]: at,
                                       [along === "x" ? "y0" : "x0"]: -0.5,
                                       [along === "x" ? "y1" : "x1"]: n - 0.5,
                                       line: {color: alpha(p.ink, 0.45), width: 1}
                                     }));
  const ticks =
      {tickvals: centres, ticktext: names, range: [-0.5, n - 0.5], showgrid: false, constrain: "domain", ticks: ""};
  return {
    data: [{
      type: "heatmap",
      z,
      text,
      zmin: -2,
      zmax: 2,
      hovertemplate: "%{text}<extra></extra>",
      showscale: false,
      colorscale: [[0, p.below[0]], [0.25, p.below[1]], [0.5, p.middle], [0.75, p.above[0]], [1, p.above[1]]]
    }],
    layout: layout({
      height: width,
      margin: {l: 8, r: 4, t: 4, b: 8},
      shapes: [...line("x"), ...line("y")],
      xaxis: axis(
          "",
          Object.assign({}, ticks, {tickangle: names.some((name) => name.length > 3) && names.length > 3 ? -60 : 0})),
      yaxis: axis("", Object.assign({}, ticks, {range: [n - 0.5, -0.5], scaleanchor: "x"}))
    })
  };
}

function regionMap(experiment, entry, state, width) {
  const p = palette(), classes = experiment.data.classes, two = classes.length === 2, last = classes.length - 1,
        colours = classes.map((_, c) => p.classes[c % p.classes.length]);
  const field = two ?
      [
        {
          type: "contour",
          x: entry.x,
          y: entry.y,
          z: entry.probability,
          zmin: 0,
          zmax: 1,
          contours: {start: 0.05, end: 0.95, size: 0.05, coloring: "heatmap", showlines: false},
          line: {width: 0},
          showscale: false,
          colorscale: [[0, alpha(colours[0], 0.55)], [0.5, alpha(p.page, 0)], [1, alpha(colours[1], 0.55)]],
          hovertemplate: `probability of ${plain(classes[last])}: %{z:.2f}<extra></extra>`
        },
        {
          type: "contour",
          x: entry.x,
          y: entry.y,
          z: entry.probability,
          contours: {start: 0.5, end: 0.5, size: 1, coloring: "none"},
          line: {color: p.ink, width: 2},
          showscale: false,
          hoverinfo: "skip"
        }
      ] :
      [{
        type: "heatmap",
        x: entry.x,
        y: entry.y,
        z: entry.winner,
        zmin: 0,
        zmax: last,
        showscale: false,
        hovertemplate: "%{text}<extra></extra>",
        text: entry.winner.map((row) => row.map((c) => plain(classes[c]))),
        colorscale: colours.flatMap(
            (colour, c) => [[c / classes.length, alpha(colour, 0.35)], [(c + 1) / classes.length, alpha(colour, 0.35)]])
      }];
  const dots = classes.flatMap((name, c) => [false, true].map((test) => {
    const chosen = entry.points.label.map((label, i) => i)
                       .filter((i) => entry.points.label[i] === c && entry.points.test[i] === test);
    return scatter({
      mode: "markers",
      x: chosen.map((i) => entry.points.x[i]),
      y: chosen.map((i) => entry.points.y[i]),
      visible: test || state.train,
      hoverinfo: "all",
      hovertemplate: `${plain(name)}, ${test ? "test" : "training"}<extra></extra>`,
      marker: {
        size: test ? 7 : 4,
        symbol: SYMBOLS[c % SYMBOLS.length],
        color: colours[c],
        line: {width: test ? 1.2 : 0, color: p.ink}
      }
    });
  }));
  const features = experiment.data.features;
  return {
    data: field.concat(dots),
    layout: layout({
      height: width * 0.9 + 20,
      xaxis: axis(plain(shortened(features[0])), {showgrid: false, range: [entry.x[0], entry.x[entry.x.length - 1]]}),
      yaxis: axis(plain(shortened(features[1])), {
        showgrid: false,
        range: [entry.y[0], entry.y[entry.y.length - 1]],
      })
    })
  };
}
