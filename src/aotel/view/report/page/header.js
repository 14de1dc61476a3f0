// What stands above the board: the command, how it ended, numbers of the whole run, and the switches.

function buildHeader() {
  const { run, totals } = data;
  const command = visible((run.command || []).map(quoted).join(" ") || run.name || "Run");
  byId("command").textContent = command;
  byId("command").title = command;
  document.title = `${command.slice(0, 80)} · aotel report`;
  byId("badges").append(...[exitBadge(run), chainBadge(data.chain)].filter(Boolean));
  const agents = Object.keys(totals.agents);
  const line = [
    data.start > 0 && clock(run.started ?? data.start, true), run.pods && `pod ${run.pods.join(", ")}`,
    agents.length > 0 && `agent${agents.length > 1 ? "s" : ""} ${agents.slice(0, 5).join(", ")}${agents.length > 5 ? ` and ${agents.length - 5} more` : ""}`,
    `${many(totals.entries, "entry", "entries")}`, `aotel ${data.aotel}`,
  ];
  byId("byline").append(...line.filter(Boolean).map((text) => make("span", "", visible(text))));
  byId("tiles").append(...tiles(run, totals));
  for (const note of data.notes) byId("run-notes").append(make("li", "", icon("warnings"), visible(note)));
  byId("run-notes").hidden = data.notes.length === 0;
}

const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function badge(name, look, text, title = "") {
  const element = make("span", `badge ${look}`, icon(name), visible(text));
  element.title = visible(title);
  return element;
}

function exitBadge(run) {
  if (run.status === undefined) {
    if (run.state === "failed") return badge("failed", "error", "not started", run.message);
    return run.state ? badge("open", "warning", "not finished", "The run has no end in its record") : null;
  }
  const why = [run.signal, run.reason].filter(Boolean).join(", ");
  return badge(run.status === 0 ? "ok" : "failed", run.status === 0 ? "ok" : "error", `exit ${run.status}${why ? ` · ${why}` : ""}`, run.message || "");
}

function chainBadge(chain) {
  if (chain.state === "verified") return badge("chain", "ok", "chain verified", chain.text);
  if (chain.state === "broken") return badge("chain", "error", `chain broken at ${chain.where}`, chain.text);
  return chain.state === "unknown" ? badge("chain", "warning", "chain not verified", chain.text) : badge("chain", "", "no chain", chain.text);
}

function tile(number, label, look = "", act = null, title = "") {
  const element = act ? button(`tile ${look}`, "", act) : make("div", `tile ${look}`);
  element.append(make("b", "", number), make("small", "", label));
  if (title) element.title = title;
  return element;
}

function tiles(run, totals) {
  const { tokens } = totals;
  const took = run.started !== undefined && run.ended !== undefined ? run.ended - run.started : data.length;
  const made = [tile(duration(took), "duration"), tile(counted(totals.operations), operationsLabel(totals), "", () => showTab("operations"))];
  if (tokens.input !== undefined || tokens.output !== undefined) {
    const cached = tokens.cache_read ? ` · ${compact(tokens.cache_read)} cached` : "";
    made.push(tile(`${compact(tokens.input || 0)} → ${compact(tokens.output || 0)}`, `tokens in → out${cached}`, "", null, models()));
  }
  made.push(tile(counted(totals.errors), totals.errors === 1 ? "error" : "errors", totals.errors ? "error" : "none", () => showErrors()));
  for (const [name, label, look] of [["files", "files", ""], ["hosts", "hosts", ""], ["violations", "violations", "error"], ["artifacts", "artifacts", ""]]) {
    const lane = { hosts: "network" }[name] || name;
    if (totals[name] > 0) made.push(tile(counted(totals[name]), totals[name] === 1 ? label.slice(0, -1) : label, look, () => listLane(lane)));
  }
  return made;
}

function operationsLabel(totals) {
  const open = totals.open > 0 ? ` · ${counted(totals.open)} unfinished` : "";
  return `${totals.operations === 1 ? "operation" : "operations"}${open}`;
}

const models = () => data.models.map(([name, calls, failed, input, output, ms]) =>
  visible(`${name}: ${many(calls, "call")}${failed ? `, ${failed} failed` : ""}, ${counted(input)} → ${counted(output)} tokens, ${duration(ms)}`)).join("\n");

