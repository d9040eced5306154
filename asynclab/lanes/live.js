// The live picture of a recording. Python sends what is new (feed.py says in what form); a Store
// keeps it, one a model; a View draws it, any number a model.

const AXIS = 24, ROW = 20, GAP = 3, PAD = 8, LANE_LEAST = 60, LANE_ROWS = 260;
const LEAST = 3; // a bar's least width
const TURN = 9; // how far from the call its way turns
const MANY_HOPS = 12;
const PATIENCE = 1000; // milliseconds before what was lost is asked for

class Store {
  spans = [];
  count = 0;
  lanes = [];
  hops = [];
  errors = [];
  kinds = new Set();
  awaits = false;
  now = 0;
  heard = performance.now();
  behind = 0;
  ended = false;
  summary = "";
  dropped = 0;
  least = 1000; // microseconds that the picture shows at least
  listeners = new Set();
  number = 0; // of the last message
  lacking = 0; // the last number up to which something is not here
  answer = ""; // which answer is coming in,
  parts = new Set(); // and what of it is here

  take({ number, part, rows, lanes, strings, now, behind, dropped }) {
    if (part) this.complete(number, ...part);
    else this.follow(number);
    for (const [index, role, thread, ident, native] of lanes) {
      this.lane(index, { role, thread, ident, native });
    }
    for (const row of rows) this.upsert(row, strings);
    if (now >= this.now) {
      this.now = now;
      this.heard = performance.now();
    }
    this.behind = behind;
    this.dropped = Math.max(this.dropped, dropped);
    this.tell();
  }

  // News follows news, or something was lost.
  follow(number) {
    if (number > this.number + 1) this.lacking = number - 1;
    this.number = Math.max(this.number, number);
  }

  // An answer tells all that the messages up to a number have told, once all its parts are here.
  complete(number, part, many) {
    const answer = `${number} ${many}`;
    if (this.answer !== answer) this.parts.clear();
    this.answer = answer;
    this.parts.add(part);
    if (number > this.number) this.number = this.lacking = number;
    if (this.parts.size === many && number >= this.lacking) this.lacking = 0;
  }

  lane(index, about = {}) {
    this.lanes[index] ??= { index, rows: [] };
    return Object.assign(this.lanes[index], about);
  }

  upsert(row, strings) {
    const [index, kind, name, lane, place, start, end, error, detail,
      sentLane, sentAt, backLane, backAt, parent, from] = row;
    let span = this.spans[index];
    const isNew = span === undefined;
    if (isNew) {
      span = this.spans[index] = { index, runs: [], hops: false, failed: false };
      this.count += 1;
    }
    Object.assign(span, {
      kind: strings[kind], name: strings[name], lane, place, start, end, error: strings[error],
      detail: strings[detail], sentLane, sentAt, backLane, backAt, parent,
    });
    // Of a run that was lost nothing is drawn until it comes again.
    while (row.length > 15 && span.runs.length < 2 * from) span.runs.push(row[15], row[15]);
    if (row.length > 15) span.runs.splice(2 * from, Infinity, ...row.slice(15));
    if (isNew) this.file(span);
    if (sentLane !== NONE && !span.hops) {
      span.hops = true;
      this.hops.push(span);
    }
    if (span.error && !span.failed) {
      span.failed = true;
      this.errors.push(span);
    }
    this.awaits ||= span.runs.length > 2;
  }

  // Spans of one row never overlap, so a row that is sorted by start is sorted by end too.
  file(span) {
    this.kinds.add(span.kind);
    const rows = this.lane(span.lane).rows;
    while (rows.length <= span.place) rows.push([]);
    const row = rows[span.place];
    row.push(span);
    for (let i = row.length - 1; i > 0 && row[i - 1].start > span.start; i--) {
      [row[i - 1], row[i]] = [row[i], row[i - 1]];
    }
  }

  // Whether it has ended, and all of it is here.
  get whole() { return this.ended && !this.lacking; }
  get events() { return (this.happened ??= eventsOf(this)); }

  // How long the picture is.
  length() { return Math.max(this.least, this.clock()); }

  clock() {
    return this.ended ? this.now : this.now + (performance.now() - this.heard) * 1000;
  }

  tell() { this.listeners.forEach((listener) => listener()); }
}

class View {
  // With a `Player` of its own, or as one of several pictures that share one.
  constructor(store, replay, el, alone) {
    this.store = store;
    this.replay = replay;
    this.alone = alone;
    this.window = null; // [from, to] in microseconds, or null: all of it
    this.focused = null;
    this.hovered = null;
    this.build(el);
    this.listen();
    this.replayed();
  }

