// What the page knows: the data of the run, as columns that thousands of rows are quickly looked up in.

const data = JSON.parse(byId("data").textContent);
byId("data").remove();

const OK = 0, FAILED = 1, STOPPED = 2, OPEN = 3;
const STATES = ["ok", "failed", "stopped", "open"];
const EXACT = 1, HEURISTIC = 2;

const KINDS = {
  session: "Session", agent: "Agent", delegation: "Delegation", llm: "Model", tool: "Tool", retrieval: "Retrieval",
  memory: "Memory", decision: "Decision", step: "Step", human: "Human", operation: "Operation",
};
const LANES = {
  processes: "Processes", files: "Files", network: "Network", dns: "DNS", violations: "Violations",
  warnings: "Warnings", artifacts: "Artifacts", notes: "Notes",
};

const operations = readOperations(data.operations);
const events = readEvents(data.events);

function readOperations(rows) {
  const n = rows.length;
  const columns = {
    count: n, parent: new Int32Array(n), depth: new Int32Array(n), after: new Int32Array(n), start: new Float64Array(n),
    end: new Float64Array(n), state: new Uint8Array(n), faults: new Int32Array(n), input: new Float64Array(n),
    output: new Float64Array(n), kind: new Array(n), name: new Array(n), agent: new Int32Array(n), deepest: 0,
  };
  for (let i = 0; i < n; i += 1) {
    const [parent, kind, name, start, took, state, agent, , facts] = rows[i];
    columns.parent[i] = parent;
    columns.depth[i] = parent < 0 ? 0 : columns.depth[parent] + 1;
    columns.deepest = Math.max(columns.deepest, columns.depth[i]);
    columns.after[i] = i + 1;
    columns.kind[i] = Object.hasOwn(KINDS, kind) ? kind : "operation";
    columns.name[i] = name;
    columns.start[i] = start;
    columns.end[i] = took === null ? Math.max(data.length, start) : start + took;
    columns.state[i] = state;
    columns.agent[i] = agent;
    columns.input[i] = facts.input || 0;
    columns.output[i] = facts.output || 0;
  }
  for (let i = n - 1; i >= 0; i -= 1) { // a child stands behind its parent: sums go upwards in one pass
    const parent = columns.parent[i];
    if (parent < 0) continue;
    columns.after[parent] = Math.max(columns.after[parent], columns.after[i]);
    columns.faults[parent] += columns.faults[i] + (columns.state[i] === FAILED ? 1 : 0);
    columns.input[parent] += columns.input[i];
    columns.output[parent] += columns.output[i];
  }
  return columns;
}

function readEvents(rows) {
  const n = rows.length;
  const columns = {
    count: n, time: new Float64Array(n), operation: new Int32Array(n), level: new Uint8Array(n), lane: new Array(n),
    inside: new Map(), lanes: {},
  };
  for (let i = 0; i < n; i += 1) {
    const [lane, , time, operation, , level] = rows[i];
    columns.time[i] = time;
    columns.operation[i] = operation;
    columns.level[i] = level;
    columns.lane[i] = lane;
    (columns.lanes[lane] ??= []).push(i);
    if (operation < 0) continue;
    if (!columns.inside.has(operation)) columns.inside.set(operation, []);
    columns.inside.get(operation).push(i);
  }
  return columns;
}

// Everything that is told of one operation; texts that many share stand in a table.
function factsOf(i) {
  const [, , , , took, , , shared, facts] = data.operations[i];
  const all = { ...facts, took };
  for (const [name, number] of Object.entries(shared)) all[name] = data.strings[number];
  all.agent = operations.agent[i] < 0 ? "" : data.agents[operations.agent[i]];
  return all;
}

function eventAt(i) {
  const [lane, action, time, operation, link, level, pid, text, facts] = data.events[i];
  return { lane, action, time, operation, link, level, pid, text, facts: facts || {} };
}

const hasChildren = (i) => operations.after[i] > i + 1;

// What is searched, in lower case; made once for each row, when the browser has nothing else to do.
const haystacks = { operations: new Array(operations.count), events: new Array(events.count) };

function haystack(what, i) {
  return (haystacks[what][i] ??= (what === "operations" ? operationText(i) : eventText(i)).toLowerCase());
}

function operationText(i) {
  const parts = [operations.name[i], KINDS[operations.kind[i]]];
  const collect = (value) => {
    if (typeof value === "string") parts.push(value);
    else if (Array.isArray(value)) value.forEach(collect);
    else if (value && typeof value === "object") Object.entries(value).forEach(collect);
  };
  const { framework, ...facts } = factsOf(i);
  collect(Object.values(facts));
  return parts.join("\n");
}

function eventText(i) {
  const event = eventAt(i);
  const operation = event.operation < 0 ? "" : operations.name[event.operation];
  return [event.text, LANES[event.lane], event.action, event.pid ?? "", operation, ...Object.entries(event.facts).flat()].join("\n");
}

function prepareSearch() {
  let i = 0;
  const total = operations.count + events.count;
  const some = (deadline) => {
    while (i < total && deadline.timeRemaining() > 2) {
      for (const stop = Math.min(i + 50, total); i < stop; i += 1) {
        if (i < operations.count) haystack("operations", i);
        else haystack("events", i - operations.count);
      }
    }
    if (i < total) whenIdle(some);
  };
  whenIdle(some);
}

const whenIdle = (act) =>
  window.requestIdleCallback ? requestIdleCallback(act) : setTimeout(() => act({ timeRemaining: () => (act.turns = (act.turns || 0) + 1) % 20 }), 50);
