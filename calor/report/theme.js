// Colours for both themes (distinguishable with any colour vision; every series also has its own dash and symbol) and the
// parts of a plot's layout that depend on them.
const PALETTES = {
  light: {
    page: "#ffffff",
    ink: "#1d2733",
    quiet: "#5b6875",
    grid: "#e6eaee",
    axis: "#b9c2cb",
    series: ["#0068a8", "#c25e00", "#00805e", "#a0357c", "#5a54c4", "#8a6d00"],
    control: "#77808a",
    baseline: "#1d2733",
    classes:
        ["#2c7fb8", "#e0812b", "#3a9a78", "#b85a9a", "#7d74d0", "#a58a1f", "#5aa9d6", "#c94f45", "#6b7d8c", "#94b23c"],
    middle: "#f7f7f5",
    below: ["#2166ac", "#92c5de"],
    above: ["#f4a582", "#b2182b"],
  },
  dark: {
    page: "#171c22",
    ink: "#e8ecf0",
    quiet: "#a0acb8",
    grid: "#2a323b",
    axis: "#4a5560",
    series: ["#5cb3ea", "#f0a04b", "#3ecf9f", "#e48ac2", "#a9a3f5", "#d8bd4a"],
    control: "#98a2ad",
    baseline: "#e8ecf0",
    classes:
        ["#5cb3ea", "#f0a04b", "#3ecf9f", "#e48ac2", "#a9a3f5", "#d8bd4a", "#8fd0f5", "#f08078", "#a8b6c2", "#b9d65f"],
    middle: "#232a32",
    below: ["#7db8e8", "#3a6a94"],
    above: ["#a0564a", "#f59a7d"],
  },
};
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "star", "cross"];
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");
let theme = darkSystem.matches ? "dark" : "light";
const palette = () => PALETTES[theme];

function alpha(hex, opacity) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${r},${g},${b},${opacity})`;
}

const isControl = (name) => name === "uniform" || name === "graph-uniform";

// How a similarity is drawn everywhere: by its place in the list, the control in grey.
function look(experiment, attention) {
  if (isControl(attention)) return {color: palette().control, dash: "dot", symbol: "x-thin-open"};
  const place = experiment.attentions.filter((name) => !isControl(name)).indexOf(attention);
  const colours = palette().series;
  return {
    color: colours[place % colours.length],
    dash: DASHES[place % DASHES.length],
    symbol: SYMBOLS[place % SYMBOLS.length]
  };
}

function axis(title, options = {}) {
  const p = palette();
  return Object.assign(
      {
        title: {text: title, font: {size: 13, color: p.quiet}, standoff: 10},
        color: p.quiet,
        gridcolor: p.grid,
        linecolor: p.axis,
        zeroline: false,
        automargin: true,
        tickfont: {size: 12},
        fixedrange: true,
      },
      options);
}

function layout(options = {}) {
  const p = palette();
  return Object.assign(
      {
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: {family: FONT, size: 13, color: p.ink},
        margin: {l: 8, r: 12, t: 12, b: 8},
        showlegend: false,
        dragmode: false,
        hovermode: "closest",
        modebar: {bgcolor: "rgba(0,0,0,0)", color: p.quiet, activecolor: p.ink},
        hoverlabel: {bgcolor: p.page, bordercolor: p.axis, font: {family: FONT, size: 13, color: p.ink}},
      },
      options);
}

const CONFIG = {
  displaylogo: false,
  responsive: true,
  modeBarButtons: [["toImage"]]
};