  build(el) {
    this.root = el;
    el.classList.add("asynclab-lanes");
    this.status = make("span", "al-status");
    this.zooms = make("span", "al-zooms");
    const buttons = [
      ["−", "Zoom out", () => this.zoom(1.6)],
      ["+", "Zoom in", () => this.zoom(1 / 1.6)],
      ["Fit", "Show all of the recording", () => this.fit()],
    ];
    this.zooms.append(...buttons.map((words) => button(...words)));
    const bar = make("div", "al-bar");
    bar.append(this.status, this.zooms);
    this.labels = make("div", "al-labels");
    this.canvas = make("canvas", "al-canvas");
    this.plot = make("div", "al-plot");
    this.plot.append(this.canvas);
    this.inner = make("div", "al-inner");
    this.inner.append(this.labels, this.plot);
    this.scroller = make("div", "al-scroller");
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "application");
    this.scroller.setAttribute("aria-roledescription", "lanes of a recording");
    this.scroller.setAttribute("aria-label",
      "Recorded spans. Arrow keys go from span to span, Home and End to the first and the last, "
      + "plus and minus zoom, zero shows all. When the recording has ended: Space plays it again, "
      + "comma and full stop go from hop to hop.");
    this.scroller.append(this.inner);
    this.info = make("div", "al-detail");
    this.info.setAttribute("aria-live", "polite");
    this.legend = make("div", "al-legend");
    this.summary = make("p", "al-hidden");
    this.player = this.alone ? new Player(this.replay, make("div")) : null;
    el.append(bar, this.scroller, ...(this.player ? [this.player.root] : []), this.info,
      this.legend, this.summary);
    this.pen = this.canvas.getContext("2d");
    this.tellSpan();
  }

  listen() {
    const on = (target, kind, act, options) => {
      target.addEventListener(kind, act, { signal: this.ends.signal, ...options });
    };
    this.ends = new AbortController();
    on(this.scroller, "keydown", (event) => this.key(event));
    on(this.scroller, "scroll", () => this.changed());
    on(this.scroller, "focus", () => {
      if (this.focused === null) this.focus(this.first());
      this.changed();
    });
    on(this.scroller, "blur", () => this.changed());
    on(this.canvas, "wheel", (event) => this.wheel(event), { passive: false });
    on(this.canvas, "pointerdown", (event) => this.press(event));
    on(this.canvas, "pointermove", (event) => this.move(event));
    on(this.canvas, "pointerup", (event) => this.release(event));
    on(this.canvas, "pointerleave", () => this.hover(null));
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.listener = () => this.changed();
    this.store.listeners.add(this.listener);
    this.replayer = () => this.replayed();
    this.replay.listeners.add(this.replayer);
    this.resized = new ResizeObserver(() => this.changed());
    this.resized.observe(this.root);
    this.themed = new MutationObserver(() => {
      this.readColours();
      setTimeout(() => this.readColours(), 400); // the theme's style sheet may come later
    });
    this.themed.observe(document.body, { attributes: true });
  }

  end() {
    this.ended = true;
    this.ends.abort();
    this.resized.disconnect();
    this.themed.disconnect();
    this.store.listeners.delete(this.listener);
    this.replay.listeners.delete(this.replayer);
    this.player?.end();
  }

  readColours() {
    const style = getComputedStyle(this.root);
    const read = (name) => style.getPropertyValue(`--al-${name}`).trim();
    this.colours = Object.fromEntries(
      [...Object.keys(WORDS), "ink", "quiet", "rule", "paper", "band", "error", "focus"]
        .map((name) => [name, read(name)]));
    this.font = style.fontFamily;
    this.hatches = {};
    this.widths = new Map();
    this.changed();
  }

  // --- when to draw

  changed() {
    if (this.frame || this.ended) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.root.isConnected) return this.changed(); // not in the page yet: no size, no theme
      if (!this.colours) this.readColours();
      this.layOut();
      this.draw();
      // A running recording grows by itself; without motion, only when something happens.
      if (!this.store.ended && !this.calm.matches) this.changed();
    });
  }

  layOut() {
    let top = AXIS;
    for (const lane of this.store.lanes) {
      if (!lane) continue;
      const rows = Math.max(1, lane.rows.length);
      lane.row = Math.min(ROW, LANE_ROWS / rows);
      lane.top = top;
      lane.height = Math.max(LANE_LEAST, rows * lane.row + 2 * PAD);
      top += lane.height;
    }
    if (top === AXIS) top += LANE_LEAST;
    if (this.height !== top) {
      this.height = top;
      this.inner.style.height = `${top}px`;
    }
    this.headers();
    this.words();
    const wide = Math.max(50, this.plot.clientWidth);
    const high = Math.min(top, this.scroller.clientHeight || top);
    const dots = window.devicePixelRatio || 1;
    if (this.wide !== wide || this.high !== high || this.dots !== dots) {
      Object.assign(this, { wide, high, dots });
      this.canvas.width = Math.round(wide * dots);
      this.canvas.height = Math.round(high * dots);
      this.canvas.style.width = `${wide}px`;
      this.canvas.style.height = `${high}px`;
    }
  }

  headers() {
    this.heads ??= [];
    this.store.lanes.forEach((lane, i) => {
      let head = this.heads[i];
      if (!head) {
        head = this.heads[i] = make("div", "al-lane");
        head.append(make("div", "al-role", lane.role), make("div", "al-thread", lane.thread));
        const numbers = make("div", "al-ident");
        numbers.append(make("span", "", `ident ${lane.ident}`),
          make("span", "", `native ${lane.native}`));
        head.doing = make("div", "al-doing");
        head.append(numbers, head.doing);
        head.title = `${lane.role}\nthread ${lane.thread}\nident ${lane.ident} (Python)\n`
          + `native id ${lane.native} (operating system)`;
        this.labels.append(head);
      }
      if (head.drawn !== `${lane.top} ${lane.height}`) {
        head.drawn = `${lane.top} ${lane.height}`;
        head.style.top = `${lane.top}px`;
        head.style.height = `${lane.height}px`;
      }
      const found = this.found?.[i];
      if (!found) return;
      head.doing.dataset.doing = found.state;
      head.doing.title = doingWords(found);
      say(head.doing, head.doing.title);
    });
  }

  words() {
    const { store, root } = this;
    const state = store.ended ? "ended" : "live";
    root.dataset.spans = store.count;
    root.dataset.lanes = store.lanes.length;
    if (root.dataset.state !== state) root.dataset.state = state;
    const many = `${store.count.toLocaleString("en")} ${store.count === 1 ? "span" : "spans"}`;
    const behind = store.behind ? `, ${store.behind.toLocaleString("en")} events behind` : "";
    const dropped = store.dropped ? `, ${store.dropped.toLocaleString("en")} events dropped` : "";
    const length = milliseconds(Math.floor(store.clock() / (store.ended ? 1 : 1e5))
      * (store.ended ? 1 : 1e5));
    say(this.status, store.ended
      ? `Recorded: ${many} in ${length}${dropped}` : `Recording… ${many}, ${length}${behind}${dropped}`);
    say(this.summary, store.summary);
    this.explain();
  }

  explain() {
    const parts = Object.keys(WORDS).filter((kind) => this.store.kinds.has(kind));
    if (this.store.awaits) parts.push("awaiting");
    if (this.store.hops.length) parts.push("hop");
    if (this.store.errors.length) parts.push("error");
    if (this.legend.dataset.parts === parts.join()) return;
    this.legend.dataset.parts = parts.join();
    const words = { ...WORDS, awaiting: "awaiting", hop: "hop, and back", error: "exception" };
    this.legend.replaceChildren(...parts.map((part) => {
      const item = make("span", "al-item");
      const swatch = make("span", `al-swatch al-swatch-${part}`);
      swatch.setAttribute("aria-hidden", "true");
      if (part === "error") swatch.textContent = "!";
      if (part === "hop") swatch.textContent = "↓⇡";
      item.append(swatch, make("span", "", words[part]));
      if (MEANS[part]) item.title = MEANS[part];
      return item;
    }));
  }

  // --- time and place

  range() {
    return this.window ?? [0, this.store.length()];
  }

  x(at) {
    const [from, to] = this.range();
    return 4 + (this.wide - 22) * (at - from) / (to - from);
  }

  at(x) {
    const [from, to] = this.range();
    return from + (x - 4) * (to - from) / (this.wide - 22);
  }

  // Where a span's bar is on the canvas.
  box(span) {
    const lane = this.store.lanes[span.lane];
    let y = lane.top + PAD + span.place * lane.row - this.scroller.scrollTop;
    let high = Math.max(1, lane.row - (lane.row > 8 ? GAP : 0));
    if (span.kind === "query" && lane.row > 10) {
      y += 3;
      high -= 6;
    }
    const left = this.x(span.start);
    const right = this.x(span.end === NONE ? this.store.clock() : span.end);
    return { left, y, wide: Math.max(LEAST, right - left), high };
  }

  zoom(factor, centre = null) {
    const [from, to] = this.range();
    const span = this.store.spans[this.focused];
    const middle = centre ?? (span && span.start >= from && span.start <= to
      ? span.start : (from + to) / 2);
    const length = Math.max(20, (to - from) * factor);
    const start = middle - (middle - from) * length / (to - from);
    this.look(start, start + length);
  }

  look(from, to) {
    const all = this.store.length();
    if (to - from >= all) return this.fit();
    const start = Math.min(Math.max(0, from), all - (to - from));
    this.window = [start, start + (to - from)];
    this.changed();
  }

  pan(pixels) {
    if (!this.window) return;
    const [from, to] = this.window;
    const by = pixels * (to - from) / this.wide;
    this.look(from + by, to + by);
  }

  fit() {
    this.window = null;
    this.changed();
  }

  // --- pointer and keys

  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.at(event.offsetX));
    } else if (this.window && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
      this.pan(event.deltaX || event.deltaY);
    } else return;
    event.preventDefault();
  }

  press(event) {
    this.dragged = 0;
    this.held = event.clientX;
    this.canvas.setPointerCapture(event.pointerId);
    this.scrubs = event.offsetY < AXIS && this.replay.ready;
    if (this.scrubs) this.replay.seek(this.at(event.offsetX));
  }

  move(event) {
    if (this.held !== undefined && this.scrubs) this.replay.seek(this.at(event.offsetX));
    else if (this.held !== undefined) {
      const by = event.clientX - this.held;
      this.dragged += Math.abs(by);
      this.held = event.clientX;
      this.pan(-by);
    } else this.hover(this.hit(event.offsetX, event.offsetY));
  }

  release(event) {
    this.held = undefined;
    if (this.dragged < 4 && !this.scrubs) {
      const span = this.hit(event.offsetX, event.offsetY);
      if (span !== null) this.focus(span);
    }
  }

  hit(x, y) {
    const down = y + this.scroller.scrollTop;
    const lane = this.store.lanes.find((one) => down >= one.top && down < one.top + one.height);
    const row = lane?.rows[Math.floor((down - lane.top - PAD) / lane.row)];
    if (!row) return null;
    const near = row[last(row, this.at(x + 2))];
    if (near === undefined) return null;
    const { left, wide } = this.box(near);
    return x <= left + wide + 2 ? near.index : null;
  }

  key(event) {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const acts = {
      ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1),
      ArrowDown: () => this.climb(1), ArrowUp: () => this.climb(-1),
      Home: () => this.focus(this.first()), End: () => this.focus(this.store.spans.length - 1),
      "+": () => this.zoom(1 / 1.6), "=": () => this.zoom(1 / 1.6), "-": () => this.zoom(1.6),
      0: () => this.fit(), " ": () => this.replay.toggle(),
      ",": () => this.replay.step(-1), ".": () => this.replay.step(1),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  first() {
    const index = this.store.spans.findIndex(Boolean);
    return index < 0 ? null : index;
  }

  // To the next or the last span of the same lane.
  step(by) {
    const { spans } = this.store;
    const here = spans[this.focused];
    if (!here) return this.focus(this.first());
    for (let i = here.index + by; i >= 0 && i < spans.length; i += by) {
      if (spans[i]?.lane === here.lane) return this.focus(i);
    }
  }

  // To the row above or below, of this lane or the next: the span nearest in time.
  climb(by) {
    const here = this.store.spans[this.focused];
    if (!here) return this.focus(this.first());
    const rows = this.store.lanes.flatMap((lane) => lane.rows);
    const at = rows.indexOf(this.store.lanes[here.lane].rows[here.place]);
    for (let i = at + by; i >= 0 && i < rows.length; i += by) {
      if (rows[i].length) return this.focus(rows[i][Math.max(0, last(rows[i], here.start))].index);
    }
  }

  focus(index) {
    const span = this.store.spans[index];
    if (!span) return;
    this.focused = index;
    this.reveal(span);
    this.tellSpan(span);
    this.changed();
  }

  hover(index) {
    if (index === this.hovered) return;
    this.hovered = index;
    this.canvas.style.cursor = index === null ? "" : "pointer";
    if (index === null && this.moment !== undefined) this.tellMoment();
    else this.tellSpan(this.store.spans[index ?? this.focused]);
    this.changed();
  }

  // --- the replay: where it is, in the lanes' heads, in words and in the picture

  replayed() {
    const { replay, store, root } = this;
    const on = replay.at !== null && replay.ready;
    if (on !== root.hasAttribute("data-replay")) root.toggleAttribute("data-replay", on);
    this.info.setAttribute("aria-live", replay.playing ? "off" : "polite");
    const moment = on ? lastMoment(replay.moments, replay.at) : undefined;
    if (moment !== this.moment || !replay.playing) {
      this.moment = moment;
      if (on) this.tellMoment();
      else this.tellSpan(store.spans[this.focused]);
    }
    if (on) this.keepInSight(replay.at);
    this.changed();
  }

  tellMoment() {
    const { replay, store } = this;
    this.found = doings(store, replay.at);
    const events = store.events.get(replay.at) ?? [];
    const parts = [...happenings(store, events).map((words) => make("strong", "", words)),
      ...lanesWords(store, this.found)];
    // While it plays, the words stand for as long as they hold.
    this.info.replaceChildren(`${replay.playing ? "From" : "At"} ${exactly(replay.at)}`,
      ...parts.flatMap((part) => [" · ", part]));
  }

  // A picture that is zoomed in moves along.
  keepInSight(at) {
    if (!this.window) return;
    const [from, to] = this.window;
    if (at < from || at > to) this.look(at - (to - from) / 4, at + (3 * (to - from)) / 4);
  }

  // Bring a span into sight.
  reveal(span) {
    if (this.window) {
      const [from, to] = this.window;
      if (span.start < from || span.start > to) {
        const start = span.start - (to - from) / 4;
        this.look(start, start + to - from);
      }
    }
    const lane = this.store.lanes[span.lane];
    const y = lane.top + PAD + span.place * lane.row;
    const { scrollTop, clientHeight } = this.scroller;
    if (y < scrollTop + AXIS) this.scroller.scrollTop = y - AXIS - PAD;
    else if (y + ROW > scrollTop + clientHeight) {
      this.scroller.scrollTop = y + ROW + PAD - clientHeight;
    }
  }

  tellSpan(span) {
    if (!span) {
      this.info.replaceChildren(make("span", "al-quiet",
        "Point at a span, or press Tab and the arrow keys. Ctrl and the wheel zoom; drag to pan."));
      return;
    }
    const { store } = this;
    const lane = store.lanes[span.lane];
    const length = span.end === NONE ? "still running" : `for ${milliseconds(span.end - span.start)}`;
    const parts = [
      make("strong", "", span.name),
      make("span", "", WORDS[span.kind] ?? span.kind),
      make("span", "", `on ${lane.role} (${lane.thread})`),
      make("span", "", `at ${milliseconds(span.start)}, ${length}`),
    ];
    if (span.runs.length > 2) parts.push(make("span", "", `ran ${span.runs.length / 2} times`));
    if (span.sentLane !== NONE && span.start > span.sentAt) {
      parts.push(make("span", "", `queued ${milliseconds(span.start - span.sentAt)}`));
    }
    const late = this.late(span);
    if (late) parts.push(make("span", "", late));
    if (span.error) parts.push(make("span", "al-failed", `! ${span.error}`));
    if (span.detail) parts.push(make("code", "", span.detail));
    this.info.replaceChildren(...parts.flatMap((part, i) => (i ? [" · ", part] : [part])));
  }

  // A bar is solid to the end of the step, and a call may begin elsewhere before that.
  late(span) {
    const over = (call) => span.runs[2 * lastRun(span.runs, call.sentAt) + 1] - call.start;
    const [call] = this.store.hops.filter((one) => one.parent === span.index && isHop(one))
      .filter((one) => span.runs.length && over(one) > 0)
      .sort((one, other) => over(other) - over(one));
    return call && `its step went on for ${milliseconds(over(call))} after `
      + `${call.name} had begun: threads share the GIL`;
  }

  // --- drawing

  draw() {
    const { pen, store, dots } = this;
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.clearRect(0, 0, this.wide, this.high);
    pen.textBaseline = "middle";
    const seen = store.lanes.filter((lane) => lane
      && lane.top - this.scroller.scrollTop < this.high
      && lane.top + lane.height - this.scroller.scrollTop > 0);
    this.lines(seen);
    for (const lane of seen) this.lane(lane);
    this.arrows();
    for (const span of store.errors) this.mark(span);
    this.ring();
    this.axis();
    if (this.moment !== undefined) this.playhead();
  }

  // What is still to come lies under a veil.
  playhead() {
    const { pen, colours, wide, high } = this;
    const x = this.x(this.replay.at);
    pen.globalAlpha = 0.72;
    pen.fillStyle = colours.paper;
    pen.fillRect(x, AXIS, wide - x, high - AXIS);
    pen.globalAlpha = 1;
    pen.fillStyle = colours.focus;
    pen.fillRect(x - 1, AXIS - 1, 2, high);
    pen.beginPath();
    pen.moveTo(x - 6, AXIS - 7);
    pen.lineTo(x + 6, AXIS - 7);
    pen.lineTo(x, AXIS + 1);
    pen.fill();
  }

  ticks() {
    const [from, to] = this.range();
    const step = niceStep((to - from) / Math.max(2, this.wide / 80));
    const ticks = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
    return ticks;
  }

  lines(lanes) {
    const { pen, colours } = this;
    const scrolled = this.scroller.scrollTop;
    lanes.forEach((lane) => {
      if (lane.index % 2 === 0) {
        pen.fillStyle = colours.band;
        pen.fillRect(0, lane.top - scrolled, this.wide, lane.height);
      }
      pen.fillStyle = colours.rule;
      pen.fillRect(0, lane.top + lane.height - scrolled - 1, this.wide, 1);
    });
    pen.fillStyle = colours.rule;
    for (const at of this.ticks()) pen.fillRect(Math.round(this.x(at)), AXIS, 1, this.high);
  }

  axis() {
    const { pen, colours } = this;
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, this.wide, AXIS);
    pen.fillStyle = colours.rule;
    pen.fillRect(0, AXIS - 1, this.wide, 1);
    pen.fillStyle = colours.quiet;
    pen.font = `11px ${this.font}`;
    this.ticks().forEach((at, i) => {
      const x = this.x(at);
      if (x < this.wide - 34) pen.fillText(tick(at) + (i === 0 ? " ms" : ""), x + 2, AXIS / 2);
    });
  }

  lane(lane) {
    const [from, to] = this.range();
    const scrolled = this.scroller.scrollTop;
    lane.rows.forEach((row, place) => {
      const y = lane.top + PAD + place * lane.row - scrolled;
      if (y > this.high || y + lane.row < 0) return;
      let right = -Infinity;
      for (let i = Math.max(0, last(row, from)); i < row.length && row[i].start <= to; i++) {
        const box = this.box(row[i]);
        // What would lie wholly under its neighbour's least width is left out.
        if (box.left + box.wide <= right + 0.5) continue;
        right = box.left + box.wide;
        if (right >= 0) this.bar(row[i], box);
      }
    });
  }

  bar(span, { left, y, wide, high }) {
    const { pen } = this;
    const colour = this.colours[span.kind] ?? this.colours.span;
    const x = Math.max(-8, left);
    const w = Math.min(left + wide, this.wide + 8) - x;
    if (w < 5 || high < 5) {
      pen.fillStyle = colour;
      pen.fillRect(x, y, w, high);
      return;
    }
    if (span.kind === "span") this.bracket(colour, x, y, w, high);
    else {
      const soft = span.kind === "task" ? 5 : 0;
      pen.beginPath();
      pen.roundRect(x + 0.5, y + 0.5, w - 1, high - 1, soft);
      const hatched = span.runs.length || span.kind === "wait";
      this.fill(hatched ? this.colours.paper : colour, hatched ? 1 : 0.25);
      if (hatched) {
        pen.fillStyle = this.hatch(colour);
        pen.fill();
      }
      if (span.kind === "wait") this.fill(colour, 0.18);
      if (span.runs.length) this.runs(span, colour, y, high);
      pen.strokeStyle = colour;
      pen.lineWidth = 1.25;
      pen.setLineDash(span.kind === "wait" ? [4, 3] : []);
      pen.stroke();
      pen.setLineDash([]);
    }
    if (high >= 11 && w > 26) this.label(span, x, y, w, high);
  }

  fill(colour, alpha) {
    this.pen.globalAlpha = alpha;
    this.pen.fillStyle = colour;
    this.pen.fill();
    this.pen.globalAlpha = 1;
  }

  bracket(colour, x, y, w, high) {
    const { pen } = this;
    pen.globalAlpha = 0.18;
    pen.fillStyle = colour;
    pen.fillRect(x, y, w, high);
    pen.globalAlpha = 1;
    pen.fillRect(x, y, 2, high);
    pen.fillRect(x + w - 2, y, 2, high);
    pen.fillRect(x, y + high - 2, w, 2);
  }

  // Where a task really ran: solid.
  runs(span, colour, y, high) {
    const { pen } = this;
    const [from, to] = this.range();
    const { runs } = span;
    let right = -Infinity;
    for (let i = 2 * Math.max(0, lastRun(runs, from)); i < runs.length && runs[i] <= to; i += 2) {
      const a = this.x(runs[i]);
      const b = Math.max(a + 1.5, this.x(runs[i + 1] === NONE ? this.store.clock() : runs[i + 1]));
      if (b <= right + 0.5) continue;
      right = b;
      // A theme's grey may be a veil: without paper below, the hatching would shine through.
      pen.fillStyle = this.colours.paper;
      pen.fillRect(a, y, b - a, high);
      pen.fillStyle = colour;
      pen.fillRect(a, y, b - a, high);
    }
  }

  label(span, x, y, w, high) {
    const { pen, colours } = this;
    pen.font = `${high >= 14 ? 12 : 10}px ${this.font}`;
    const shown = Math.max(0, x);
    let start = shown + 6;
    if (span.runs.length) {
      const first = this.x(span.runs[1] === NONE ? span.runs[0] : span.runs[1]);
      if (first > shown && first < x + w / 2) start = first + 5;
    }
    const room = Math.min(x + w, this.wide) - start - 5;
    const words = this.fits(span.name.replace(/\s+/g, " "), room);
    if (!words) return;
    if (span.runs.length || span.kind === "wait") {
      pen.fillStyle = colours.paper;
      pen.fillRect(start - 3, y + 2, pen.measureText(words).width + 6, high - 4);
    }
    pen.fillStyle = colours.ink;
    pen.fillText(words, start, y + high / 2 + 0.5);
  }

  fits(words, room) {
    if (room < 12) return "";
    const key = `${this.pen.font} ${words}`;
    if (!this.widths.has(key)) this.widths.set(key, this.pen.measureText(words).width);
    const width = this.widths.get(key);
    if (width <= room) return words;
    const letters = Math.floor(words.length * room / width) - 1;
    return letters > 1 ? `${words.slice(0, letters)}…` : "";
  }

  hatch(colour) {
    if (!this.hatches[colour]) {
      const size = 6, dots = this.dots;
      const tile = document.createElement("canvas");
      tile.width = tile.height = size * dots;
      const pen = tile.getContext("2d");
      pen.scale(dots, dots);
      pen.strokeStyle = colour;
      pen.globalAlpha = 0.75;
      pen.lineWidth = 1;
      pen.beginPath();
      for (const shift of [-size, 0, size]) {
        pen.moveTo(shift, size);
        pen.lineTo(shift + size, 0);
      }
      pen.stroke();
      const pattern = this.pen.createPattern(tile, "repeat");
      pattern.setTransform(new DOMMatrix().scale(1 / dots));
      this.hatches[colour] = pattern;
    }
    return this.hatches[colour];
  }

  // Hops: from the caller's bar to where the call runs, and back to the caller. Many are faint;
  // those of the span that is looked at are not.
  arrows() {
    const { store } = this;
    const drawn = new Set();
    const chosen = this.hovered ?? this.focused;
    const looked = (span) => span.index === chosen || (span.parent !== NONE && span.parent === chosen);
    const alpha = store.hops.length > MANY_HOPS ? 0.35 : 0.8;
    for (const span of store.hops) {
      if (looked(span)) continue;
      const box = this.box(span);
      if (box.left > this.wide && this.x(span.sentAt) > this.wide) continue;
      if (box.left + box.wide < 0) continue;
      const place = `${span.lane} ${span.sentLane} ${Math.round(box.left / 4)}`;
      if (drawn.has(place)) continue;
      drawn.add(place);
      this.hop(span, box, alpha, 1);
    }
    for (const span of store.hops.filter(looked)) this.hop(span, this.box(span), 1, 2);
  }

  // Each way goes straight down where the call was sent, and turns just above the call. So the
  // ways of gathered calls lie on each other, and not on the bars between.
  hop(span, { left, y, wide, high }, alpha, thick) {
    const { pen, store } = this;
    if (!isHop(span) || !store.lanes[span.sentLane]) return;
    const down = span.lane > span.sentLane;
    const near = down ? y : y + high;
    const turn = near + (down ? -TURN : TURN);
    pen.globalAlpha = alpha;
    pen.lineWidth = thick;
    pen.strokeStyle = pen.fillStyle = this.colours.ink;
    const sent = this.x(span.sentAt);
    this.arrow([sent, this.caller(span, span.sentLane, span.sentAt, down)], [sent, turn], [left, near]);
    if (span.backLane !== NONE && store.lanes[span.backLane]) {
      const back = this.x(span.backAt);
      const to = this.caller(span, span.backLane, span.backAt, down);
      this.arrow([left + wide, near], [back, turn], [back, to], true);
    }
    pen.globalAlpha = 1;
  }

  // The side of the caller's bar that looks towards the call. Who called is not always known: then
  // it is what lay open on that lane last, or else a dot for code that is not drawn.
  caller(span, laneIndex, at, below) {
    const lane = this.store.lanes[laneIndex];
    const parent = this.store.spans[span.parent];
    const from = parent?.lane === laneIndex ? parent
      : openOn(lane, at).reduce((one, other) => (one?.start > other.start ? one : other), null);
    if (from) {
      const { y, high } = this.box(from);
      return below ? y + high : y;
    }
    const middle = lane.top + lane.height / 2 - this.scroller.scrollTop;
    this.pen.beginPath();
    this.pen.arc(this.x(at), middle, 3.5, 0, 2 * Math.PI);
    this.pen.fill();
    return middle;
  }

  arrow(from, turn, to, back = false) {
    const { pen } = this;
    pen.beginPath();
    pen.setLineDash(back ? [3, 3] : []);
    pen.moveTo(...from);
    pen.lineTo(...turn);
    pen.lineTo(...to);
    pen.stroke();
    pen.setLineDash([]);
    const [x, y] = to;
    const tip = y > from[1] ? 6 : -6;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x - 3.5, y - tip);
    pen.lineTo(x + 3.5, y - tip);
    pen.fill();
  }

  mark(span) {
    const { pen, colours } = this;
    const { left, y, wide, high } = this.box(span);
    const x = Math.min(left + wide, this.wide - 9), middle = y + high / 2;
    if (x < 0 || left > this.wide) return;
    pen.fillStyle = colours.error;
    pen.strokeStyle = colours.paper;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(x - 8.5, middle + 7.5);
    pen.lineTo(x + 8.5, middle + 7.5);
    pen.lineTo(x, middle - 8.5);
    pen.closePath();
    pen.stroke();
    pen.fill();
    pen.fillStyle = colours.paper;
    pen.font = `bold 11px ${this.font}`;
    pen.textAlign = "center";
    pen.fillText("!", x, middle + 2);
    pen.textAlign = "start";
  }

  ring() {
    const { pen, colours, store } = this;
    const around = (index, width) => {
      const span = store.spans[index];
      if (!span) return;
      const { left, y, wide, high } = this.box(span);
      pen.strokeStyle = colours.focus;
      pen.lineWidth = width;
      pen.strokeRect(left - 2.5, y - 2.5, wide + 5, high + 5);
    };
    if (document.activeElement === this.scroller) around(this.focused, 2.5);
    if (this.hovered !== null) around(this.hovered, 1.5);
  }
}

