// The list: only the rows that are seen are in the page, however many there are.

const ROW = 28;
const list = { drawn: new Map(), selected: null, related: -1 };
const TALLEST = 8e6; // pixels that browsers can be trusted with: beyond, a scroll step skips rows

const scale = () => Math.max((filters.rows.length * ROW) / TALLEST, 1);

function listChanged() {
  const box = byId("list");
  byId("rows").style.height = `${Math.min(filters.rows.length * ROW, TALLEST)}px`;
  box.setAttribute("aria-rowcount", String(filters.rows.length));
  list.drawn.forEach((row) => row.remove());
  list.drawn.clear();
  drawRows();
  showCounts();
}

function drawRows() {
  const box = byId("list");
  const { rows } = filters;
  const offset = box.scrollTop * (scale() - 1);
  const first = Math.max(Math.floor((box.scrollTop + offset) / ROW) - 4, 0);
  const last = Math.min(first + Math.ceil(box.clientHeight / ROW) + 8, rows.length);
  for (const [place, row] of list.drawn) {
    if (place >= first && place < last) continue;
    row.remove();
    list.drawn.delete(place);
  }
  for (let place = last - 1; place >= first; place -= 1) { // from below, so that each finds the one that follows it
    let row = list.drawn.get(place);
    if (!row) {
      row = filters.tab === "operations" ? operationRow(rows[place], place) : eventRow(rows[place], place);
      row.dataset.place = String(place);
      list.drawn.set(place, row);
      byId("rows").insertBefore(row, list.drawn.get(place + 1) ?? null);
    }
    row.style.top = `${place * ROW - offset}px`;
  }
  markRows();
}

// Bars move when the axis does; the rest of a row stays as it is.
function drawBars() {
  for (const [place, row] of list.drawn) {
    const i = filters.rows[place];
    row.querySelector(".bars").replaceChildren(...(filters.tab === "operations" ? operationBars(i) : eventBars(i)));
  }
}

function markRows() {
  const box = byId("list");
  box.removeAttribute("aria-activedescendant");
  for (const [place, row] of list.drawn) {
    const isSelected = isListed() && filters.rows[place] === list.selected.i;
    row.classList.toggle("selected", isSelected);
    row.classList.toggle("related", filters.tab === "operations" && filters.rows[place] === list.related);
    row.setAttribute("aria-selected", String(isSelected));
    if (isSelected) box.setAttribute("aria-activedescendant", row.id);
  }
}

// Is what is selected of the kind that is listed?
const isListed = () => list.selected !== null && list.selected.what === filters.tab;

function placeOf(i) { // rows are in rising order
  let low = 0;
  let high = filters.rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (filters.rows[middle] === i) return middle;
    if (filters.rows[middle] < i) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

function scrollTo(place) {
  if (place < 0) return;
  const box = byId("list");
  const top = (place * ROW) / scale();
  if (top < box.scrollTop) box.scrollTop = Math.max(top - ROW, 0);
  else if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + 2 * ROW - box.clientHeight;
  drawRows();
}

function select(what, i, { reveal = true } = {}) {
  list.selected = { what, i };
  list.related = what === "events" ? events.operation[i] : -1;
  if (reveal) {
    const [start, end] = selectedSpan();
    axis.reveal(start, end);
  }
  const shown = what === "operations" ? i : events.operation[i];
  if (filters.tab === "operations" && shown >= 0) unfoldTo(shown);
  if (filters.tab === what) scrollTo(placeOf(i));
  else if (filters.tab === "operations" && shown >= 0) scrollTo(placeOf(shown));
  markRows();
  showDetail();
  axis.tell();
}

function selectedSpan() {
  if (list.selected === null) return null;
  const { what, i } = list.selected;
  return what === "operations" ? [operations.start[i], operations.end[i]] : [events.time[i], events.time[i]];
}

function deselect() {
  list.selected = null;
  list.related = -1;
  markRows();
  showDetail();
  axis.tell();
}

function step(by) {
  if (filters.rows.length === 0) return;
  const place = isListed() ? placeOf(list.selected.i) : filters.tab === "operations" ? placeOf(list.related) : -1;
  const next = place < 0 && Number.isFinite(by) ? 0 : Math.min(Math.max(place + by, 0), filters.rows.length - 1);
  select(filters.tab, filters.rows[next]);
}

// The next row that was searched for, or the next error if nothing is.
function stepMatch(by) {
  const { rows, tab } = filters;
  const wanted = (i) => tab === "events" ? filters.active || events.level[i] > 0
    : filters.active ? filters.marks[i] === MATCH : operations.state[i] === FAILED;
  let place = isListed() ? placeOf(list.selected.i) : by > 0 ? -1 : rows.length;
  for (let tried = 0; tried < rows.length; tried += 1) {
    place = (place + by + rows.length) % rows.length;
    if (wanted(rows[place])) {
      select(tab, rows[place]);
      return;
    }
  }
}

function watchList() {
  const box = byId("list");
  box.addEventListener("scroll", drawRows, { passive: true });
  box.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    const i = filters.rows[Number(row.dataset.place)];
    if (event.target.closest(".twist")) toggleFold(i);
    else select(filters.tab, i, { reveal: false });
  });
  box.addEventListener("dblclick", (event) => {
    if (event.target.closest(".row") && !event.target.closest(".twist")) axis.focus(...selectedSpan());
  });
}
