// The page of a run that goes on: the points of a descent as they were when the page was written.  Drawn on a canvas, without plotly.js, since
// the page is read anew every few seconds.
const LOSSES = {kl: "Kullback–Leibler divergence", stress: "stress"};
const MARGIN = 12;  // of the canvas, beyond the largest marker

// Where between two colours of a scale a share from 0 to 1 lies.
function scaleColour(share) {
  const scale = NUMBER_COLOURS[theme], above = Math.max(1, scale.findIndex(([at]) => at >= share));
  const [[low, from], [high, to]] = [scale[above - 1], scale[above]], part = (share - low) / (high - low);
  const mixed = [1, 3, 5].map((at) => {
    const [a, b] = [from, to].map((hex) => parseInt(hex.slice(at, at + 2), 16));
    return Math.round(a + part * (b - a));
  });
  return `rgb(${mixed.join()})`;
}

// [{name, rows, place, colour, diamond}]: in one colour each, but for numbers, whose `colour` is of the row.
function markGroups(colouring, n) {
  if (colouring && colouring.kind === "classes")
    return groupsOf(colouring).map((group) => Object.assign({colour: () => groupColour(group.place), diamond: groupSymbol(group.place) === "diamond"}, group));
  const rows = Int32Array.from({length: n}, (_, i) => i);
  if (!colouring) return [{name: null, rows, colour: () => palette().series[0]}];
  const values = unpack(colouring.values), [low, high] = extent(values.filter(Number.isFinite));
  const colour = (i) => (Number.isFinite(values[i]) ? scaleColour(high > low ? (values[i] - low) / (high - low) : 0.5) : palette().control);
  return [{name: null, rows, colour}];
}

function drawMarks(canvas, groups, x, y) {
  const width = canvas.clientWidth, height = canvas.clientHeight, sharp = window.devicePixelRatio || 1, n = x.values.length;
  if (width === 0) return;
  canvas.width = Math.round(width * sharp);
  canvas.height = Math.round(height * sharp);
  const pen = canvas.getContext("2d"), size = markerSize(n, width), room = MARGIN + size;
  const ends = [extent(x.values), extent(y.values)], inside = [width - 2 * room, height - 2 * room];
  let scales = ends.map(([low, high], axis) => inside[axis] / (high - low || 1));
  if (x.name !== "row" && y.name !== "row") scales = scales.fill(Math.min(...scales));
  const at = (values, axis, i) => (values[i] - (ends[axis][0] + ends[axis][1]) / 2) * scales[axis];
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  pen.translate(width / 2, height / 2);
  pen.globalAlpha = markerOpacity(n);
  for (const group of groups)
    for (const i of group.rows) {
      const [left, up] = [at(x.values, 0, i), at(y.values, 1, i)], half = size / 2;
      pen.fillStyle = group.colour(i);
      pen.beginPath();
      if (group.diamond) {
        [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]].forEach(([a, b]) => pen.lineTo(left + a * half, -up + b * half));
        pen.closePath();
      } else {
        pen.arc(left, -up, half, 0, 2 * Math.PI);
      }
      pen.fill();
    }
}

function legend(colouring, groups) {
  if (!colouring) return null;
  if (colouring.kind === "numbers") {
    const [low, high] = extent(unpack(colouring.values).filter(Number.isFinite));
    return h("p", {class: "quiet"}, `Coloured by ${colouring.name}, from ${significant(low, 4)} (dark) to ${significant(high, 4)} (light).`);
  }
  return h("div", {class: "controls"}, h("div", {class: "chips key"}, groups.map((group) =>
    h("span", {}, groupSwatch(group.place), h("span", {class: "named"}, shortened(group.name)), " ", h("small", {}, count(group.rows.length))))));
}

function movingFigure() {
  const view = result.picture.views[0], colouring = result.picture.colourings[0];
  const [x, y] = [0, 1].map((place) => coordinate(view, place)), groups = markGroups(colouring, x.values.length);
  const more = view.axes.length > 2 ? `, the first two of ${view.axes.length} coordinates` : "";
  const label = `${count(x.values.length)} points after ${plural(result.descent.step, "step")}${more}${colouring ? ", coloured by " + colouring.name : ""}`;
  const canvas = h("canvas", {class: "moving", role: "img", "aria-label": label}), draw = () => drawMarks(canvas, groups, x, y);
  window.addEventListener("resize", draw);
  darkSystem.addEventListener("change", (event) => {
    applyTheme(event.matches ? "dark" : "light");
    draw();
  });
  return {figure: h("figure", {class: "live"}, legend(colouring, groups), canvas, h("p", {class: "reading"}, label + ".")), draw};
}

function headline() {
  if (!result.descent) return result.running ? "Running: there are no points to draw yet." : "The run ended before there were points to draw.";
  const {step, most_steps: most, loss} = result.descent;
  const text = `Step ${count(step)} of at most ${count(most)}`;
  if (!loss || !exists(loss.value)) return text + ".";
  return `${text}; ${LOSSES[loss.name] || loss.name} ${significant(loss.value, 4)}${loss.step === step ? "" : ` at step ${count(loss.step)}`}.`;
}

function remarks() {
  const since = result.descent ? `, ${seconds(result.seconds)} after the run began` : "";
  const written = `Written at ${new Date(result.written).toLocaleTimeString("en-GB")}${since}.`;
  if (!result.running) return [written, "The run has ended without a report; its message in the terminal says why."];
  const waits = "The picture appears after the first step of the descent; a pipeline without a descent is drawn in the report, at the end.";
  return [written, ...(result.descent ? [] : [waits]), "This page reloads itself while the run goes on; the report replaces it at the end."];
}

function buildPage() {
  applyTheme(theme);
  document.getElementById("top").append(
      h("div", {class: "bar"}, h("span", {class: "brand"}, "Calor")), h("h1", {}, result.title),
      h("div", {class: "verdict"}, h("p", {class: "headline"}, headline()), h("ul", {}, remarks().map((text) => h("li", {}, text)))));
  const moving = result.picture ? movingFigure() : null;
  document.getElementById("main").replaceChildren(...(moving ? [moving.figure] : []));
  if (moving) moving.draw();
  document.body.dataset.ready = "true";
}

buildPage();
