// The picture: one point a row, coloured by a class, a cluster or a number.
const MOST_GROUPS = 20, MOST_SVG = 2000, UNKNOWN = "not known";
const CLOUD_SYMBOLS = ["circle", "diamond"];  // ten colours, then the same ten with another symbol

// Viridis without the end that vanishes into the page.
const NUMBER_COLOURS = {
  light: [[0, "#440154"], [0.25, "#3b528b"], [0.5, "#21918c"], [0.75, "#5ec962"], [1, "#b5c92e"]],
  dark: [[0, "#4c6fb5"], [0.33, "#2fb0a6"], [0.66, "#7ad151"], [1, "#fde725"]],
};

const rowName = (i) => (result.picture.names ? plain(shortened(result.picture.names[i], 60)) : "row " + (i + 1));

// The groups of a colouring by class: the largest get a colour each, the rest one together; [{name, rows, place}].
// place: of its colour and symbol; null: grey.
function groupsOf(colouring) {
  const values = unpack(colouring.values), members = new Map();
  values.forEach((value, i) => {
    if (!members.has(value)) members.set(value, []);
    members.get(value).push(i);
  });
  const unknown = members.get(-1) || [];
  members.delete(-1);
  const known = [...members.entries()].sort((a, b) => a[0] - b[0]);
  let shown = known, rest = [];
  if (known.length > MOST_GROUPS) {
    const bySize = known.slice().sort((a, b) => b[1].length - a[1].length || a[0] - b[0]);
    const largest = new Set(bySize.slice(0, MOST_GROUPS - 1).map(([value]) => value));
    shown = known.filter(([value]) => largest.has(value));
    rest = known.filter(([value]) => !largest.has(value));
  }
  const numbered = (value) => (colouring.name === "cluster" || colouring.name === "component" ? colouring.name + " " : "");
  const groups = shown.map(([value, rows], place) => ({name: numbered(value) + colouring.classes[value], rows, place}));
  if (rest.length)
    groups.push({name: `${count(rest.length)} smaller ones`, rows: rest.flatMap(([, rows]) => rows).sort((a, b) => a - b), place: null});
  if (unknown.length) groups.push({name: UNKNOWN, rows: unknown, place: null});
  return groups;
}

const groupColour = (place) => (place === null ? palette().control : palette().classes[place % palette().classes.length]);
const groupSymbol = (place) => CLOUD_SYMBOLS[place === null ? 0 : Math.floor(place / palette().classes.length) % CLOUD_SYMBOLS.length];

function groupSwatch(place) {
  const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg"), shape = document.createElementNS(ns, "path");
  svg.setAttribute("class", "dot");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("aria-hidden", "true");
  shape.setAttribute("d", groupSymbol(place) === "circle" ? "M6 1a5 5 0 1 0 .001 0Z" : "M6 0 12 6 6 12 0 6Z");
  shape.style.fill = place === null ? "var(--series-control)" : `var(--class-${place % palette().classes.length})`;
  svg.append(shape);
  return svg;
}

// Small when there are many, so that crowds do not become one blot.
function markerSize(n, width) {
  const size = n <= 300 ? 8 : n <= 1000 ? 6.5 : n <= 3000 ? 5 : n <= 10000 ? 4 : n <= 30000 ? 3 : 2.4;
  return width < 520 ? Math.max(2, size * 0.8) : size;
}
const markerOpacity = (n) => (n <= 1000 ? 0.85 : n <= 10000 ? 0.75 : 0.6);

const taken = (values, rows) => Float32Array.from(rows, (i) => values[i]);

