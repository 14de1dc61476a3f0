// How things are written: elements, icons, numbers, times. Whatever comes from the log becomes text, never markup.

const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function button(className, label, act, ...children) {
  const element = make("button", className, ...children);
  element.type = "button";
  if (label) element.setAttribute("aria-label", label);
  if (act) element.addEventListener("click", act);
  return element;
}

function icon(name, className = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${className}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

function hued(element, name) {
  element.style.setProperty("--hue", `var(--${name})`);
  return element;
}

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

// Text as it may be shown: what a terminal or the order of letters obeys is written out.
function visible(text) {
  return String(text).replace(HIDDEN, (letter) => {
    const code = letter.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

function oneLine(text, length = 300) {
  return visible(text.slice(0, length).replace(/\s+/g, " ").trim());
}

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const counted = (number) => whole.format(number);
const many = (number, word, words = `${word}s`) => `${counted(number)} ${number === 1 ? word : words}`;

function compact(number) {
  if (number < 10000) return counted(number);
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (number >= size) return `${(number / size).toFixed(number < 100 * size ? 1 : 0)}${letter}`;
  }
  return counted(number);
}

function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  while (Math.abs(number) >= 1024 && place < units.length - 1) {
    number /= 1024;
    place += 1;
  }
  return `${place === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[place]}`;
}

function duration(ms) {
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  const two = (number) => String(number).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} m`;
}

// A moment of the run, as the time since its start, with as many digits as tell it from its neighbours.
function since(ms, step = 1) {
  if (Math.abs(ms) < 60000) {
    if (step < 1) return `${ms.toFixed(step < 0.1 ? 2 : 1)} ms`;
    if (step < 1000 && Math.abs(ms) < 1000) return `${Math.round(ms)} ms`;
    return `${(ms / 1000).toFixed(step < 10 ? 3 : step < 100 ? 2 : step < 1000 ? 1 : 0)} s`;
  }
  const two = (number) => String(number).padStart(2, "0");
  const total = step < 1000 ? ms / 1000 : Math.round(ms / 1000);
  const rest = total % 60;
  const seconds = step < 1000 ? rest.toFixed(step < 10 ? 3 : step < 100 ? 2 : 1).padStart(step < 10 ? 6 : 4, "0") : two(rest);
  const minutes = Math.floor(total / 60);
  return minutes < 60 ? `${minutes}:${seconds}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${seconds}`;
}

// The log tells the time in UTC, and so does the page.
function clock(ms, withDay = false) {
  const time = new Date(ms);
  if (Number.isNaN(time.getTime())) return "unknown";
  const iso = time.toISOString();
  return withDay ? `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC` : iso.slice(11, 23);
}
