// The page comes together: keys, theme, sizes, and the first drawing.

const KEYS = [
  ["/", "search"], ["Enter", "in the search: to the first match; in the list: into the details"], ["n  p", "next and previous match, or error"],
  ["↑ ↓", "from row to row"], ["→ ←", "expand and collapse, or to the child and the parent"], ["Home End", "to the first and the last row"],
  ["+ − 0", "zoom in, zoom out, the whole run"], ["z", "zoom to what is selected"], ["Shift ← →", "move along the time axis"],
  ["1 2", "operations, events"], ["e", "errors only"], ["t", "light or dark"], ["Esc", "clear the search, close the details"],
];

const PRESSED = {
  ArrowDown: () => step(1), ArrowUp: () => step(-1), PageDown: () => step(pageful()), PageUp: () => step(-pageful()),
  Home: () => step(-Infinity), End: () => step(Infinity), ArrowRight: () => inward(), ArrowLeft: () => outward(),
  Enter: () => byId("detail").hidden || byId("detail").focus(), " ": () => isListed() && filters.tab === "operations" && toggleFold(list.selected.i),
};
const ANYWHERE = {
  "/": () => byId("search").select(), "?": () => byId("help").showModal(), "+": () => axis.zoom(0.5), "=": () => axis.zoom(0.5), "-": () => axis.zoom(2),
  0: () => axis.fit(), n: () => stepMatch(1), p: () => stepMatch(-1), z: () => list.selected && axis.focus(...selectedSpan()), t: toggleTheme,
  e: () => setFilter({ errors: !filters.errors }), 1: () => showTab("operations"), 2: () => showTab("events"), Escape: escape,
};

const pageful = () => Math.max(Math.floor(byId("list").clientHeight / ROW) - 1, 1);

function inward() {
  if (!isListed() || filters.tab !== "operations") return step(1);
  const { i } = list.selected;
  if (filters.folded().has(i)) toggleFold(i, false);
  else if (hasChildren(i)) step(1);
}

function outward() {
  if (!isListed() || filters.tab !== "operations") return;
  const { i } = list.selected;
  if (hasChildren(i) && !filters.folded().has(i)) toggleFold(i, true);
  else if (operations.parent[i] >= 0) select("operations", operations.parent[i]);
}

function escape() {
  if (!byId("detail").hidden) closeDetail();
  else clearFilters();
}

function clearFilters() {
  byId("search").value = "";
  byId("agent").value = "-1";
  filters.off[filters.tab].clear();
  setFilter({ text: "", errors: false, agent: -1 });
  buildChips();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (event.target === byId("search")) {
    searching(event);
    return;
  }
  if (event.target.matches("select, [role=separator]")) return;
  if (event.shiftKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) axis.pan(event.key === "ArrowLeft" ? -0.2 : 0.2);
  else if (event.key in ANYWHERE) ANYWHERE[event.key]();
  else if (event.key in PRESSED && reachesList(event)) PRESSED[event.key]();
  else return;
  event.preventDefault();
}

// Keys of the list work wherever nothing else is waiting for them.
function reachesList({ target, key }) {
  if (target === byId("list") || target === document.body) return true;
  if (target.closest("#detail, [role=tablist]")) return false;
  return target.matches("button") && key !== "Enter" && key !== " ";
}

function searching(event) {
  if (event.key === "Escape") {
    if (byId("search").value) clearFilters();
    else byId("list").focus();
  } else if (event.key === "Enter" || event.key === "ArrowDown") {
    byId("list").focus();
    stepMatch(1);
  } else return;
  event.preventDefault();
}

const isDark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

function toggleTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("aotel-report-theme", document.documentElement.dataset.theme);
  } catch { /* a browser may forbid it: the choice holds until the page is closed */ }
  recolour();
}

function rememberTheme() {
  try {
    const theme = localStorage.getItem("aotel-report-theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch { /* as above */ }
}

function recolour() {
  hues.clear();
  picture.dataset.size = "";
  axis.tell();
}

// Sizes are the browser's to decide; everything on the time axis follows.
function measure() {
  const box = byId("list");
  document.documentElement.style.setProperty("--gutter", `${box.offsetWidth - box.clientWidth}px`);
  axis.width = Math.max(byId("axis").clientWidth, 1);
  byId("splitter").setAttribute("aria-valuenow", String(Math.round(byId("head-name").clientWidth)));
  byId("divider").setAttribute("aria-valuenow", String(byId("machine").clientHeight));
  drawRows();
  axis.tell();
}

function watchSplitter() {
  const splitter = byId("splitter");
  const names = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--names"));
  const widen = (width) => {
    document.documentElement.style.setProperty("--names", `${Math.min(Math.max(width, 160), byId("board").clientWidth * 0.6)}px`);
    measure();
  };
  drag(splitter, (event) => {
    const [from, width] = [event.clientX, names()];
    return (moved) => widen(width + moved.clientX - from);
  });
  splitter.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    widen(names() + (event.key === "ArrowLeft" ? -16 : 16));
    event.preventDefault();
  });
}

function watchDivider() {
  const machine = byId("machine");
  const raise = (height) => {
    machine.style.maxHeight = `${Math.min(Math.max(height, 0), byId("board").clientHeight * 0.75)}px`;
    measure();
  };
  drag(byId("divider"), (event) => {
    const [from, height] = [event.clientY, machine.clientHeight];
    return (moved) => raise(height + from - moved.clientY);
  });
  byId("divider").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    raise(machine.clientHeight + (event.key === "ArrowUp" ? 16 : -16));
    event.preventDefault();
  });
}

// Calls what `begin` returns with each move of a drag that began on an element.
function drag(element, begin) {
  element.addEventListener("pointerdown", (event) => {
    const move = begin(event);
    addEventListener("pointermove", move);
    addEventListener("pointerup", () => removeEventListener("pointermove", move), { once: true });
    event.preventDefault();
  });
}

function start() {
  rememberTheme();
  buildHeader();
  buildSwitches();
  buildLanes();
  buildCurves();
  byId("keys").append(...KEYS.flatMap(([key, text]) => [make("dt", "", ...key.split(" ").filter(Boolean).map((one) => make("kbd", "", one))), make("dd", "", text)]));
  byId("help-button").addEventListener("click", () => byId("help").showModal());
  byId("theme").addEventListener("click", toggleTheme);
  byId("machine").hidden = lanes.length === 0 && curves.length === 0;
  byId("divider").hidden = byId("machine").hidden;
  axis.end = axis.whole;
  axis.watchers.push(drawAxis, drawBars, drawLanes, drawCurves, drawOverview, () => showCursor(cursorAt));
  foldAtFirst();
  showTab(operations.count === 0 && events.count > 0 ? "events" : "operations");
  measure();
  watchList();
  watchTracks(byId("board"));
  watchOverview();
  watchSplitter();
  watchDivider();
  addEventListener("keydown", pressed);
  new ResizeObserver(measure).observe(byId("board"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  document.documentElement.dataset.ready = "true";
  prepareSearch();
}

start();