function buildSwitches() {
  for (const [id, name] of [["collapse", "collapse"], ["expand", "expand"], ["zoom-out", "minus"], ["zoom-in", "plus"], ["zoom-fit", "fit"], ["theme", "theme"]]) byId(id).append(icon(name));
  byId("errors-only").append(icon("failed", "state failed"), "Errors only");
  const select = byId("agent");
  select.append(new Option("All agents", "-1"), ...data.agents.map((name, i) => new Option(visible(name), String(i))));
  select.hidden = data.agents.length === 0 || (data.agents.length === 1 && operations.agent.every((agent) => agent === 0));
  select.addEventListener("change", () => setFilter({ agent: Number(select.value) }));
  byId("errors-only").addEventListener("click", () => setFilter({ errors: !filters.errors }));
  byId("search").addEventListener("input", () => setFilter({ text: byId("search").value }));
  byId("collapse").addEventListener("click", () => foldAll(true));
  byId("expand").addEventListener("click", () => foldAll(false));
  byId("zoom-in").addEventListener("click", () => axis.zoom(0.5));
  byId("zoom-out").addEventListener("click", () => axis.zoom(2));
  byId("zoom-fit").addEventListener("click", () => axis.fit());
  byId("tab-operations").addEventListener("click", () => showTab("operations"));
  byId("tab-events").addEventListener("click", () => showTab("events"));
  byId("tab-operations").parentElement.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    showTab(filters.tab === "operations" ? "events" : "operations");
    byId(`tab-${filters.tab}`).focus();
  });
  byId("tab-operations").lastElementChild.textContent = compact(operations.count);
  byId("tab-events").lastElementChild.textContent = compact(events.count);
}

function buildChips() {
  const [names, labels, numberOf] = filters.tab === "operations"
    ? [Object.keys(KINDS).filter((name) => data.totals.kinds[name]), KINDS, (name) => data.totals.kinds[name]]
    : [lanes, LANES, (name) => events.lanes[name].length];
  const off = filters.off[filters.tab];
  byId("chips").replaceChildren(...names.map((name) => {
    const chip = hued(button("chip", "", () => toggleKind(name, names), icon(name), labels[name], make("i", "", compact(numberOf(name)))), name);
    chip.setAttribute("aria-pressed", String(!off.has(name)));
    chip.title = "Click: hide or show. Double click: this one alone.";
    chip.addEventListener("dblclick", () => onlyKind(name, names));
    return chip;
  }));
}

function toggleKind(name) {
  const off = filters.off[filters.tab];
  if (!off.delete(name)) off.add(name);
  setFilter({});
  for (const chip of byId("chips").children) if (chip.style.getPropertyValue("--hue") === `var(--${name})`) chip.setAttribute("aria-pressed", String(!off.has(name)));
}

function onlyKind(name, names) {
  filters.off[filters.tab] = new Set(names.filter((other) => other !== name));
  setFilter({});
  buildChips();
}

function showErrors() {
  showTab("operations");
  setFilter({ errors: true });
}

function showTab(tab) {
  filters.tab = tab;
  for (const name of ["operations", "events"]) {
    byId(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
    byId(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
  }
  const heads = tab === "operations" ? ["Operation", "Duration", "Tokens"] : ["Event", "At", "Operation"];
  ["head-name", "head-first", "head-second"].forEach((id, place) => (byId(id).textContent = heads[place]));
  const box = byId("list");
  box.setAttribute("role", tab === "operations" ? "treegrid" : "grid");
  box.setAttribute("aria-label", tab === "operations" ? "Operations" : "Events");
  box.scrollTop = 0;
  for (const id of ["collapse", "expand"]) byId(id).disabled = tab !== "operations";
  buildChips();
  setFilter({});
}

function showCounts() {
  const total = filters.tab === "operations" ? operations.count : events.count;
  byId("found").textContent = filters.active ? `${counted(filters.found)} of ${counted(total)}` : "";
  byId("errors-only").setAttribute("aria-pressed", String(filters.errors));
  const nothing = byId("nothing");
  nothing.hidden = filters.rows.length > 0;
  nothing.textContent = total > 0 ? "Nothing fits the search and the filters. Esc in the search clears them."
    : filters.tab === "operations" ? "No operations were recorded in this run." : "Nothing of the machine was recorded in this run.";
}