function extent(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// Whether both axes can have the same scale without leaving more than about half of the picture empty.
function sameScale(x, y, aspect) {
  const [a, b] = [extent(x), extent(y)].map(([low, high]) => high - low), filled = a / b / aspect;
  return a > 0 && b > 0 && filled < 2 && filled > 1 / 2;
}

// One coordinate alone is drawn against the rows' order.
function coordinate(view, place) {
  if (place < view.coordinates.length) return {name: view.axes[place], values: unpack(view.coordinates[place])};
  return {name: "row", values: Float32Array.from({length: unpack(view.coordinates[0]).length}, (_, i) => i + 1)};
}

function hoverTexts(rows, colouring) {
  const labels = result.picture.colourings.filter((other) => other !== colouring && other.kind === "classes").slice(0, 2);
  const numbers = result.picture.colourings.filter((other) => other.kind === "numbers").slice(0, 2);
  return Array.from(rows, (i) => {
    let text = rowName(i);
    for (const other of labels) {
      const value = unpack(other.values)[i];
      text += `<br>${plain(other.name)}: ${value < 0 ? UNKNOWN : plain(shortened(other.classes[value]))}`;
    }
    for (const other of numbers) text += `<br>${plain(other.name)}: ${significant(unpack(other.values)[i], 4)}`;
    return text;
  });
}

// What is drawn apart from its style, computed once for a choice of view, axes and colours: switching a class or the theme needs
// nothing anew, and Plotly recognises arrays that it has seen.
let placed = {key: null, groups: []};

function placedGroups(state) {
  const key = [state.view, state.colouring, ...state.axes, state.solid].join();
  if (placed.key === key) return placed.groups;
  const view = result.picture.views[state.view], colouring = result.picture.colourings[state.colouring];
  const axes = state.axes.slice(0, state.solid ? 3 : 2).map((place) => coordinate(view, place)), n = axes[0].values.length;
  const everything = [{name: null, rows: Int32Array.from({length: n}, (_, i) => i), place: 0}];
  const groups = (colouring && colouring.kind === "classes" ? groupsOf(colouring) : everything).map((group) => {
    const [x, y, z] = axes.map((one) => taken(one.values, group.rows));
    return Object.assign({x, y, z, text: hoverTexts(group.rows, colouring)}, group);
  });
  placed = {key, groups};
  return groups;
}

function numberMarker(colouring, width) {
  const p = palette(), below = width < 520;
  return {
    color: unpack(colouring.values),
    colorscale: NUMBER_COLOURS[theme],
    colorbar: {
      title: {text: plain(shortened(colouring.name)), side: below ? "top" : "right", font: {size: 12, color: p.quiet}},
      tickfont: {size: 11, color: p.quiet},
      outlinewidth: 0,
      thickness: 12,
      ...(below ? {orientation: "h", x: 0.5, y: -0.22, yanchor: "top", len: 0.9} : {len: 0.8, x: 1.01})
    }
  };
}

function cloud(state, width) {
  const view = result.picture.views[state.view], colouring = result.picture.colourings[state.colouring];
  const [x, y, z] = state.axes.map((place) => coordinate(view, place)), solid = state.solid, p = palette();
  const n = x.values.length, type = solid ? "scatter3d" : n > MOST_SVG && hasWebGL ? "scattergl" : "scatter";
  const size = markerSize(n, width) * (solid ? 0.42 : 1), opacity = markerOpacity(n);
  const data = placedGroups(state).filter((group) => !state.hidden.has(group.name)).map((group) => {
    const name = group.name === null ? "" : plain(shortened(group.name));
    const own = group.name !== null ? {color: groupColour(group.place), symbol: groupSymbol(group.place)} :
        colouring                   ? numberMarker(colouring, width) :
                                      {color: p.series[0]};
    return {
      type,
      mode: "markers",
      name,
      x: group.x,
      y: group.y,
      ...(solid ? {z: group.z} : {}),
      text: group.text,
      marker: Object.assign({size: solid ? Math.max(1.5, size) : size, opacity: group.place === null ? 0.6 * opacity : opacity}, own),
      hovertemplate: `${name ? `<b>${name}</b><br>` : ""}%{text}<extra></extra>`
    };
  });
  const height = width < 520 ? Math.round(width * 1.05) + 40 : Math.min(640, Math.round(width * 0.62));
  const title = (one) => plain(shortened(one.name, 36)), uirevision = [state.view, ...state.axes, solid].join();
  if (solid) {
    const side = (one) => ({
      title: {text: title(one), font: {size: 12, color: p.quiet}},
      color: p.quiet,
      gridcolor: p.grid,
      zeroline: false,
      showbackground: false,
      showspikes: false,
      tickfont: {size: 11}
    });
    return {
      data,
      layout: layout({
        height,
        uirevision,
        margin: {l: 0, r: 0, t: 0, b: 0},
        scene: {xaxis: side(x), yaxis: side(y), zaxis: side(z), aspectmode: "cube", dragmode: "orbit"}
      }),
      config: {modeBarButtons: [["resetCameraDefault3d", "toImage"]]}
    };
  }
  const same = sameScale(x.values, y.values, width / height);
  return {
    data,
    layout: layout({
      height,
      uirevision,
      dragmode: width < 520 ? false : "pan",
      xaxis: axis(title(x), {fixedrange: false}),
      yaxis: axis(title(y), Object.assign({fixedrange: false}, same ? {scaleanchor: "x", scaleratio: 1} : {}))
    }),
    config: {modeBarButtons: [["zoomIn2d", "zoomOut2d", "pan2d", "zoom2d", "resetScale2d", "toImage"]]}
  };
}

function selector(label, options, chosen, change) {
  const list = h("select", {onchange: (event) => change(Number(event.target.value))},
                 options.map((text, i) => h("option", {value: i, selected: i === chosen}, text)));
  return h("label", {class: "selector"}, h("span", {}, label), list);
}

function cloudFigure() {
  const {views, colourings} = result.picture;
  if (!views.length) return null;
  const state = {view: 0, colouring: 0, axes: [0, 1, 2], solid: false, hidden: new Set()};
  const drawing = plot("", (width) => {
    const view = views[state.view], colouring = colourings[state.colouring];
    const coloured = colouring ? ", coloured by " + colouring.name : "", solid = state.solid ? ", in three dimensions" : "";
    drawing.element.setAttribute("aria-label", `Points of the ${view.name}${coloured}${solid}`);
    return cloud(state, width);
  }, "cloud");
  const controls = h("div", {class: "controls"});

  function groupChips() {
    const colouring = colourings[state.colouring];
    if (!colouring || colouring.kind !== "classes") return null;
    const groups = placedGroups(state);
    const everything = h("button", {type: "button"}), label = () => (everything.textContent = state.hidden.size ? "Show all" : "Hide all");
    const chips = groups.map((group) => toggle(
        [groupSwatch(group.place), h("span", {class: "named"}, shortened(group.name)), " ", h("small", {}, count(group.rows.length))],
        !state.hidden.has(group.name), (on) => {
          if (on) state.hidden.delete(group.name);
          else state.hidden.add(group.name);
          label();
          drawing.redraw();
        }));
    everything.addEventListener("click", () => {
      const show = state.hidden.size > 0;
      state.hidden = new Set(show ? [] : groups.map((group) => group.name));
      chips.forEach((chip) => chip.setAttribute("aria-pressed", String(show)));
      label();
      drawing.redraw();
    });
    label();
    return h("div", {class: "chips", role: "group", "aria-label": "Groups shown"}, chips, groups.length > 1 ? everything : null);
  }

  function refresh() {
    const view = views[state.view], dims = view.coordinates.length;
    const buttons = () => [...controls.querySelectorAll("button")], focused = buttons().indexOf(document.activeElement);
    controls.replaceChildren();
    const add = (element) => element && controls.append(element);
    if (views.length > 1)
      add(choice("Show", views.map((one, i) => [i, one.name]), state.view, (value) => {
        Object.assign(state, {view: value, axes: [0, 1, 2], solid: false});
        refresh();
      }));
    if (colourings.length > 1)
      add(choice("Colour", colourings.map((one, i) => [i, shortened(one.name)]), state.colouring, (value) => {
        state.colouring = value;
        state.hidden.clear();
        refresh();
      }));
    const choose = (place) => (value) => {
      state.axes[place] = value;
      drawing.redraw();
    };
    if (dims > 2)
      ["Across", "Up", "Deep"].slice(0, state.solid ? 3 : 2)
          .forEach((label, place) => add(selector(label, view.axes, state.axes[place], choose(place))));
    if (dims > 2 && hasWebGL)
      add(toggle("3-D", state.solid, (on) => {
        state.solid = on;
        refresh();
      }));
    add(groupChips());
    if (focused >= 0) buttons()[focused].focus();  // the keyboard stays where it was: what is pressed here comes before what changes
    drawing.redraw();
  }
  refresh();

  const n = unpack(views[0].coordinates[0]).length;
  const principal = views.some((one) => one.name === "input" && one.axes[0].startsWith("principal")) ?
      "The input is drawn along its principal axes, with the share of the variance that each shows. " :
      "";
  return h(
      "figure", {}, h("figcaption", {}, h("h3", {}, "The picture")), controls, drawing.element,
      h("p", {class: "reading"}, h("strong", {}, "How to read this. "),
        `Each of the ${count(n)} points is a row of ${result.data.name}. ${
            principal}Drag to move, use the buttons above the plot to zoom; a class is switched off and on by its name.`));
}
