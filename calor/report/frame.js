// What every page has around its figures: the document, themes, drawing in turns, saving.
const result = JSON.parse(document.getElementById("document").textContent);

// On every change of theme, before anything is redrawn; a page adds what its own style needs.
const themed = [];

themed.push(() => {
  const style = document.documentElement.style;
  palette().classes.forEach((colour, i) => style.setProperty(`--class-${i}`, colour));
  style.setProperty("--series-control", palette().control);
});

function applyTheme(name) {
  theme = name;
  document.documentElement.dataset.theme = name;
  themed.forEach((change) => change());
}

// In turns, so that the page stays responsive while many plots are drawn.
async function drawAll() {
  document.body.dataset.ready = "false";
  for (const entry of drawn.slice()) {
    await entry.draw();
    await new Promise((done) => setTimeout(done));
  }
  document.body.dataset.ready = "true";
}

function themeSwitch() {
  const label = () => (theme === "dark" ? "Light theme" : "Dark theme");
  const button = h("button", {type: "button", class: "theme", id: "theme"}, label());
  const change = (name) => {
    applyTheme(name);
    button.textContent = label();
    return drawAll();
  };
  button.addEventListener("click", () => change(theme === "dark" ? "light" : "dark"));
  darkSystem.addEventListener("change", (event) => change(event.matches ? "dark" : "light"));
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = theme;
    if (theme === "dark") {
      applyTheme("light");
      drawn.forEach((entry) => entry.draw());
    }
  });
  window.addEventListener("afterprint", () => {
    if (before && before !== theme) change(before);
  });
  return button;
}

function saveButton(name) {
  return h(
      "button", {
        type: "button",
        onclick: () => {
          const url = URL.createObjectURL(new Blob([JSON.stringify(result)], {type: "application/json"}));
          h("a", {href: url, download: name}).click();
          setTimeout(() => URL.revokeObjectURL(url), 1000);
        }
      },
      "Save the data (JSON)");
}

// Once, when the page's elements stand: draws, and draws again what another width asks for.
function startDrawing() {
  window.addEventListener("resize", () => drawn.forEach((entry) => {
    if (entry.narrow !== entry.element.clientWidth < 520) entry.draw();
  }));
  drawAll();
}
