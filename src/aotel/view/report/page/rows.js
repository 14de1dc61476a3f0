// Rows of the list: an operation with its place in the tree, or an event, each with its mark on the time axis.

const indent = Math.max(Math.min(16, 190 / Math.max(operations.deepest, 1)), 3);

function cell(className, text = "", role = "gridcell") {
  const element = make("div", className, text);
  element.setAttribute("role", role);
  return element;
}

function kindBadge(name, label) {
  const badge = hued(make("span", "kind", icon(name)), name);
  badge.title = label;
  badge.append(hiddenText(label));
  return badge;
}

// For those who listen instead of looking.
function hiddenText(text) {
  const element = make("span", "", `${text} `);
  element.style.cssText = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";
  return element;
}

// A text with the words in it marked that are searched for.
function marked(text) {
  const lower = text.toLowerCase();
  const found = filters.terms.map((term) => [lower.indexOf(term), term.length]).filter(([at]) => at >= 0).sort((a, b) => a[0] - b[0]);
  if (found.length === 0 || lower.length !== text.length) return [text];
  const parts = [];
  let done = 0;
  for (const [at, length] of found) {
    if (at < done) continue;
    parts.push(text.slice(done, at), make("mark", "", text.slice(at, at + length)));
    done = at + length;
  }
  return [...parts, text.slice(done)];
}

function operationRow(i, place) {
  const state = operations.state[i];
  const { facts } = operationParts(i);
  const row = make("div", `row ${STATES[state]}${filters.marks[i] === CONTEXT ? " context" : ""}`);
  row.id = `operation-${i}`;
  row.setAttribute("role", "row");
  row.setAttribute("aria-level", String(operations.depth[i] + 1));
  row.setAttribute("aria-rowindex", String(place + 1));
  if (hasChildren(i)) row.setAttribute("aria-expanded", String(!filters.folded().has(i)));
  row.append(nameCell(i, facts), cell("number first", state === OPEN ? "unfinished" : duration(facts.took)), tokenCell(i, facts), barCell(operationBars(i)));
  return row;
}

function operationParts(i) {
  const [, , , , took, , , , facts] = data.operations[i];
  return { facts: { ...facts, took } };
}

function nameCell(i, facts) {
  const depth = operations.depth[i];
  const element = cell("name");
  const room = `min(${depth * indent}px, calc(var(--names) * 0.5))`; // for the name, however deep
  element.style.paddingLeft = `calc(12px + ${room})`;
  if (depth > 0) {
    const guides = make("span", "guides");
    guides.style.width = room;
    guides.style.setProperty("--indent", `${indent}px`);
    element.append(guides);
  }
  const twist = button(`twist${hasChildren(i) ? "" : " leaf"}`, "Expand or collapse", null, icon("chevron"));
  twist.tabIndex = -1;
  const state = operations.state[i];
  element.append(twist, kindBadge(operations.kind[i], KINDS[operations.kind[i]]));
  if (state !== OK) element.append(icon(STATES[state], `state ${STATES[state]}`), hiddenText(STATES[state]));
  element.append(make("span", "label", ...marked(visible(operations.name[i]))));
  if (filters.folded().has(i)) element.append(insideBadge(i));
  const hint = hintOf(facts, state);
  if (hint) element.append(make("span", "hint", ...marked(hint)));
  return element;
}

function insideBadge(i) {
  const badge = make("span", "inside", counted(operations.after[i] - i - 1));
  badge.title = many(operations.after[i] - i - 1, "operation inside", "operations inside");
  if (operations.faults[i] > 0) {
    badge.append(icon("failed", "state failed"), make("span", "fault", counted(operations.faults[i])));
    badge.title += `, ${many(operations.faults[i], "error")}`;
  }
  return badge;
}

// What an operation came to, in a few words.
function hintOf(facts, state) {
  if (state === FAILED) return oneLine([facts.error, facts.message].filter(Boolean).join(": "));
  if (state === STOPPED) return oneLine([facts.outcome, facts.message || facts.error].filter(Boolean).join(": "));
  return oneLine(facts.result || "");
}

function tokenCell(i, facts) {
  const own = facts.input !== undefined || facts.output !== undefined;
  if (!own && !operations.input[i] && !operations.output[i]) return cell("number second");
  const [input, output] = own ? [facts.input, facts.output] : [operations.input[i], operations.output[i]];
  const write = (number) => (number === undefined ? "?" : compact(number));
  const element = cell(`number second${own ? "" : " sum"}`, `${write(input)} → ${write(output)}`);
  element.title = `${own ? "" : "In all: "}${write(input)} tokens in, ${write(output)} out`;
  return element;
}

function barCell(marks) {
  const element = cell("bars");
  element.append(...marks);
  return element;
}

function operationBars(i) {
  const state = operations.state[i];
  const [start, end] = [operations.start[i], operations.end[i]];
  const marks = [];
  if (end >= axis.start && start <= axis.end) {
    const left = Math.max(axis.x(start), -20);
    const bar = hued(make("span", `bar ${STATES[state]}`), operations.kind[i]);
    bar.style.left = `${Math.min(left, axis.width - 2)}px`;
    bar.style.width = `${Math.max(Math.min(axis.x(end), axis.width + 20) - left, 2)}px`;
    marks.push(bar);
  }
  const taken = new Set();
  for (const event of events.inside.get(i) || []) {
    const x = Math.round(axis.x(events.time[event]) / 3) * 3;
    if (x < 0 || x > axis.width || taken.has(x)) continue;
    taken.add(x);
    if (taken.size > 150) break;
    const spot = hued(make("span", "spot"), events.lane[event]);
    spot.style.left = `${x}px`;
    marks.push(spot);
  }
  for (const [time] of data.operations[i][8].emits || []) {
    const x = axis.x(time);
    if (x < 0 || x > axis.width) continue;
    const mark = make("span", "emit");
    mark.style.left = `${x}px`;
    marks.push(mark);
  }
  return marks;
}

const LEVELS = ["", " warned", " failed"];

function eventRow(i, place) {
  const event = eventAt(i);
  const row = make("div", `row${LEVELS[event.level]}`);
  row.id = `event-${i}`;
  row.setAttribute("role", "row");
  row.setAttribute("aria-rowindex", String(place + 1));
  const name = cell("name");
  name.style.paddingLeft = "20px";
  name.append(kindBadge(event.lane, LANES[event.lane]), make("span", "label", ...marked(visible(event.text) || event.action)), make("span", "hint", eventHint(event)));
  const where = cell("number second", event.operation < 0 ? "" : visible(operations.name[event.operation]));
  where.title = event.link === HEURISTIC ? "probably: by process and time alone" : "";
  if (event.link === HEURISTIC) where.prepend("~ ");
  row.append(name, cell("number first", since(event.time, 1)), where, barCell(eventBars(i)));
  return row;
}

function eventHint(event) {
  const { mode, count } = event.facts;
  return visible([mode, Number(count) > 1 ? `${count} times` : ""].filter(Boolean).join(", "));
}

function eventBars(i) {
  const x = axis.x(events.time[i]);
  if (x < 0 || x > axis.width) return [];
  const spot = hued(make("span", "spot event"), events.lane[i]);
  spot.style.left = `${x}px`;
  return [spot];
}
