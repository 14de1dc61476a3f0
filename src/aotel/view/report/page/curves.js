// How the machine was: CPU, memory, disk and network over time, with a gap wherever nothing was measured.

const CURVE = 36;

// Longer than this between two measurements, and some are missing.
const longestStep = (() => {
  const steps = (data.resources.time || []).map((time, i, all) => (i > 0 ? time - all[i - 1] : 0)).slice(1).sort((a, b) => a - b);
  return steps.length > 0 ? steps[steps.length >> 1] * 2.5 : Infinity;
})();

const curves = makeCurves(data.resources);

function makeCurves(columns) {
  const { time } = columns;
  const made = [];
  if (!time || time.length === 0) return made;
  const percent = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
  const add = (name, colour, unit, lines, top) => {
    const told = lines.filter((line) => line.values?.some((value) => value !== null));
    if (told.length === 0) return;
    const most = Math.max(...told.map((line) => line.values.reduce((high, value) => Math.max(high, value ?? 0), 0)));
    made.push({ name, colour, unit, lines: told, most, top: Math.max(top(most), 1e-9) });
  };
  add("CPU", "agent", percent, [{ values: columns.cpu_percent }], () => 100);
  const limit = columns.memory_limit_bytes?.reduce((high, value) => Math.max(high, value ?? 0), 0);
  add("Memory", "llm", bytes, [{ values: columns.memory_bytes }], (most) => (limit && limit < 4 * most ? limit : most * 1.15));
  const perSecond = (value) => `${bytes(value)}/s`;
  const roomy = (most) => most * 1.15;
  add("Disk", "retrieval", perSecond, [
    { values: rates(time, columns.disk_read_bytes), label: "read" }, { values: rates(time, columns.disk_write_bytes), label: "written", dashed: true },
  ], roomy);
  add("Network", "tool", perSecond, [
    { values: rates(time, columns.net_received_bytes), label: "received" }, { values: rates(time, columns.net_sent_bytes), label: "sent", dashed: true },
  ], roomy);
  const memory = made.find((curve) => curve.name === "Memory");
  if (memory && limit) memory.limit = limit;
  return made;
}

// Totals as bytes a second. A total that falls, because a process is gone, tells nothing, nor does one after a gap.
function rates(time, totals) {
  return totals?.map((total, i) => {
    const before = i > 0 ? totals[i - 1] : null;
    if (total === null || before === null || total < before || time[i] <= time[i - 1] || time[i] - time[i - 1] > longestStep) return null;
    return ((total - before) / (time[i] - time[i - 1])) * 1000;
  });
}

function buildCurves() {
  const box = byId("curves");
  for (const curve of curves) {
    const value = make("i");
    const side = make("div", "side", make("span", "", curve.name), value);
    const row = make("div", "lane", side);
    row.style.setProperty("--lane", `${CURVE}px`);
    curve.value = value;
    box.append(row);
  }
  if (curves.length > 0) box.append(plot("curves-plot", curves.map((curve) => `${curve.name}: at most ${curve.unit(curve.most)}`).join("; ")));
  showValues(null);
}

// What was measured at a moment, or the most that ever was.
function showValues(moment) {
  for (const curve of curves) {
    const most = `peak ${curve.unit(curve.most)}${curve.limit ? ` of ${bytes(curve.limit)}` : ""}`;
    curve.value.textContent = moment === null ? most : valuesAt(curve, moment) || "not measured";
  }
}

function valuesAt(curve, moment) {
  const { time } = data.resources;
  let low = 0;
  let high = time.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (time[middle] < moment) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && moment - time[low - 1] < time[low] - moment) low -= 1;
  if (Math.abs(time[low] - moment) > longestStep) return "";
  const told = curve.lines.filter((line) => line.values[low] !== null);
  return told.map((line) => `${curve.unit(line.values[low])}${line.label ? ` ${line.label}` : ""}`).join(", ");
}

function drawCurves() {
  if (curves.length === 0) return;
  const { pen, width } = sheet("curves-plot");
  curves.forEach((curve, row) => {
    const bottom = (row + 1) * CURVE - 1;
    const y = (value) => bottom - Math.min(value / curve.top, 1) * (CURVE - 9);
    pen.strokeStyle = hue("line");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(0, bottom + 0.5);
    pen.lineTo(width, bottom + 0.5);
    pen.stroke();
    if (curve.limit && curve.limit <= curve.top) drawLimit(pen, width, y(curve.limit));
    for (const line of curve.lines) drawLine(pen, line, hue(curve.colour), y, bottom);
  });
}

function drawLimit(pen, width, y) {
  pen.strokeStyle = hue("error");
  pen.setLineDash([4, 4]);
  pen.beginPath();
  pen.moveTo(0, y);
  pen.lineTo(width, y);
  pen.stroke();
  pen.setLineDash([]);
}

function drawLine(pen, line, colour, y, bottom) {
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  pen.lineWidth = 1.5;
  for (const run of runs(line.values)) {
    const points = thinned(run.map((i) => [axis.x(data.resources.time[i]), y(line.values[i])]));
    if (points.length === 0) continue;
    if (points.length === 1) {
      pen.fillRect(points[0][0] - 1.5, points[0][1] - 1.5, 3, 3);
      continue;
    }
    pen.setLineDash(line.dashed ? [3, 3] : []);
    pen.beginPath();
    points.forEach(([x, height], place) => (place === 0 ? pen.moveTo(x, height) : pen.lineTo(x, height)));
    pen.stroke();
    if (line.dashed) continue;
    pen.lineTo(points.at(-1)[0], bottom);
    pen.lineTo(points[0][0], bottom);
    pen.globalAlpha = 0.12;
    pen.fill();
    pen.globalAlpha = 1;
  }
  pen.setLineDash([]);
}

// Measurements without a gap between them.
function runs(values) {
  const { time } = data.resources;
  const found = [];
  let current = [];
  for (let i = 0; i < values.length; i += 1) {
    const gap = values[i] === null || (current.length > 0 && time[i] - time[current.at(-1)] > longestStep);
    if (gap && current.length > 0) {
      found.push(current);
      current = [];
    }
    if (values[i] !== null) current.push(i);
  }
  if (current.length > 0) found.push(current);
  return found;
}

// Of many points within a pixel, the highest is enough; those out of sight, but for the next ones, are not needed.
function thinned(points) {
  const kept = [];
  points.forEach((point, i) => {
    const [x, y] = point;
    if ((x < 0 && points[i + 1]?.[0] < 0) || (x > axis.width && points[i - 1]?.[0] > axis.width)) return;
    const last = kept.at(-1);
    if (last && x - last[0] < 0.7) last[1] = Math.min(last[1], y);
    else kept.push([x, y]);
  });
  return kept;
}
