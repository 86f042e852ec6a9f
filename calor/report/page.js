// Building blocks of the page.  Text of the data enters through textContent only.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on"))
      element.addEventListener(name.slice(2), value);
    else
      element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

// columns: [{head, title, text: row => node or text}]; the first heads its row.
function table(caption, columns, rows) {
  const cell = (row, column, place) =>
      h(place === 0 ? "th" : "td", {scope: place === 0 ? "row" : null, class: column.prose ? "prose" : null}, column.text(row));
  return h(
      "div", {class: "tabular"}, h("p", {class: "quiet", "aria-hidden": "true"}, caption),
      h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
        h("table", {"aria-label": caption},
          h("thead", {},
            h("tr", {}, columns.map((column) => h("th", {scope: "col", title: column.title, class: column.prose ? "prose" : null}, column.head)))),
          h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((column, place) => cell(row, column, place))))))));
}

// Name and value, one under the other; an empty value is left out.
function facts(caption, pairs) {
  return h(
      "section", {class: "facts", "aria-label": caption}, h("h4", {}, caption),
      h("dl", {},
        pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
            .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
}

// A switch: a button with aria-pressed.
function toggle(label, pressed, change) {
  const button = h("button", {type: "button", class: "toggle", "aria-pressed": String(pressed)}, label);
  button.addEventListener("click", () => {
    const now = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(now));
    change(now);
  });
  return button;
}

// One of several: buttons of which one is pressed.
function choice(label, options, chosen, change) {
  const buttons = options.map(([value, text]) => {
    const button = h("button", {type: "button", "aria-pressed": String(value === chosen)}, text);
    button.addEventListener("click", () => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      change(value);
    });
    return button;
  });
  return h(
      "div", {class: "choice", role: "group", "aria-label": label}, h("span", {"aria-hidden": "true"}, label), buttons);
}

const hasWebGL = (() => {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
})();

const drawn = [];  // every plot of the page: {element, build}

// A plot: `build(width)` gives {data, layout} and, where it differs from CONFIG, {config}.  Redrawn for another theme, another width class, or by the returned redraw().
function plot(label, build, className = "") {
  const element = h("div", {class: "plot " + className, role: "img", "aria-label": label});
  const entry = {
    element,
    build,
    draw() {
      const width = element.clientWidth;
      if (width === 0) return Promise.resolve();
      entry.narrow = width < 520;
      const figure = build(width);
      element.style.height = figure.layout.height + "px";
      return Plotly.react(element, figure.data, figure.layout, Object.assign({}, CONFIG, figure.config));
    }
  };
  drawn.push(entry);
  return {element, redraw: () => entry.draw()};
}

// A titled figure with its controls and one line on how to read it.
function figure(title, reading, controls, ...content) {
  return h(
      "figure", {}, h("figcaption", {}, h("h3", {}, title)),
      controls && controls.length ? h("div", {class: "controls"}, controls) : null, content,
      reading ? h("p", {class: "reading"}, h("strong", {}, "How to read this. "), reading) : null);
}

function swatch(experiment, attention) {
  const ns = "http://www.w3.org/2000/svg", style = look(experiment, attention);
  const svg = document.createElementNS(ns, "svg"), line = document.createElementNS(ns, "line");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("viewBox", "0 0 24 8");
  svg.setAttribute("aria-hidden", "true");
  const dashes = {solid: "", dash: "6 3", dot: "2 2", dashdot: "6 2 2 2", longdash: "9 3", longdashdot: "9 2 2 2"};
  for (const [name, value] of Object.entries(
           {x1: 0, x2: 24, y1: 4, y2: 4, "stroke-width": 3, "stroke-dasharray": dashes[style.dash]}))
    line.setAttribute(name, value);
  line.style.stroke = `var(--series-${
      isControl(attention) ? "control" : experiment.attentions.filter((a) => !isControl(a)).indexOf(attention) % 6})`;
  svg.append(line);
  return svg;
}

const named = (experiment, attention) =>
    h("span", {class: "named", title: experiment.pipelines[attention]}, swatch(experiment, attention), attention);
