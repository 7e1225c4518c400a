// Reads the events of a job: the same lines that its event log has, whether they come live or from a file.

export function newJob() {
  return { started: {}, state: "", startedAt: null, endedAt: null, statement: 0, statements: 0, progress: null,
    stages: [], executors: [], samples: [], history: [], letters: [], report: null, dpuHours: null, breakers: [], seen: 0 };
}

const SAMPLES = 2000;
const HISTORY = 500;

// Takes a line; returns whether there is something new.
export function take(job, text) {
  let line;
  try { line = JSON.parse(text); } catch { return false; }
  if (line.seq) {
    if (line.seq <= job.seen) return false;
    job.seen = line.seq;
  }
  switch (line.event) {
    case "job_started":
      job.started = line;
      job.startedAt ??= line.at;
      job.endedAt = null;
      job.report = null;
      break;
    case "state": job.state = line.state; break;
    case "statement_started": job.statement = line.statement; job.statements = line.statements; break;
    case "progress": progress(job, line); return true;
    case "stages": job.stages = line.stages; return true;
    case "executors": job.executors = line.executors; return true;
    case "dead_letters": job.letters.push(...line.letters); break;
    case "job_ended":
      job.state = line.state;
      job.endedAt = line.at;
      job.report = line.report ?? null;
      job.dpuHours = line.dpu_hours ?? null;
      break;
  }
  job.history.push(line);
  if (job.history.length > HISTORY) job.history.splice(1, job.history.length - HISTORY);
  return true;
}

function progress(job, line) {
  const before = job.progress;
  const now = line.progress;
  if (before && before.breaker_open !== now.breaker_open) {
    job.breakers.push({ at: line.at, text: now.breaker_open ? "opened" : "closed" });
  }
  job.progress = now;
  const limits = now.limits.map((limit) => limit.requests_per_s).filter((limit) => limit !== undefined);
  const busiest = busiestOf(now);
  const sample = [Date.parse(line.at) / 1000, now.requests_per_s, limits.length ? Math.max(...limits) : null, now.in_flight,
    busiest?.latency_ms?.p50 ?? null, busiest?.latency_ms?.p99 ?? null];
  if (!job.samples.length || sample[0] > job.samples.at(-1)[0]) job.samples.push(sample);
  // Of a long job every second of the older half goes.
  if (job.samples.length > SAMPLES) job.samples = job.samples.filter((_, at) => at > SAMPLES / 2 || at % 2 === 0);
}

export const busiestOf = (progress) =>
  Object.values(progress.functions).reduce((most, one) => (!most || one.requests > most.requests ? one : most), null);

// Follows events; `heard` gets each text, `ended` is called when no more come, `lost` when the service does not answer.
export function follow(url, heard, ended, lost) {
  const source = new EventSource(url);
  source.onopen = () => lost(false);
  source.onmessage = (message) => heard(message.data);
  source.addEventListener("end", () => { source.close(); ended(); });
  source.onerror = () => {
    lost(true);
    // The browser gives up after an answer such as 401 or 404.
    if (source.readyState === EventSource.CLOSED) ended(true);
  };
  return () => source.close();
}

export async function ask(path, options) {
  const answer = await fetch(path, options);
  if (answer.status === 401) throw new NeedsToken();
  const text = await answer.text();
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { /* said below */ }
  if (!answer.ok) throw new Error(value?.detail ?? `the service answers ${answer.status}`);
  return value;
}

export class NeedsToken extends Error {}