// A cell shows its recording twice: live above, and at its end. Of the views of one model in one
// cell only the last stays.
function keepLast(views) {
  const kept = new Map();
  const placed = [...views].filter((view) => view.root.isConnected).sort((a, b) => (
    a.root.compareDocumentPosition(b.root) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  for (const view of placed) kept.set(view.root.closest(".jp-OutputArea"), view);
  for (const view of placed) {
    const output = view.root.closest(".jp-OutputArea-child") ?? view.root;
    const area = view.root.closest(".jp-OutputArea");
    output.style.display = kept.get(area) === view ? "" : "none";
  }
}

export default () => {
  const store = new Store();
  const views = new Set();
  let replay;

  function initialize({ model }) {
    replay = replayOf(model.get("group"));
    // What was lost on the way is asked for, and again if the answer is lost as well. While a cell
    // runs, `early` may come first, and a kernel may not answer before it has ended.
    let patience = PATIENCE;
    let asking = 0;
    const ask = () => {
      model.send("whole");
      asking = setTimeout(ask, patience *= 2);
    };
    // Once all of a recording is here it can be played again.
    let whole = false;
    const settle = () => {
      if (store.lacking) asking ||= setTimeout(ask, store.ended ? 0 : patience);
      else {
        clearTimeout(asking);
        asking = 0;
        patience = PATIENCE;
      }
      if (whole === store.whole) return;
      whole = store.whole;
      replay.changed();
    };
    const take = (message) => {
      store.take(message);
      settle();
    };
    const change = () => {
      if (model.get("early").number) store.take(model.get("early"));
      store.ended = model.get("ended");
      store.summary = model.get("summary");
      store.tell();
      settle();
    };
    const scale = () => {
      store.least = Math.max(1000, model.get("least"));
      store.tell();
    };
    model.on("msg:custom", take);
    model.on("change:early change:ended", change);
    model.on("change:least", scale);
    replay.join(store);
    scale();
    change();
    return () => {
      clearTimeout(asking);
      replay.leave(store);
    };
  }

  function render({ model, el }) {
    const view = new View(store, replay, el, !model.get("group"));
    views.add(view);
    // The page puts `el` in its place after this: in a long notebook much later, when its cell is
    // about to be seen. Its first size says that it is there.
    const placed = new ResizeObserver(() => keepLast(views));
    placed.observe(el);
    return () => {
      placed.disconnect();
      view.end();
      views.delete(view);
      keepLast(views);
    };
  }

  return { initialize, render };
};
