// The pane beside the list: everything there is to say of one operation, or of one event.

const LISTED = 200; // events of one operation that the pane names

function showDetail() {
  const pane = byId("detail");
  const wasHidden = pane.hidden;
  pane.hidden = list.selected === null;
  if (!pane.hidden) {
    const { what, i } = list.selected;
    pane.replaceChildren(...(what === "operations" ? operationDetail(i) : eventDetail(i)).filter(Boolean));
    pane.scrollTop = 0;
  }
  document.documentElement.toggleAttribute("data-detail", !pane.hidden);
  if (wasHidden !== pane.hidden) measure();
}

function heading(name, label, title, subtitle) {
  const closing = button("quiet", "Close the details", closeDetail, icon("close"));
  closing.title = "Close (Esc)";
  return make("div", "top-line", kindBadge(name, label), make("h2", "", visible(title), make("small", "", subtitle)), closing);
}

function closeDetail() {
  deselect();
  byId("list").focus();
}

function section(title, ...content) {
  const told = content.filter(Boolean);
  return told.length > 0 ? make("section", "", make("h3", "", title), ...told) : null;
}

function facts(pairs, className = "facts") {
  const told = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (told.length === 0) return null;
  const element = make("dl", className);
  for (const [name, value] of told) element.append(make("dt", "", name), make("dd", "", value instanceof Node ? value : visible(value)));
  return element;
}

function block(text, name = "") {
  const element = make("pre", "text");
  element.tabIndex = 0;
  if (name) element.append(make("span", "of", visible(name)));
  element.append(...marked(visible(pretty(text))));
  return element;
}

