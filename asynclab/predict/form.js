function add(parent, tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  parent.append(node);
  return node;
}

// What stands between backticks is code.
function addProse(parent, text) {
  text.split("`").forEach((piece, at) => (at % 2 ? add(parent, "code", {}, piece) : parent.append(piece)));
}

// Arrows, Enter and letters are the control's own: JupyterLab would take them for the notebook.
function keepKeys(node) {
  node.toggleAttribute("data-lm-suppress-shortcuts", true);
  return node;
}

// `place` is shared by the views of one model. A locked prediction is put into the page anew, and
// whoever locked it with keys goes on from there.
function render({ model, el }, place) {
  el.classList.add("asynclab-predict");
  const form = add(el, "form");
  const fields = add(form, "fieldset");
  const legend = add(fields, "legend");
  add(legend, "strong", {}, "Predict:");
  addProse(legend, ` ${model.get("question")}`);
  for (const value of model.get("labels")) {
    const label = add(fields, "label");
    // A form of its own: options of other predictions may share the name.
    const properties = { type: "radio", name: "choice", value, required: true };
    keepKeys(add(label, "input", properties));
    addProse(add(label, "span"), value);
  }
  const button = keepKeys(add(form, "button", {}, "Lock it in"));
  const status = add(form, "output", { tabIndex: -1 });

  function show() {
    const locked = model.get("locked");
    for (const input of fields.querySelectorAll("input")) {
      input.checked = input.value === model.get("choice");
    }
    fields.disabled = locked;
    button.hidden = locked;
    status.replaceChildren();
    if (locked) {
      status.append("Locked: you predict ");
      addProse(add(status, "strong"), model.get("choice"));
      status.append(".");
    }
  }

  form.addEventListener("change", () => {
    model.set("choice", form.elements.choice.value);
    model.save_changes();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    model.set("locked", true);
    model.save_changes();
    place.locked = true;
    status.focus(); // the button is gone
  });
  model.on("change", show);
  show();
  if (place.locked) {
    place.locked = false;
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) status.focus();
    });
  }
  return () => model.off("change", show);
}

export default () => {
  const place = {};
  return { render: (view) => render(view, place) };
};
