// The page: which view is shown, and what each view does with what it hears.

import { NeedsToken, ask, busiestOf, follow, newJob, take } from "/assets/events.js";
import { chart } from "/assets/charts.js";
import { at, bytes, count, el, known, ms, percent, plan, span, state, table, tile, timeline } from "/assets/show.js";

const API = "/api/v1";
const main = document.getElementById("main");
const connection = document.getElementById("connection");
const logout = document.getElementById("logout");
let leave = () => {};

const lost = (is) => { connection.textContent = is ? "not connected; trying again" : "live"; };
const say = (text) => { document.getElementById("said").textContent = text; };
const path = (id, rest = "") => `${API}/jobs/${encodeURIComponent(id)}${rest}`;
const link = (id, text) => el("a", { href: `#/jobs/${encodeURIComponent(id)}` }, text);

async function route() {
  leave();
  leave = () => {};
  connection.textContent = "";
  const parts = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  // `#jr_…` names a job, as the command line prints it.
  const [section, id] = parts.length === 1 && parts[0].startsWith("jr_") ? ["jobs", parts[0]] : parts;
  const views = { "": jobs, executors, configuration, jobs: () => job(id) };
  document.querySelectorAll("header nav a").forEach((link) => {
    const own = link.hash === `#/${section === "jobs" ? "" : section}`;
    own ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  });
  try {
    await (views[section] ?? jobs)();
    logout.hidden = !sessionStorage.getItem("logged-in");
  } catch (error) {
    error instanceof NeedsToken ? login() : main.replaceChildren(problem(error.message));
  }
}

const problem = (text) => el("p", { class: "problem", role: "alert" }, text);

function login() {
  const token = el("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
  const wrong = el("p", { role: "alert" });
  const form = el("form", { class: "login" }, el("h1", {}, "Log in"), el("label", { for: "token" }, "The cluster's token"), token,
    el("button", {}, "Log in"), wrong);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch("/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ token: token.value }) });
    if (!answer.ok) { wrong.textContent = "That is not the cluster's token."; return; }
    sessionStorage.setItem("logged-in", "yes");
    route();
  });
  main.replaceChildren(form);
  token.focus();
}

logout.addEventListener("click", async () => {
  await fetch("/logout", { method: "POST" });
  sessionStorage.removeItem("logged-in");
  route();
});

const total = (numbers) => numbers.reduce((all, one) => all + one, 0);
const done = (job) => (job.expected ? `${count(job.records)} of ${count(job.expected)}` : count(job.records));

function bar(records, expected, name) {
  const attributes = { "aria-label": name, max: Math.max(expected ?? 1, 1) };
  return expected === undefined || expected === null ? el("progress", { "aria-label": name }) : el("progress", { ...attributes, value: Math.min(records, expected) });
}

async function jobs() {
  await ask(`${API}/jobs?limit=1`); // says if a token is needed, which a stream of events cannot
  document.title = "Jobs – Paceline";
  const list = el("div", {}, el("p", { class: "quiet" }, "Loading…"));
  main.replaceChildren(el("h1", {}, "Jobs"), list);
  const heads = [["Job", "cut"], ["Run", "cut optional"], ["State"], ["Records", "number"], ["Failed", "number"], ["Requests/s", "number optional"], ["Submitted", "optional"]];
  leave = follow(`${API}/events`, (text) => {
    const board = JSON.parse(text);
    if (!board.jobs) return;
    const rows = board.jobs.map((job) => [link(job.id, job.job_name), job.run_name ?? job.attempt, state(job.state),
      done(job), count(job.failed), count(job.requests_per_s), at(job.submitted_at ?? job.started_at)]);
    const none = el("p", { class: "quiet" }, "No job yet. Submit one: paceline submit job.sql");
    const more = board.total > board.jobs.length ? el("p", { class: "quiet" }, `The newest ${board.jobs.length} of ${count(board.total)}.`) : null;
    list.replaceChildren(...[rows.length ? table("Jobs", heads, rows) : none, more].filter(Boolean));
  }, () => {}, lost);
}

async function executors() {
  document.title = "Executors – Paceline";
  const { executors } = await ask(`${API}/executors`);
  main.replaceChildren(el("h1", {}, "Executors"), executors ? executorTable(executors) : el("p", { class: "quiet" }, "Nothing runs here, or the scheduler does not answer."));
  connection.textContent = "";
  leave = follow(`${API}/events`, (text) => {
    const board = JSON.parse(text);
    if (board.executors) main.replaceChildren(el("h1", {}, "Executors"), executorTable(board.executors));
  }, () => {}, lost);
}

