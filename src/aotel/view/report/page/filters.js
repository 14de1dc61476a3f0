// What is listed: search, kinds, errors, agent, and what is collapsed. The rest of the page asks here.

const MATCH = 1, CONTEXT = 2;

const filters = {
  tab: "operations", text: "", terms: [], errors: false, agent: -1,
  off: { operations: new Set(), events: new Set() }, // kinds and lanes that are switched off
  collapsed: new Set(),
  closed: new Set(), // collapsed while something is searched: forgotten with the search
  marks: new Uint8Array(operations.count),
  rows: new Int32Array(0), // what is listed, in order
  found: 0,
  get active() {
    return this.terms.length > 0 || this.errors || this.agent >= 0 || this.off[this.tab].size > 0;
  },
  folded() { return this.active ? this.closed : this.collapsed; },
};

function setFilter(changes) {
  Object.assign(filters, changes);
  if ("text" in changes) filters.terms = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  filters.closed.clear();
  applyFilters();
}

function applyFilters() {
  filters.rows = filters.tab === "operations" ? listedOperations() : listedEvents();
  listChanged();
}

function fits(what, i) {
  if (filters.terms.length === 0) return true;
  const text = haystack(what, i);
  return filters.terms.every((term) => text.includes(term));
}

function operationMatches(i) {
  return !filters.off.operations.has(operations.kind[i])
    && (!filters.errors || operations.state[i] === FAILED)
    && (filters.agent < 0 || operations.agent[i] === filters.agent)
    && fits("operations", i);
}

function listedOperations() {
  const { marks } = filters;
  marks.fill(filters.active ? 0 : MATCH);
  filters.found = operations.count;
  if (filters.active) {
    filters.found = 0;
    for (let i = operations.count - 1; i >= 0; i -= 1) { // from below: whoever matches holds its parents
      if (operationMatches(i)) {
        marks[i] = MATCH;
        filters.found += 1;
      }
      const parent = operations.parent[i];
      if (marks[i] && parent >= 0 && !marks[parent]) marks[parent] = CONTEXT;
    }
  }
  return unfolded();
}

function unfolded() {
  const rows = [];
  const folded = filters.folded();
  for (let i = 0; i < operations.count;) {
    if (filters.marks[i]) rows.push(i);
    i = !filters.marks[i] || folded.has(i) ? operations.after[i] : i + 1;
  }
  return Int32Array.from(rows);
}

function listedEvents() {
  const rows = [];
  for (let i = 0; i < events.count; i += 1) {
    if (filters.off.events.has(events.lane[i]) || (filters.errors && events.level[i] === 0)) continue;
    const operation = events.operation[i];
    if (filters.agent >= 0 && (operation < 0 || operations.agent[operation] !== filters.agent)) continue;
    if (fits("events", i)) rows.push(i);
  }
  filters.found = rows.length;
  return Int32Array.from(rows);
}

function toggleFold(i, fold = !filters.folded().has(i)) {
  if (!hasChildren(i)) return;
  if (fold) filters.folded().add(i);
  else filters.folded().delete(i);
  filters.rows = unfolded();
  listChanged();
}

function foldAll(fold) {
  const folded = filters.folded();
  folded.clear();
  if (fold) for (let i = 0; i < operations.count; i += 1) if (hasChildren(i)) folded.add(i);
  filters.rows = unfolded();
  listChanged();
}

// A long run opens as deep as can be taken in at a glance.
function foldAtFirst(glance = 400) {
  const depths = new Int32Array(operations.deepest + 1);
  for (const depth of operations.depth) depths[depth] += 1;
  let shown = 0;
  let depth = 0;
  while (depth < depths.length && (depth === 0 || shown + depths[depth] <= glance)) shown += depths[depth++];
  for (let i = 0; i < operations.count; i += 1) if (operations.depth[i] === depth - 1 && hasChildren(i)) filters.collapsed.add(i);
}

function unfoldTo(i) {
  const folded = filters.folded();
  let changed = false;
  for (let parent = operations.parent[i]; parent >= 0; parent = operations.parent[parent]) changed = folded.delete(parent) || changed;
  if (!changed || filters.tab !== "operations") return;
  filters.rows = unfolded();
  listChanged();
}
