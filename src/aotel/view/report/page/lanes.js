// What the machine did, in lanes under the rows: drawn, for there may be a hundred thousand marks.

const LANE = 18;
const lanes = Object.keys(LANES).filter((name) => events.lanes[name]);

function buildLanes() {
  const box = byId("lanes");
  for (const name of lanes) {
    const side = button("side", `Show ${LANES[name]} in the list`, () => listLane(name), hued(icon(name), name), make("span", "", LANES[name]), make("i", "", counted(events.lanes[name].length)));
    const lane = hued(make("div", "lane", side), name);
    lane.style.setProperty("--lane", `${LANE}px`);
    box.append(lane);
  }
  if (lanes.length > 0) box.append(plot("lanes-plot", `${many(events.count, "event")} of the machine; they are listed under Events`));
}

function plot(id, label) {
  const canvas = make("canvas");
  canvas.id = id;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return make("div", "plot", canvas);
}

// A canvas as large as it is shown, on a screen of any density.
function sheet(id) {
  const canvas = byId(id);
  const { clientWidth: width, clientHeight: height } = canvas;
  const density = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

const hues = new Map();

// A colour of the style sheet as a canvas understands it.
function hue(name) {
  if (!hues.has(name)) {
    const probe = make("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    hues.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return hues.get(name);
}

// The first of rising times that is not before a moment.
function firstAt(times, order, moment) {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[order[middle]] < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

function drawLanes() {
  if (lanes.length === 0) return;
  const { pen, width } = sheet("lanes-plot");
  lanes.forEach((name, row) => {
    const order = events.lanes[name];
    const columns = new Uint16Array(Math.ceil(width) + 1);
    for (let place = firstAt(events.time, order, axis.start); place < order.length; place += 1) {
      const x = Math.round(axis.x(events.time[order[place]]));
      if (x > width) break;
      if (columns[x] < 60000) columns[x] += 1;
    }
    pen.fillStyle = hue(name);
    for (let x = 0; x < columns.length; x += 1) {
      if (!columns[x]) continue;
      const height = Math.min(6 + 2.5 * Math.log2(columns[x]), LANE - 6);
      pen.globalAlpha = Math.min(0.7 + columns[x] * 0.1, 1);
      pen.fillRect(x - 1, row * LANE + (LANE - height) / 2, 2, height);
    }
  });
  pen.globalAlpha = 1;
  if (list.selected?.what === "events") ringEvent(pen, list.selected.i);
}

function ringEvent(pen, i) {
  pen.strokeStyle = hue("ink");
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.roundRect(axis.x(events.time[i]) - 4.5, lanes.indexOf(events.lane[i]) * LANE + 2, 9, LANE - 4, 3);
  pen.stroke();
}

// The event nearest to a click, if there is one near.
function pickEvent(click) {
  if (lanes.length === 0) return;
  const box = byId("lanes-plot").getBoundingClientRect();
  const lane = lanes[Math.floor((click.clientY - box.top) / LANE)];
  if (!lane || click.clientY < box.top) return;
  const order = events.lanes[lane];
  const moment = axis.time(click.clientX - box.left);
  const place = firstAt(events.time, order, moment);
  const near = [order[place - 1], order[place]].filter((i) => i !== undefined);
  const distance = (i) => Math.abs(axis.x(events.time[i]) - axis.x(moment));
  near.sort((a, b) => distance(a) - distance(b));
  if (near.length > 0 && distance(near[0]) < 8) select("events", near[0], { reveal: false });
}

function listLane(name) {
  filters.off.events = new Set(lanes.filter((lane) => lane !== name));
  showTab("events");
}