function executorTable(executors) {
  if (!executors.length) return el("p", { class: "quiet" }, "No executor is there.");
  const heads = [["Executor", "cut"], ["Slots", "number"], ["Running", "number"], ["Memory of a task", "number"], ["Memory used", "number"]];
  return table("Executors", heads, executors.map((one) => [one.id, count(one.slots), count(one.running), bytes(one.memory_per_task_bytes), percent(one.memory_used)]));
}

async function configuration() {
  document.title = "Configuration – Paceline";
  const shown = await ask(`${API}/configuration`);
  const rows = Object.entries(shown.settings).map(([name, value]) => [name, value]);
  main.replaceChildren(el("h1", {}, "Configuration"),
    el("p", {}, `Paceline ${shown.version}; jobs run at ${shown.place}; kept in ${shown.state_dir ?? "no folder"}.`),
    table("Settings", [["Setting", "cut"], ["Value", "cut"]], rows));
}

async function job(id) {
  // Stages and executors come when something in them changes, which may be long after the page was opened.
  const [detail, { stages }] = await Promise.all([ask(path(id)), ask(path(id, "/plan"))]);
  document.title = `${detail.job_name} – Paceline`;
  const seen = { ...newJob(), stages, executors: detail.executors ?? [] };
  const parts = jobParts(detail);
  main.replaceChildren(...parts.all);
  const plots = [
    chart(parts.rate, "Requests per second against the limit", [{ name: "requests/s", of: "--accent" }, { name: "limit", of: "--bad", dash: [6, 4] }]),
    chart(parts.latency, "Latency in milliseconds", [{ name: "p50 ms", of: "--good" }, { name: "p99 ms", of: "--warn" }]),
  ];
  let unfollow = () => {};
  let again;
  let waiting = false;
  const draw = () => {
    waiting = false;
    if (!parts.rate.isConnected) return;
    fill(parts, detail, seen);
    plots[0].show(seen.samples, [1, 2]);
    plots[1].show(seen.samples, [4, 5]);
  };
  // However many events come, there is one picture a frame.
  const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(draw); } };
  const clock = setInterval(() => { if (!seen.endedAt) soon(); }, 1000);
  const close = follow(path(id, "/events"), (text) => {
    const before = seen.state;
    if (take(seen, text)) soon();
    if (seen.state !== before && before) say(`The job is ${seen.state}`);
  }, async (failed) => {
    connection.textContent = failed ? "not connected" : "";
    Object.assign(detail, await ask(path(id)).catch(() => ({})));
    soon();
    // A run may begin when its turn comes, or again as a new attempt: what all jobs come to tells.
    if (failed || detail.ended_at) return;
    if (["STARTING", "RUNNING", "STOPPING"].includes(detail.state)) { again = setTimeout(route, 250); return; }
    unfollow = follow(`${API}/events`, (text) => {
      const now = JSON.parse(text).jobs?.find((one) => one.id === detail.id);
      if (now && (now.state !== detail.state || now.attempt !== detail.attempt)) route();
    }, () => {}, lost);
  }, lost);
  leave = () => { close(); unfollow(); clearInterval(clock); clearTimeout(again); plots.forEach((plot) => plot.end()); };
  soon();
}

function jobParts(detail) {
  const part = () => el("div");
  const parts = { head: part(), tiles: el("dl", { class: "tiles" }), rate: part(), latency: part(), failures: part(), letters: part(), stages: part(), executors: part(), line: part(), history: el("ol", { class: "history" }), functions: part(), breakers: part() };
  const settings = [...Object.entries(detail.conf), ...Object.entries(detail.variables).map(([name, value]) => [`\${${name}}`, value])];
  parts.all = [
    parts.head,
    el("h2", {}, "API"), parts.tiles,
    el("div", { class: "charts" }, el("figure", {}, el("figcaption", {}, "Requests per second, and the limit"), parts.rate), el("figure", {}, el("figcaption", {}, "Latency (ms)"), parts.latency)),
    parts.functions, parts.breakers,
    el("h2", {}, "Failures"), parts.failures, parts.letters,
    el("h2", {}, "Plan"), parts.stages,
    el("h2", {}, "Executors"), parts.executors,
    el("h2", {}, "Tasks"), parts.line,
    el("h2", {}, "Statements"), el("pre", {}, detail.sql),
    settings.length ? table("Settings and variables", [["Setting or variable", "cut"], ["Value", "cut"]], settings) : null,
    el("h2", {}, "History"), parts.history,
  ].filter(Boolean);
  return parts;
}

