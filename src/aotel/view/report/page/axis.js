// The time axis that everything shares: which part of the run is seen, and where on the screen a moment is.

const axis = {
  start: 0, end: 1, width: 1,
  whole: Math.max(data.length, 0.001) * 1.01,
  least: 0.01, // ms: no further than what a log can tell apart
  watchers: [],
  x(time) { return ((time - this.start) / (this.end - this.start)) * this.width; },
  time(x) { return this.start + (x / this.width) * (this.end - this.start); },
  show(start, end) {
    const span = Math.min(Math.max(end - start, Math.min(this.least, this.whole)), this.whole);
    const middle = (start + end) / 2;
    this.start = Math.min(Math.max(span === end - start ? start : middle - span / 2, 0), this.whole - span);
    this.end = this.start + span;
    this.tell();
  },
  fit() { this.show(0, this.whole); },
  zoom(factor, at = (this.start + this.end) / 2) {
    const span = Math.min(Math.max((this.end - this.start) * factor, this.least), this.whole);
    const share = (at - this.start) / (this.end - this.start);
    this.show(at - share * span, at - share * span + span);
  },
  pan(share) {
    const by = (this.end - this.start) * share;
    const start = Math.min(Math.max(this.start + by, 0), this.whole - (this.end - this.start));
    this.show(start, start + this.end - this.start);
  },
  moveTo(start) { this.show(start, start + this.end - this.start); },
  reveal(start, end) {
    if (end >= this.start && start <= this.end) return;
    const span = this.end - this.start;
    this.moveTo(Math.min(Math.max((start + Math.min(end, start + span) - span) / 2, 0), this.whole - span));
  },
  focus(start, end) {
    const room = Math.max((end - start) * 0.08, this.least);
    this.show(Math.max(start - room, 0), Math.min(end + room, this.whole));
  },
  tell() {
    if (this.told) return;
    this.told = true;
    requestAnimationFrame(() => {
      this.told = false;
      for (const watch of this.watchers) watch();
    });
  },
};

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4,
  12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5, 432e5, 864e5];

function ticks() {
  const span = axis.end - axis.start;
  const wanted = Math.max(axis.width / 110, 1);
  const step = STEPS.find((size) => span / size <= wanted) || Math.ceil(span / wanted / 864e5) * 864e5;
  const places = [];
  for (let n = Math.ceil(axis.start / step); n * step <= axis.end; n += 1) places.push(n * step);
  return { step, places };
}

function drawAxis() {
  const { step, places } = ticks();
  byId("axis").replaceChildren(...places.map((time) => {
    const label = make("span", "", since(time, step));
    label.style.left = `${axis.x(time)}px`;
    return label;
  }));
  const lines = places.map((time) => {
    const line = make("i");
    line.style.left = `${axis.x(time)}px`;
    return line;
  });
  const band = selectedSpan();
  if (band) {
    const mark = make("b");
    mark.style.left = `${axis.x(band[0])}px`;
    mark.style.width = `${Math.max(axis.x(band[1]) - axis.x(band[0]), 1)}px`;
    lines.push(mark);
  }
  byId("grid").replaceChildren(...lines);
  const seen = axis.end - axis.start >= axis.whole * 0.999;
  byId("range").textContent = seen
    ? `Whole run, ${duration(data.length)}`
    : `${since(axis.start, step)} to ${since(Math.min(axis.end, data.length), step)}, ${duration(axis.end - axis.start)} of ${duration(data.length)}`;
}

// Wheel, drag and cross-hair, wherever there is a track.
function watchTracks(board) {
  const left = () => byId("axis").getBoundingClientRect().left;
  const within = (event) => {
    const x = event.clientX - left();
    return x >= 0 && x <= axis.width ? x : null;
  };
  board.addEventListener("wheel", (event) => {
    const x = within(event);
    if (x === null) return;
    const inList = byId("list").contains(event.target);
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
    if (sideways) axis.pan(sideways / axis.width);
    else if (event.ctrlKey || event.metaKey || !inList) axis.zoom(Math.exp(event.deltaY * 0.002), axis.time(x));
    else return;
    event.preventDefault();
  }, { passive: false });
  board.addEventListener("pointermove", (event) => {
    const x = within(event);
    showCursor(x);
  });
  board.addEventListener("pointerleave", () => showCursor(null));
  for (const id of ["axis", "machine"]) byId(id).addEventListener("pointerdown", (event) => chooseRange(event, left(), within));
  byId("axis").addEventListener("dblclick", () => axis.fit());
  byId("list").addEventListener("pointerdown", (event) => dragTrack(event, within));
}

let cursorAt = null; // where the pointer is, in pixels from the left of the tracks

function showCursor(x) {
  cursorAt = x;
  const cursor = byId("cursor");
  cursor.hidden = x === null;
  if (x !== null) {
    const time = axis.time(x);
    const label = cursor.firstElementChild;
    cursor.style.left = `calc(var(--side) + ${x}px)`;
    label.textContent = `${since(time, (axis.end - axis.start) / axis.width)} · ${clock(data.start + time)}`;
    const half = label.offsetWidth / 2;
    label.style.marginLeft = `${Math.max(half - x, 0) - Math.max(x + half - axis.width, 0)}px`;
  }
  showValues(x === null ? null : axis.time(x));
}

// A drag on the axis or on lanes chooses a part of the run; a click there chooses an event.
function chooseRange(event, left, within) {
  const from = within(event);
  if (from === null || event.button !== 0) return;
  const target = event.currentTarget;
  const mark = make("b");
  const move = (moved) => {
    const to = Math.min(Math.max(moved.clientX - left, 0), axis.width);
    if (!mark.isConnected) byId("grid").append(mark);
    mark.style.left = `${Math.min(from, to)}px`;
    mark.style.width = `${Math.abs(to - from)}px`;
  };
  const up = (ended) => {
    removeEventListener("pointermove", move);
    mark.remove();
    const to = Math.min(Math.max(ended.clientX - left, 0), axis.width);
    if (Math.abs(to - from) > 4) axis.show(axis.time(Math.min(from, to)), axis.time(Math.max(from, to)));
    else if (target.id === "machine") pickEvent(ended);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", up, { once: true });
}

// A drag on the rows' bars moves the axis.
function dragTrack(event, within) {
  if (within(event) === null || event.button !== 0) return;
  let last = event.clientX;
  const move = (moved) => {
    axis.pan((last - moved.clientX) / axis.width);
    last = moved.clientX;
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", () => removeEventListener("pointermove", move), { once: true });
}
