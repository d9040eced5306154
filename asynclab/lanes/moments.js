// What happens at each moment of a recording that has ended, and what each lane does then. Nothing
// is recorded for this: all of it is read from the spans.

const MOST_NAMES = 3, MOST_LANES = 6;

// A call that left the lane where it was made.
function isHop(span) {
  return span.sentLane !== NONE && span.sentLane !== span.lane;
}

// Everything that happens, by its moment: [what, span], in the order of the spans.
function eventsOf(store) {
  const events = new Map();
  const add = (at, what, span) => {
    if (at === NONE) return;
    if (!events.has(at)) events.set(at, []);
    events.get(at).push([what, span]);
  };
  for (const span of store.spans) {
    if (!span) continue;
    if (isHop(span)) add(span.sentAt, "sent", span);
    add(span.start, "begins", span);
    for (let i = 1; i + 1 < span.runs.length; i += 2) {
      add(span.runs[i], "awaits", span);
      add(span.runs[i + 1], "goes on", span);
    }
    add(span.end, "ends", span);
    if (isHop(span) && span.backLane !== NONE) add(span.backAt, "back", span);
  }
  return events;
}

// Moments in order, each once.
function inOrder(moments) {
  return Float64Array.from(new Set(moments)).sort();
}

// The moments of the hops alone: a call is sent, begins, ends, and its result is taken up.
function hopMoments(store) {
  return store.hops.filter(isHop)
    .flatMap((span) => [span.sentAt, span.start, span.end, span.backAt])
    .filter((at) => at !== NONE);
}

// Index of the last moment that is not after `at`, or -1.
function lastMoment(moments, at) {
  let low = 0, high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// --- what a lane does

// When the step began in which a span is at a moment; NONE if it awaits.
function stepAt(span, at) {
  if (!span.runs.length) return span.start;
  const run = 2 * lastRun(span.runs, at);
  return run >= 0 && at < span.runs[run + 1] ? span.runs[run] : NONE;
}

// What lies open on a lane at a moment, one a row.
function openOn(lane, at) {
  return lane.rows.map((row) => row[last(row, at)])
    .filter((span) => span && (span.end === NONE || at < span.end));
}

// What a thread does is what began last on it: each thing lies inside the one that began before.
// A span named by `with span(...)` may be of a task that awaits, so it counts only if it began in
// the step that is on.
function doing(lane, queue, at) {
  const open = openOn(lane, at);
  const named = open.filter((span) => span.kind === "span");
  const rest = open.filter((span) => span.kind !== "span");
  const since = (span) => Math.max(span.start, stepAt(span, at));
  const later = (one, other) => (one && since(one) > since(other) ? one : other);
  const top = rest.reduce(later, null);
  const queued = queue.length;
  if (top && stepAt(top, at) === NONE) {
    const tasks = rest.filter((span) => stepAt(span, at) === NONE);
    return { state: "awaiting", spans: tasks, queued };
  }
  if (top?.kind === "wait") return { state: "waiting", spans: [top], queued };
  const inner = named.filter((span) => !top || span.start >= since(top)).reduce(later, top);
  if (inner) return { state: "running", spans: [inner], queued };
  return queued ? { state: "queued", spans: queue, queued: 0 } : { state: "idle", spans: [], queued };
}

// What each lane does at a moment, by the lane's index.
function doings(store, at) {
  const queues = store.lanes.map(() => []);
  for (const span of store.hops) {
    if (isHop(span) && span.sentAt <= at && at < span.start) queues[span.lane].push(span);
  }
  return store.lanes.map((lane, i) => doing(lane, queues[i], at));
}

// --- in words

function names(spans) {
  const counts = new Map();
  for (const span of spans) {
    const name = span.name;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const all = [...counts].map(([name, count]) => (count > 1 ? `${name} ×${count}` : name));
  const more = all.length - MOST_NAMES;
  return all.slice(0, MOST_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

// "running count_books, 4 queued"
function doingWords({ state, spans, queued }) {
  const what = names(spans);
  const words = {
    running: `running ${what}`,
    waiting: `waiting in ${what}`,
    awaiting: `awaiting (${what})`,
    queued: `queued: ${what}`,
    idle: "idle",
  }[state];
  return queued ? `${words}, ${queued} queued` : words;
}

// What happens at a moment, a sentence each; nothing between two moments.
function happenings(store, events) {
  const taken = new Set(events.filter(([what]) => what === "back").map(([, span]) => span.parent));
  return events
    .filter(([what, span]) => !(what === "goes on" && taken.has(span.index)))
    .map(([what, span]) => happening(store, what, span));
}

function happening(store, what, span) {
  const name = span.name;
  const caller = store.spans[span.parent];
  const lane = store.lanes[span.lane].role;
  if (what === "sent") {
    return caller ? `${caller.name} sends ${name} to the ${lane}` : `${name} is sent to the ${lane}`;
  }
  if (what === "begins") return `${name} begins on the ${lane}`;
  if (what === "ends") return `${name} ends${span.failed ? ` with ${span.error}` : ""}`;
  if (what === "back") {
    return caller ? `${caller.name} goes on after ${name}` : `${name} is back`;
  }
  return `${name} ${what}`;
}

// What every lane does, those that do something first.
function lanesWords(store, found) {
  const busy = store.lanes.filter((lane, i) => found[i].state !== "idle");
  const idle = store.lanes.filter((lane, i) => found[i].state === "idle").map((lane) => lane.role);
  const told = busy.slice(0, MOST_LANES)
    .map((lane) => `${lane.role}: ${doingWords(found[lane.index])}`);
  if (busy.length > MOST_LANES) told.push(`${busy.length - MOST_LANES} more lanes at work`);
  if (idle.length > MOST_LANES) told.push(`${idle.length} lanes idle`);
  else if (idle.length) told.push(`idle: ${idle.join(", ")}`);
  return told;
}