function fill(parts, detail, seen) {
  const now = Date.now();
  const current = seen.state && !detail.ended_at ? seen.state : detail.state;
  const progress = seen.progress ?? detail.progress;
  const started = seen.startedAt ?? detail.started_at;
  const ended = seen.endedAt ?? detail.ended_at;
  const took = started ? (ended ? Date.parse(ended) : now) - Date.parse(started) : 0;
  const dpus = seen.started.dpus ?? 1;
  const cost = seen.dpuHours ?? (dpus * Math.max(took, 0)) / 3600000;
  const error = detail.error ?? seen.report?.error;
  const focused = parts.head.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  parts.head.replaceChildren(...[
    el("h1", {}, detail.run_name ?? detail.job_name, " ", state(current)),
    el("p", { class: "quiet" }, `${detail.attempt} · ${span(took)} · ${seen.started.place ?? ""} · ${cost.toFixed(3)} DPU-hours`),
    bar(progress.records, progress.expected, "Records"),
    el("p", {}, `${done(progress)} records, ${count(progress.failed)} failed`, seen.statements ? `, statement ${seen.statement} of ${seen.statements}` : "",
      `, ${count(progress.tasks.completed)} of ${count(progress.tasks.total)} tasks`, onExecutors(progress.executors)),
    error ? problem(error) : null,
    actions(detail, current),
  ].filter(Boolean));
  if (focused) parts.head.querySelector(`[data-action="${focused}"]`)?.focus();
  api(parts, progress, seen);
  failures(parts, detail, progress, seen);
  parts.stages.replaceChildren(...seen.stages.map((stage) => el("section", {},
    el("h3", {}, `Stage ${stage.stage} `, state(stage.state), ` ${count(stage.count.completed)} of ${count(stage.count.total)} tasks`,
      stage.reads?.length ? `, reads stage ${stage.reads.join(", ")}` : ""), plan(stage.operators))));
  parts.executors.replaceChildren(...onEach(seen, progress, !ended));
  parts.line.replaceChildren(timeline(seen.stages, ended ? Date.parse(ended) : now));
  parts.history.replaceChildren(...seen.history.map((line) => el("li", {}, at(line.at), told(line))));
}

function onExecutors(seen) {
  if (!seen) return "";
  const fullest = seen.memory_permille === undefined ? "" : `, the fullest with ${percent(seen.memory_permille / 1000)} of its memory`;
  return ` on ${count(seen.count)} executors${fullest}`;
}

// What each executor has of the job. How many of its slots are in use is told while the job runs.
function onEach({ executors, stages }, progress, runs) {
  if (!executors.length) return [el("p", { class: "quiet" }, runs ? "No executor was seen yet." : "Nothing is known of its executors.")];
  const heads = [["Executor", "cut"], ["Slots", "number"], ["Memory used", "number"], ["Memory pool", "number optional"], ["Tasks running", "number"], ["Tasks done", "number"]];
  const slots = ({ slots, slots_used: used }) => (runs && slots !== undefined ? `${count(used)} of ${count(slots)}` : known(slots));
  const memory = ({ memory_permille: permille }) => percent(permille === undefined ? undefined : permille / 1000);
  const rows = executors.map((one) => [one.executor || "this process", slots(one), memory(one), bytes(one.memory_pool_bytes), count(one.running), count(one.completed)]);
  const elsewhere = total(stages.map((stage) => stage.count.completed)) - total(executors.map((one) => one.completed));
  const spilled = progress.moved?.spilled_bytes;
  return [table("Executors of the job", heads, rows),
    el("p", { class: "quiet" }, `Plans that have ended spilled ${spilled ? bytes(spilled) : "nothing"} to disk.`,
      elsewhere > 0 ? ` Of ${count(elsewhere)} more tasks that are done it was not seen where they ran.` : null)];
}

