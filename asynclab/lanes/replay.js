// A recording that is played again: where it is, and how it moves on. One recording has one, or
// several share one and play together.

const LASTS = [4, 7, 15, 30]; // seconds that a replay may take
const STEP_LEAST = 500; // milliseconds between two steps, at least, where motion is reduced

class Replay {
  stores = new Set();
  at = null; // in microseconds; null shows the whole recording
  playing = false;
  lasts = LASTS[1];
  listeners = new Set();
  calm = matchMedia("(prefers-reduced-motion: reduce)");

  join(store) {
    this.stores.add(store);
    this.changed();
  }

  leave(store) {
    this.stores.delete(store);
    this.changed();
  }

  // What is played is another recording, or more of it.
  changed() {
    this.read = null;
    this.close();
  }

  get ready() {
    const stores = [...this.stores];
    return stores.some((store) => store.count) && stores.every((store) => store.whole);
  }

  // By its moments, and by those of the hops alone; both begin at 0 and end with the recording.
  course() {
    if (!this.read) {
      const stores = [...this.stores];
      const ends = [0, ...stores.map((store) => store.now)];
      const moments = inOrder([...ends, ...stores.flatMap((store) => [...store.events.keys()])]);
      const hops = inOrder(stores.flatMap(hopMoments));
      this.read = { moments, hops: hops.length ? inOrder([0, ...hops, moments.at(-1)]) : moments };
    }
    return this.read;
  }

  get moments() { return this.course().moments; }
  get hops() { return this.course().hops; }
  get length() { return this.moments.at(-1); }

  // --- moving

  seek(at) {
    this.playing = false;
    this.show(at);
  }

  // To the next or the previous of some moments.
  step(by, moments = this.hops) {
    if (!this.ready) return;
    this.seek(this.after(by, moments));
  }

  after(by, moments) {
    if (this.at === null) return by > 0 ? 0 : this.length;
    const here = lastMoment(moments, this.at);
    const next = by < 0 && moments[here] < this.at ? here : here + by;
    return moments[Math.min(Math.max(next, 0), moments.length - 1)];
  }

  toggle() {
    if (this.playing) this.seek(this.at);
    else this.play();
  }

  play() {
    if (!this.ready) return;
    if (this.at === null || this.at >= this.length) this.at = 0;
    this.playing = true;
    this.resume();
    this.tell();
    requestAnimationFrame(this.tick);
  }

  // Count on from here.
  resume() {
    this.began = performance.now() - this.part(this.at) * this.lasts * 1000;
    this.stepped = performance.now();
  }

  close() {
    this.playing = false;
    this.at = null;
    this.tell();
  }

  take(seconds) {
    this.lasts = seconds;
    if (this.playing) this.resume();
    this.tell();
  }

  tick = () => {
    if (!this.playing) return;
    const now = performance.now();
    if (this.calm.matches) this.jump(now);
    else this.show(this.momentOf((now - this.began) / (this.lasts * 1000)));
    if (this.playing) requestAnimationFrame(this.tick);
  };

  // Without motion: from hop to hop, and time to look at each.
  jump(now) {
    if (now - this.stepped < Math.max(STEP_LEAST, (this.lasts * 1000) / this.hops.length)) return;
    this.stepped = now;
    this.show(this.after(1, this.hops));
  }

  show(at) {
    this.at = Math.min(Math.max(0, at), this.length);
    if (this.at === this.length) this.playing = false;
    this.tell();
  }

  // --- pace: half of the time goes by the recording's clock, half is shared out evenly among its
  // moments. So a replay is slow where much happens.

  paceOf(moment) {
    const { moments } = this;
    return (moments[moment] / this.length + moment / (moments.length - 1)) / 2;
  }

  // How much of the replay has passed at a moment: 0 to 1.
  part(at) {
    const i = Math.min(lastMoment(this.moments, at), this.moments.length - 2);
    const [from, to] = [this.moments[i], this.moments[i + 1]];
    return this.paceOf(i) + ((at - from) / (to - from)) * (this.paceOf(i + 1) - this.paceOf(i));
  }

  // Where it is when so much of it has passed.
  momentOf(part) {
    if (part >= 1) return this.length;
    let low = 0, high = this.moments.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.paceOf(middle) <= part) low = middle;
      else high = middle;
    }
    const [from, to] = [this.moments[low], this.moments[high]];
    const passed = (part - this.paceOf(low)) / (this.paceOf(high) - this.paceOf(low));
    return from + passed * (to - from);
  }

  tell() { this.listeners.forEach((listener) => listener()); }
}

// The replay of a group of pictures. Each widget is a module of its own, so they meet here.
const groups = (globalThis[Symbol.for("asynclab.replays")] ??= new Map());

function replayOf(group) {
  if (!group) return new Replay();
  if (!groups.has(group)) groups.set(group, new Replay());
  return groups.get(group);
}
