// The whole run in small, above the rows: where operations and errors were, and which part of it is seen.

const picture = document.createElement("canvas");

// Operations are painted once for each width; the part that is seen is drawn over that.
function paintOverview(width, height) {
  const density = window.devicePixelRatio || 1;
  picture.width = Math.round(width * density);
  picture.height = Math.round(height * density);
  const pen = picture.getContext("2d");
  pen.scale(density, density);
  const rows = Math.min(operations.deepest + 1, 10);
  const tall = Math.min((height - 12) / Math.max(rows, 1), 6);
  const x = (time) => (time / axis.whole) * width;
  for (let i = 0; i < operations.count; i += 1) {
    const depth = Math.min(operations.depth[i], rows - 1);
    pen.fillStyle = hue(operations.kind[i]);
    pen.globalAlpha = 0.75;
    pen.fillRect(x(operations.start[i]), 6 + depth * tall, Math.max(x(operations.end[i]) - x(operations.start[i]), 1), Math.max(tall - 1, 1));
  }
  pen.globalAlpha = 1;
  pen.fillStyle = hue("error");
  for (let i = 0; i < operations.count; i += 1) if (operations.state[i] === FAILED) pen.fillRect(x(operations.end[i]) - 1, height - 5, 2, 4);
  for (const i of events.lanes.violations || []) pen.fillRect(x(events.time[i]) - 1, height - 5, 2, 4);
  picture.dataset.size = `${width}/${height}/${density}`;
}

function drawOverview() {
  const { pen, width, height } = sheet("overview");
  if (width === 0) return;
  if (picture.dataset.size !== `${width}/${height}/${window.devicePixelRatio || 1}`) paintOverview(width, height);
  pen.drawImage(picture, 0, 0, width, height);
  const [left, right] = [(axis.start / axis.whole) * width, (axis.end / axis.whole) * width];
  if (right - left > width - 0.5) return;
  pen.fillStyle = hue("bg");
  pen.globalAlpha = 0.72;
  pen.fillRect(0, 0, left, height);
  pen.fillRect(right, 0, width - right, height);
  pen.globalAlpha = 1;
  pen.strokeStyle = hue("accent");
  pen.lineWidth = 1.5;
  pen.strokeRect(Math.min(Math.max(left, 1), width - 3), 1, Math.max(right - left, 2) - 1, height - 2);
}

// A drag inside the part that is seen moves it; any other drag chooses a new one.
function watchOverview() {
  const canvas = byId("overview");
  const time = (event) => ((event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth) * axis.whole;
  canvas.addEventListener("pointerdown", (event) => {
    const from = time(event);
    const held = from >= axis.start && from <= axis.end && axis.end - axis.start < axis.whole * 0.999 ? from - axis.start : null;
    const move = (moved) => {
      if (held !== null) axis.moveTo(Math.min(Math.max(time(moved) - held, 0), axis.whole - (axis.end - axis.start)));
      else if (Math.abs(time(moved) - from) > axis.whole * 0.004) axis.show(Math.min(from, time(moved)), Math.max(from, time(moved)));
    };
    const up = (ended) => {
      removeEventListener("pointermove", move);
      if (held === null && Math.abs(time(ended) - from) <= axis.whole * 0.004) axis.moveTo(from - (axis.end - axis.start) / 2);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up, { once: true });
  });
  canvas.addEventListener("dblclick", () => axis.fit());
}
