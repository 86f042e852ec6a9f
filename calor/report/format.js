// Numbers as text.  What does not exist is an en dash; a minus is a minus, not a hyphen; units follow a narrow space.
const NONE = "–", THIN = "\u202f";

const exists = (x) => typeof x === "number" && Number.isFinite(x);
const minus = (text) => text.replace("-", "−");

function fixed(x, digits) {
  const text = x.toFixed(digits);
  return minus(Number(text) === 0 ? (0).toFixed(digits) : text);
}

const percent = (x, digits = 1) => (exists(x) ? fixed(100 * x, digits) + THIN + "%" : NONE);
const points = (x, digits = 1) => (exists(x) ? fixed(100 * x, digits) : NONE);
const signed = (x, digits = 1) =>
    (exists(x) ? (100 * x >= 0.5 * 10 ** -digits ? "+" : "") + fixed(100 * x, digits) : NONE);
const count = (x) => (exists(x) ? minus(Math.round(x).toLocaleString("en-GB")) : NONE);

function significant(x, digits = 3) {
  if (!exists(x)) return NONE;
  if (x !== 0 && (Math.abs(x) < 1e-4 || Math.abs(x) >= 1e6)) return minus(x.toExponential(digits - 1));
  return minus(String(Number(x.toPrecision(digits))));
}

function seconds(x) {
  if (!exists(x)) return NONE;
  if (x < 1) return significant(1000 * x, 2) + THIN + "ms";
  if (x < 120) return significant(x, x < 10 ? 2 : 3) + THIN + "s";
  return x < 7200 ? significant(x / 60, 3) + THIN + "min" : significant(x / 3600, 3) + THIN + "h";
}

function probability(p) {
  if (!exists(p)) return NONE;
  if (p < 0.001) return "<" + THIN + "0.001";
  return p >= 0.9995 ? "1" : String(Number(p.toPrecision(2)));
}

// mean ± deviation, in percent
const spread = (mean, sd) =>
    (!exists(mean)  ? NONE :
         exists(sd) ? `${fixed(100 * mean, 1)} ± ${fixed(100 * sd, 1)}${THIN}%` :
                      percent(mean));
const range = (low, high) => (exists(low) && exists(high) ? `${points(low)} to ${points(high)}` : NONE);

// "a, b and c"
const listed = (names) =>
    (names.length < 2 ? names.join("") : names.slice(0, -1).join(", ") + " and " + names[names.length - 1]);
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

// Plotly reads a little HTML in its texts and %{...} in its templates: text of the data must pass as it is.
const plain = (text) =>
    String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/%\{/g, "%\u200b{");
const shortened = (text, most = 24) => (text.length > most ? text.slice(0, most - 1) + "…" : text);

// The verdict's plain characters as typography: minus signs, and numbers that keep their unit on the line.
const typeset = (text) =>
    text.replace(/(^|[\s(])-(?=\d)/g, "$1−").replace(/ - /g, " − ").replace(/(\d) (?=%|points|ms\b|s\b)/g, "$1\u202f");
