// Surfaces in space, coloured by their labels, by what a network says, or by where it is wrong.
const SURFACE_WRONG = {light: "#c22f2f", dark: "#ff6b6b"}, SURFACE_RIGHT = {light: "#d6dade", dark: "#4a5058"};
const surfaceColour = (value) => palette().classes[value % palette().classes.length];

// values: a class for each triangle or point; truth: of the same, where mistakes are to be shown, else null.
function surfaceScene(surface, values, truth, width) {
  const coordinate = (place) => surface.points.filter((_, k) => k % 3 === place), corner = (place) => surface.triangles.filter((_, k) => k % 3 === place);
  const colours = values.map((value, i) => (truth ? (value === truth[i] ? SURFACE_RIGHT : SURFACE_WRONG)[theme] : surfaceColour(value)));
  const ofFaces = values.length * 3 === surface.triangles.length, hidden = {visible: false, showspikes: false};
  return {
    data: [Object.assign(
        {
          type: "mesh3d",
          x: coordinate(0),
          y: coordinate(1),
          z: coordinate(2),
          i: corner(0),
          j: corner(1),
          k: corner(2),
          flatshading: true,
          hoverinfo: "skip",
          lighting: {ambient: 0.75, diffuse: 0.5, specular: 0.05}
        },
        ofFaces ? {facecolor: colours} : {vertexcolor: colours})],
    layout: layout({
      height: Math.min(460, Math.max(260, Math.round(width * 0.95))),
      uirevision: surface.name,
      margin: {l: 0, r: 0, t: 0, b: 0},
      scene: {
        xaxis: hidden,
        yaxis: hidden,
        zaxis: hidden,
        aspectmode: "data",
        dragmode: "orbit",
        camera: {up: {x: 0, y: 1, z: 0}, eye: {x: 0.9, y: 0.7, z: 2.5}}
      }
    }),
    config: {modeBarButtons: [["resetCameraDefault3d", "toImage"]]}
  };
}

function surfacesFigure(experiment) {
  const surfaces = experiment.surfaces || [];
  if (!surfaces.length || !hasWebGL) return null;
  const networks = experiment.attentions.filter((name) => surfaces[0].predictions && surfaces[0].predictions[name]);
  if (!networks.length) return null;
  const state = {surface: 0, network: networks[0], errors: false}, classes = experiment.data.classes;
  const heading = h("h4"), said = plot("What the network says of the surface", (width) => {
    const surface = surfaces[state.surface], values = surface.predictions[state.network];
    return surfaceScene(surface, values, state.errors ? surface.labels : null, width);
  });
  const truth = plot("The surface as it is labelled", (width) => surfaceScene(surfaces[state.surface], surfaces[state.surface].labels, null, width));
  const redraw = () => {
    const surface = surfaces[state.surface];
    heading.replaceChildren(named(experiment, state.network), `: ${percent(surface.accuracy[state.network])} of ${surface.name}`);
    said.redraw();
    truth.redraw();
  };
  const set = (key) => (value) => {
    state[key] = value;
    redraw();
  };
  redraw();
  const places = surfaces.length === 3 ? ["hardest", "in the middle", "easiest"] : surfaces.map((surface) => surface.name);
  const swatch = (name, value) => {
    const patch = h("span", {class: "patch"});
    patch.style.background = `var(--class-${value % palette().classes.length})`;
    return h("span", {class: "swatch"}, patch, name);
  };
  return figure(
      "Surfaces",
      "Test surfaces of the first seed: the one on which the networks are right least, the one in the middle, and the one on which they are right most. Drag to turn them.",
      [
        choice("Surface", places.map((name, i) => [i, name]), 0, set("surface")), choice("Network", networks.map((name) => [name, name]), state.network, set("network")),
        choice("Colours", [[false, "classes"], [true, "mistakes"]], false, set("errors"))
      ],
      h("div", {class: "two"}, h("div", {}, heading, said.element), h("div", {}, h("h4", {}, "as labelled"), truth.element)),
      classes.length <= 20 ? h("p", {class: "quiet"}, classes.map(swatch)) : null);
}