// JSON is laid out; anything else is left as it was written.
function pretty(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function link(i) {
  return button("link", "", () => select("operations", i), visible(operations.name[i]));
}

function operationDetail(i) {
  const told = factsOf(i);
  const state = operations.state[i];
  const inputs = [...(told.args || []).map((text) => block(text)), ...Object.entries(told.kwargs || {}).map(([name, text]) => block(text, name))];
  return [
    heading(operations.kind[i], KINDS[operations.kind[i]], operations.name[i], subtitle(i)),
    path(i),
    trouble(told, state),
    tokens(told),
    facts([
      ["Started", `${since(operations.start[i], 1)} · ${clock(data.start + operations.start[i])}`],
      ["Took", state === OPEN ? "unfinished: the log has no end of it" : duration(told.took)],
      ["First chunk", told.first_chunk === undefined ? "" : duration(told.first_chunk)],
      ["Model", told.asked_model && told.asked_model !== told.model ? `${told.model} (asked for: ${told.asked_model})` : told.model],
      ["Provider", told.provider],
      ["Finished by", told.finish],
      ["Tool", told.tool],
      ["Query", told.query],
      ["Documents", told.documents === undefined ? "" : counted(told.documents)],
      ["Agent", [told.agent, told.role && `(${told.role})`].filter(Boolean).join(" ")],
      ["Process", told.pid],
      ["Forked", told.forked ? "another process ended the same span" : ""],
    ]),
    actionsFor(i),
    section("Input", ...inputs),
    section("Output", told.result && block(told.result)),
    section("Captured", ...Object.entries(told.captured || {}).map(([name, text]) => block(text, name))),
    section("Events inside", emits(told)),
    happened(i),
    section("Identity", facts([
      ["Claim", told.claim], ["Claim id", told.claim_id], ["Fingerprint", told.fingerprint], ["User", told.uid],
      ["Pod", told.pod_id], ["Content", told.capture], ["Framework", told.framework],
    ], "facts")),
    section("Ids", facts([
      ["Trace", told.trace_id], ["Span", told.span_id], ["Parent", told.parent_span_id], ["Run", told.run_id],
      ["Session", told.session_id], ["Step", told.step_id], ["Producer", told.producer], ["Response", told.response_id], ["Call", told.call_id],
    ], "facts ids")),
  ];
}

function subtitle(i) {
  const inside = operations.after[i] - i - 1;
  const state = { [FAILED]: "failed", [STOPPED]: "stopped", [OPEN]: "unfinished" }[operations.state[i]];
  return [KINDS[operations.kind[i]], state, inside > 0 && many(inside, "operation inside", "operations inside")].filter(Boolean).join(" · ");
}

function path(i) {
  const parents = [];
  for (let parent = operations.parent[i]; parent >= 0; parent = operations.parent[parent]) parents.unshift(parent);
  if (parents.length === 0) return null;
  const element = make("nav", "path");
  element.setAttribute("aria-label", "Inside of");
  element.append(...parents.slice(-8).map(link));
  return element;
}

function trouble(told, state) {
  if (state !== FAILED && state !== STOPPED) return null;
  const title = state === STOPPED ? `${told.outcome || "stopped"}${told.error ? ` (${told.error})` : ""}` : told.error || "failed";
  return make("div", `trouble ${STATES[state]}`, make("b", "", visible(title)), told.message ? make("p", "", ...marked(visible(told.message))) : null);
}

function tokens(told) {
  const known = [["input", "tokens in"], ["output", "out"], ["cache_read", "from cache"], ["cache_write", "to cache"], ["reasoning", "reasoning"]]
    .filter(([name]) => told[name] !== undefined);
  return known.length === 0 ? null : make("div", "tokens", ...known.map(([name, label]) => make("div", "", make("b", "", counted(told[name])), make("small", "", label))));
}

function actionsFor(i) {
  const element = make("div", "actions", button("", "", () => axis.focus(operations.start[i], operations.end[i]), "Zoom to it"));
  if (hasChildren(i)) element.append(button("", "", () => toggleFold(i), filters.folded().has(i) ? "Expand" : "Collapse"));
  return element;
}

function emits(told) {
  if (!told.emits) return null;
  const element = make("ul", "happened");
  for (const [time, tag, text] of told.emits) {
    element.append(make("li", "", make("time", "", since(time, 1)), hued(icon("decision"), "muted"), make("span", "", visible(tag), text ? make("div", "mono", ...marked(visible(pretty(text)))) : null)));
  }
  if (told.more_emits) element.append(make("li", "", make("time", "", ""), "", make("span", "muted", `and ${counted(told.more_emits)} more`)));
  return element;
}

function happened(i) {
  const inside = events.inside.get(i);
  if (!inside) return null;
  const element = make("ul", "happened");
  for (const number of inside.slice(0, LISTED)) {
    const event = eventAt(number);
    const what = button("link", "", () => select("events", number), visible(event.text) || event.action);
    const hint = eventHint(event);
    const text = make("span", "", what, hint ? make("span", "muted", ` ${hint}`) : null, event.link === HEURISTIC ? " " : null, event.link === HEURISTIC ? make("span", "tag heuristic", "heuristic") : null);
    element.append(make("li", "", make("time", "", since(event.time, 1)), hued(icon(event.lane), event.lane), text));
  }
  if (inside.length > LISTED) element.append(make("li", "", make("time"), make("span"), make("span", "muted", `and ${counted(inside.length - LISTED)} more`)));
  return section(`On the machine (${counted(inside.length)})`, element);
}

function eventDetail(i) {
  const event = eventAt(i);
  const inside = event.operation < 0 ? null : link(event.operation);
  const how = event.link === HEURISTIC ? make("span", "tag heuristic", "heuristic: by process and time alone") : inside && make("span", "tag", "exact: by span id");
  return [
    heading(event.lane, LANES[event.lane], event.text || event.action, `${LANES[event.lane]} · ${event.action.replaceAll("_", " ")}`),
    facts([
      ["When", `${since(event.time, 1)} · ${clock(data.start + event.time)}`],
      ["In", inside && make("span", "", inside, " ", how)],
      ["Process", event.pid],
    ]),
    section("Details", facts(Object.entries(event.facts), "facts ids")),
  ];
}
