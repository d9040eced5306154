// Words and small things that the other scripts share. All of them make one module: see live.py.

const NONE = -1;

const WORDS = {
  cell: "cell",
  task: "task",
  sync: "sync function",
  wait: "async_to_sync waits",
  query: "query",
  span: "named span",
};
const SOLID = "Solid: a step is on, and the thread is inside it, even where it waits for the GIL.";
const MEANS = {
  cell: SOLID,
  task: SOLID,
  awaiting: "Hatched: it awaits, and its thread is free for other tasks.",
  wait: "The thread is blocked until the coroutine is done.",
};

function make(tag, className, words) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  // Names, statements and messages come from whoever wrote the cell: text, never markup.
  if (words !== undefined) node.textContent = words;
  return node;
}

function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

function milliseconds(micro) {
  const ms = micro / 1000;
  const digits = ms < 10 ? 2 : ms < 100 ? 1 : 0;
  return `${ms.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ms`;
}

// Two moments that follow each other closely differ.
function exactly(micro) {
  return `${(micro / 1000).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ms`;
}

function tick(micro) {
  return Number((micro / 1000).toPrecision(6)).toLocaleString("en", { maximumFractionDigits: 3 });
}

function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least);
}

// Index of the last span that starts at or before `at`, or -1.
function last(row, at) {
  let low = 0, high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row[middle].start <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function lastRun(runs, at) {
  let low = 0, high = runs.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[2 * middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
