// The controls of a replay: play, from hop to hop, a scrubber, how long it takes.

// What a control does with keys of its own. Whatever else is pressed in it is JupyterLab's.
const KEYS = {
  INPUT: /^(Arrow.*|Page.*|Home|End)$/,
  SELECT: /^(Arrow.*|Page.*|Home|End|Enter| |[0-9])$/,
};

function keepOwnKeys(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (KEYS[event.target.tagName]?.test(event.key)) event.stopPropagation();
}

function button(words, label, act) {
  const node = make("button", "al-button", words);
  node.type = "button";
  describe(node, label);
  node.addEventListener("click", act);
  return node;
}

function describe(node, label) {
  node.title = label;
  node.setAttribute("aria-label", label);
}

class Player {
  constructor(replay, el) {
    this.replay = replay;
    this.root = el;
    el.classList.add("al-player");
    el.setAttribute("role", "group");
    el.setAttribute("aria-label", "Replay");
    this.back = button("‹", "", () => replay.step(-1));
    this.toggle = button("", "", () => replay.toggle());
    this.on = button("›", "", () => replay.step(1));
    this.slider = this.scrubber();
    this.time = make("span", "al-time");
    this.close = button("×", "Show the whole recording", () => replay.close());
    el.append(this.back, this.toggle, this.on, this.slider, this.time, this.length(), this.close);
    el.addEventListener("keydown", keepOwnKeys);
    this.show = () => this.draw();
    replay.listeners.add(this.show);
    this.draw();
  }

  end() {
    this.replay.listeners.delete(this.show);
  }

  scrubber() {
    const slider = make("input", "al-scrubber");
    Object.assign(slider, { type: "range", min: 0, step: "any" });
    slider.setAttribute("aria-label", "Moment of the recording");
    slider.addEventListener("input", () => this.replay.seek(Number(slider.value)));
    slider.addEventListener("keydown", (event) => this.key(event));
    return slider;
  }

  // The scrubber's arrows go to whatever happens next.
  key(event) {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.replay.step(by, this.replay.moments);
  }

  length() {
    const label = make("label", "al-lasts", "in ");
    const select = make("select");
    describe(select, "How long the replay takes");
    for (const seconds of LASTS) select.append(new Option(`${seconds} s`, seconds));
    select.value = this.replay.lasts;
    select.addEventListener("change", () => this.replay.take(Number(select.value)));
    this.select = select;
    label.append(select);
    return label;
  }

  draw() {
    const { replay } = this;
    this.root.hidden = !replay.ready;
    if (!replay.ready) return;
    const { at, length, playing } = replay;
    const what = replay.hops === replay.moments ? "step" : "hop";
    say(this.toggle, playing ? "❚❚ Pause" : "▶ Replay");
    describe(this.toggle, playing ? "Pause the replay" : "Play the recording again, slowly");
    describe(this.back, `Previous ${what}`);
    describe(this.on, `Next ${what}`);
    this.slider.max = length;
    this.slider.value = at ?? 0;
    const time = at === null ? milliseconds(length) : `${exactly(at)} of ${milliseconds(length)}`;
    this.slider.setAttribute("aria-valuetext", time);
    say(this.time, time);
    this.select.value = replay.lasts;
    this.close.disabled = at === null;
  }
}
