// The controls, the code that they make, and Run. What is shown as code comes from the kernel, and
// is what the kernel runs.

function add(parent, tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  parent.append(node);
  return node;
}

// Arrows, Enter and letters are the control's own: JupyterLab would take them for the notebook.
function keepKeys(node) {
  node.toggleAttribute("data-lm-suppress-shortcuts", true);
  return node;
}

const CHOICES = [
  ["work", "Each call", [
    ["computes", "computes", "holds the GIL"],
    ["sleeps", "sleeps", "waits without the GIL"],
    ["queries", "queries", "the database, by the ORM"],
  ]],
  ["sensitive", "Where it runs", [
    [true, "thread_sensitive=True", "the shared worker"],
    [false, "thread_sensitive=False", "the loop's thread pool"],
    [null, "no adapter", "straight on the event loop"],
  ]],
  ["contexts", "ThreadSensitiveContext", [
    [false, "none", ""],
    [true, "one for each branch", ""],
  ]],
  ["gathered", "Branches", [
    [true, "gathered", "all at once"],
    [false, "one by one", ""],
  ]],
];
const SLIDERS = [["calls", "Calls", "", 1], ["length", "Length of each", " ms", 5]];

function render({ model, el }) {
  el.classList.add("asynclab-playground-controls");
  const form = add(el, "form");
  const left = add(form, "div", { className: "apl-controls" });
  const set = {}; // by the setting's name: shows a value

  function choose(name, value) {
    model.set("settings", { ...model.get("settings"), [name]: value });
    model.save_changes();
  }

  for (const [name, words, unit, step] of SLIDERS) {
    const label = add(left, "label", { className: "apl-slider" });
    add(label, "span", { className: "apl-name" }, words);
    const [min, max] = model.get("limits")[name];
    const slider = keepKeys(add(label, "input", { type: "range", min, max, step }));
    const said = add(label, "span", { className: "apl-value" });
    slider.addEventListener("input", () => choose(name, Number(slider.value)));
    set[name] = (value) => {
      slider.value = value;
      said.textContent = `${value}${unit}`;
      slider.setAttribute("aria-valuetext", said.textContent);
    };
  }
  for (const [name, words, options] of CHOICES) {
    const fields = add(left, "fieldset");
    add(fields, "legend", { className: "apl-name" }, words);
    const inputs = options.map(([value, text, more]) => {
      const label = add(fields, "label", { className: "apl-choice" });
      // In a form of its own: options of other panels have the same names.
      const input = keepKeys(add(label, "input", { type: "radio", name }));
      const option = add(label, "span", {}, text, " ");
      if (more) add(option, "span", { className: "apl-quiet" }, more);
      input.addEventListener("change", () => choose(name, value));
      return [value, input];
    });
    set[name] = (value) => inputs.forEach(([of, input]) => { input.checked = of === value; });
  }

  const foot = add(left, "div", { className: "apl-foot" });
  const run = keepKeys(add(foot, "button", { type: "submit", className: "apl-run" }, "Run"));
  const status = add(foot, "output");
  const spoken = add(foot, "span", { className: "apl-hidden" });
  spoken.setAttribute("role", "status");

  const right = add(form, "div", { className: "apl-text" });
  const head = add(right, "div", { className: "apl-head" });
  add(head, "span", { className: "apl-name" }, "The code that Run runs");
  const copy = keepKeys(add(head, "button", { type: "button" }, "Copy"));
  const code = keepKeys(add(right, "pre", { tabIndex: 0 }));
  code.setAttribute("role", "region");
  code.setAttribute("aria-label", "The code that Run runs");
  const advice = add(right, "div", { className: "apl-quiet" });
  advice.append("Pasted below ");
  add(advice, "code", {}, "%%lanes");
  advice.append(" into a cell, it draws the same lanes there (");
  add(advice, "code", {}, "%load_ext asynclab");
  advice.append(" once before).");
  const notes = add(right, "div", { className: "apl-notes" });
  notes.setAttribute("role", "status");

  let asked = false; // a click is on its way to the kernel
  let meanwhile = ""; // what there is to say until that has answered
  let late;

  function show() {
    const settings = model.get("settings");
    for (const [name, value] of Object.entries(settings)) set[name]?.(value);
    const shown = model.get("shown");
    if (code.textContent !== shown.code) code.textContent = shown.code;
    code.classList.toggle("apl-old", !same(settings, shown.settings));
    const words = shown.notes.join("\n");
    if (notes.dataset.words !== words) {
      notes.dataset.words = words;
      notes.replaceChildren();
      for (const note of shown.notes) add(notes, "p", {}, note);
    }
    const busy = asked || model.get("state") !== "ready";
    run.setAttribute("aria-disabled", busy);
    say(status, meanwhile || model.get("status"));
    say(spoken, model.get("spoken"));
  }

  function wait(words) {
    meanwhile = words;
    show();
  }

  function heard() {
    asked = false;
    meanwhile = "";
    clearTimeout(late);
    show();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (asked) return wait("One run at a time: it is about to begin.");
    asked = true;
    late = setTimeout(wait, 600, "Waiting: the kernel is busy with a cell.");
    model.send({ do: "run", settings: model.get("settings"), seen: model.get("runs") });
    show();
  });
  copy.addEventListener("click", async () => {
    const done = await copyText(code);
    copy.textContent = done ? "Copied" : "Selected";
    setTimeout(() => { copy.textContent = "Copy"; }, 1600);
  });
  const changes = "change:settings change:shown change:status change:spoken change:state";
  model.on(changes, show);
  model.on("change:runs change:refused", heard);
  show();
  return () => {
    clearTimeout(late);
    model.off(null, show);
    model.off(null, heard);
  };
}

function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

function same(one, other) {
  return Object.keys(one).every((name) => one[name] === other[name]);
}

// A page that is not served by https or from this machine has no clipboard to write to.
async function copyText(node) {
  try {
    await navigator.clipboard.writeText(node.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(node);
    return document.execCommand("copy");
  }
}

export default { render };
