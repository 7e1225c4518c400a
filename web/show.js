// Makes elements and texts. Text is only ever set as text, so nothing that came from data can become markup.

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const count = (number) => (number ?? 0).toLocaleString("en");
export const known = (number, unit = "") => (number === undefined || number === null ? "–" : count(number) + unit);
export const ms = (number) => (number === undefined || number === null ? "–" : `${number.toFixed(number < 10 ? 1 : 0)} ms`);

export const percent = (share) => (share === undefined || share === null ? "–" : `${(100 * share).toFixed(1)} %`);

export function bytes(number) {
  if (!number) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(number) / 10), units.length - 1);
  return `${(number / 2 ** (10 * power)).toFixed(power ? 1 : 0)} ${units[power]}`;
}

export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

export function at(text) {
  if (!text) return "–";
  const time = new Date(text);
  return el("time", { datetime: text, title: text }, time.toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" }));
}

// A state has its colour only if its name is one that we know.
const STATES = ["WAITING", "STARTING", "RUNNING", "STOPPING", "STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "COMPLETED"];
export const stateClass = (state) => (STATES.includes(state) ? state : "");
export const state = (name) => el("span", { class: `state ${stateClass(name)}` }, name);

export function table(caption, heads, rows) {
  const head = heads.map(([name, kind]) => el("th", { scope: "col", class: kind }, name));
  const cell = (content, at) => el("td", { class: heads[at][1] }, content);
  return el("div", { class: "scroll" },
    el("table", {}, el("caption", { class: "unseen" }, caption), el("thead", {}, el("tr", {}, head)),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell))))));
}

export const tile = (name, value, small) => el("div", {}, el("dt", {}, name), el("dd", {}, value, small ? el("small", {}, ` ${small}`) : null));

// The operators of a stage as a tree; each stands before those that it reads from.
export function plan(operators) {
  const root = el("ul", { class: "plan" });
  const lists = [root];
  for (const operator of operators) {
    const depth = Math.min(operator.depth, lists.length - 1);
    const rows = operator.rows === undefined ? null : el("span", { class: "rows" }, `${count(operator.rows)} rows`);
    const detail = operator.detail.replace(new RegExp(`^${operator.name}:? ?`), "");
    const node = el("div", { class: "node" }, el("b", {}, operator.name), rows, detail ? el("span", { class: "detail" }, detail) : null);
    const below = el("ul");
    lists[depth].append(el("li", {}, node, below));
    lists.length = depth + 1;
    lists.push(below);
  }
  root.querySelectorAll("ul:empty").forEach((list) => list.remove());
  return root;
}

// Tasks as bars on one line of time, a lane for each executor.
export function timeline(stages, now) {
  const tasks = stages.flatMap((stage) => stage.tasks.map((task) => ({ ...task, stage: stage.stage })));
  if (!tasks.length) return el("p", { class: "quiet" }, "No task has begun.");
  const from = Math.min(...tasks.map((task) => task.started_ms));
  const to = Math.max(from + 1, ...tasks.map((task) => task.ended_ms ?? now));
  const lanes = Map.groupBy ? Map.groupBy(tasks, (task) => task.executor ?? "") : grouped(tasks);
  const all = [...lanes].map(([executor, tasks]) => {
    const ends = [];
    tasks.sort((one, other) => one.started_ms - other.started_ms);
    const bars = tasks.map((task) => {
      const end = task.ended_ms ?? now;
      let row = ends.findIndex((free) => free <= task.started_ms);
      if (row < 0) row = ends.push(0) - 1;
      ends[row] = end;
      const title = `stage ${task.stage}, task ${task.task}: ${task.state.toLowerCase()}, ${((end - task.started_ms) / 1000).toFixed(1)} s`;
      const bar = el("div", { class: `task ${stateClass(task.state)}`, title });
      bar.style.left = `${(100 * (task.started_ms - from)) / (to - from)}%`;
      bar.style.width = `${(100 * (end - task.started_ms)) / (to - from)}%`;
      bar.style.top = `${2 + row * 14}px`;
      return bar;
    });
    const track = el("div", { class: "track", role: "img", "aria-label": `${tasks.length} tasks` }, bars);
    track.style.height = `${ends.length * 14 + 4}px`;
    return el("div", { class: "lane" }, el("span", { title: executor || "this process" }, executor || "this process"), track);
  });
  return el("div", {}, all, el("p", { class: "quiet" }, `${((to - from) / 1000).toFixed(1)} s from the first task on`));
}

function grouped(tasks) {
  const lanes = new Map();
  for (const task of tasks) {
    const executor = task.executor ?? "";
    lanes.set(executor, [...(lanes.get(executor) ?? []), task]);
  }
  return lanes;
}