function actions(detail, current) {
  const act = (name, what, kind) => el("button", { class: kind, "data-action": what, onclick: async () => {
    try {
      const answer = await ask(path(detail.id, `/${what}`), { method: "POST" });
      say(`${name}: ${answer.state}`);
      answer.id === detail.id ? route() : (location.hash = `#/jobs/${encodeURIComponent(answer.id)}`);
    } catch (error) { say(error.message); alert(error.message); }
  } }, name);
  if (!detail.policy) return null;
  const active = ["WAITING", "STARTING", "RUNNING"].includes(current);
  const broken = ["STOPPED", "FAILED", "TIMEOUT", "ERROR"].includes(current);
  return el("div", { class: "actions" }, active ? act("Cancel", "cancel", "danger") : null, broken ? act("Resume", "resume") : null,
    current === "SUCCEEDED" && detail.failed > 0 && !detail.redrive_of ? act("Redrive dead letters", "redrive") : null);
}

function api(parts, progress, seen) {
  const limits = progress.limits.map((limit) => limit.rate).join(", ");
  const latency = busiestOf(progress)?.latency_ms;
  const breaker = progress.breaker_open ? "OPEN" : progress.breaker_opened ? `opened ${count(progress.breaker_opened)}×` : "closed";
  const last = seen.breakers.at(-1);
  parts.tiles.replaceChildren(
    tile("Requests/s", count(seen.endedAt ? 0 : progress.requests_per_s), limits ? `limit ${limits}` : ""),
    tile("Requests", count(progress.requests)), tile("In flight", count(progress.in_flight)),
    tile("Latency p50", ms(latency?.p50)), tile("Latency p90", ms(latency?.p90)), tile("Latency p99", ms(latency?.p99)),
    tile("Retries", count(progress.retries)), tile("Status 429", count(progress.rate_limit_hits)),
    tile("Breaker", breaker, last ? `${last.text} ${new Date(last.at).toLocaleTimeString()}` : ""),
    tile("Answers reused", count(progress.reused)));
  const openings = seen.breakers.slice(-20).reverse().map((one) => [at(one.at), one.text]);
  const open = `Breaker: open for ${span(1000 * (progress.breaker_open_s ?? 0))} in all`;
  parts.breakers.replaceChildren(...(openings.length ? [el("h3", {}, open), table("Breaker history", [["When"], ["Breaker"]], openings)] : []));
  const functions = Object.entries(progress.functions);
  const heads = [["Function", "cut"], ["Quota", "cut optional"], ["Requests", "number"], ["/s", "number"], ["In flight", "number"], ["Retries", "number optional"], ["p99", "number"], ["Breaker"]];
  parts.functions.replaceChildren(functions.length > 1 ? table("API functions", heads, functions.map(([name, one]) => [name, one.quota, count(one.requests),
    count(one.requests_per_s), count(one.in_flight), count(total(Object.values(one.retries_by_cause))), ms(one.latency_ms?.p99), one.breaker_open ? "OPEN" : "closed"])) : "");
}

function failures(parts, detail, progress, seen) {
  const kinds = Object.entries(progress.failures_by_kind);
  parts.failures.replaceChildren(kinds.length ? table("Failures by kind", [["Kind"], ["Rows", "number"]], kinds.map(([kind, rows]) => [kind, count(rows)])) : el("p", { class: "quiet" }, "No row was given up."));
  if (!seen.letters.length || parts.letters.childElementCount) return;
  const heads = [["Kind"], ["Status", "number"], ["Attempts", "number optional"], ["Error", "cut"], ["Row", "cut"]];
  const rows = seen.letters.map((letter) => [letter.error_kind, known(letter.status), known(letter.attempts), letter.error ?? "", JSON.stringify(letter.row ?? letter)]);
  parts.letters.replaceChildren(el("h3", {}, `Dead letters, the first ${rows.length}`), table("Dead letters", heads, rows));
}

function told(line) {
  switch (line.event) {
    case "job_started": return `started on ${line.place} (${line.attempt ?? line.job})`;
    case "state": return line.reason ? `${line.state}: ${line.reason}` : line.state;
    case "statement_started": return `statement ${line.statement} of ${line.statements}: ${line.text.split("\n")[0]}`;
    case "statement_ended":
      if (line.outcome === "written") return `statement ${line.statement}: ${count(line.records_read)} read, ${count(line.records_written)} written, ${count(line.records_failed)} failed, to ${line.output}`;
      if (line.outcome === "rows") return `statement ${line.statement}: ${count(line.rows)} rows\n${line.table}`;
      return `statement ${line.statement}: ${line.outcome.replace("_", " ")}`;
    case "dead_letters": return `statement ${line.statement} has dead letters`;
    case "log": return `${line.level}: ${line.text}`;
    case "job_ended": return line.state;
    default: return line.event;
  }
}

window.addEventListener("hashchange", route);
route();
