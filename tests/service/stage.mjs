// Starts what a test of the page needs: an API, a scheduler that runs jobs itself, a browser; all on ports that are free.

import { spawn, execFile } from "node:child_process";
import { mkdtemp, rm, writeFile, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const PACELINE = process.env.PACELINE;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const run = promisify(execFile);

export class Stage {
  static async set(env = {}, flags = ["--run-jobs", "embedded"]) {
    const stage = new Stage();
    stage.folder = await mkdtemp(join(tmpdir(), "paceline-page-"));
    stage.processes = [];
    stage.env = { ...process.env, PACELINE_TOKEN: undefined, XDG_STATE_HOME: join(stage.folder, "state"), ...env };
    Object.keys(stage.env).forEach((name) => stage.env[name] === undefined && delete stage.env[name]);
    stage.scheduler = stage.start(["scheduler", "--bind", "127.0.0.1:0", ...flags, "--state-dir", "kept"]);
    stage.url = await stage.said(stage.scheduler, /page at (\S+)/);
    stage.browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    return stage;
  }

  start(flags) {
    const process = spawn(PACELINE, flags, { cwd: this.folder, env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    process.text = "";
    for (const stream of [process.stdout, process.stderr]) stream.on("data", (text) => { process.text += text; process.emit("said"); });
    this.processes.push(process);
    return process;
  }

  said(process, pattern) {
    return new Promise((found, failed) => {
      const look = () => { const match = pattern.exec(process.text); if (match) found(match[1]); };
      process.on("said", look);
      process.on("exit", () => failed(new Error(`it ended: ${process.text}`)));
      look();
    });
  }

  async api(...flags) {
    const api = this.start(["mock-api", "--port", "0", ...flags]);
    return this.said(api, /(http:\/\/127\.0\.0\.1:\d+[^\s;]*)/);
  }

  async job(name, rows, endpoint, options) {
    const lines = rows.map((row) => row.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(",")).join("\n");
    await writeFile(join(this.folder, `${name}.csv`), `id,email\n${lines}\n`);
    await writeFile(join(this.folder, `${name}.sql`), `
      CREATE TEMPORARY VIEW records (id BIGINT, email STRING) USING csv OPTIONS (path '${join(this.folder, name)}.csv', header 'true');
      CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
        USING API OPTIONS (endpoint '${endpoint}', quota '${name}', ${options});
      INSERT OVERWRITE DIRECTORY '${join(this.folder, "out-" + name)}' USING parquet SELECT *, enrich(id, email) AS answer FROM records;`);
    return `${name}.sql`;
  }

  async paceline(...flags) {
    const { stdout } = await run(PACELINE, flags, { cwd: this.folder, env: { ...this.env, PACELINE_SERVER: this.url } });
    return stdout.trim();
  }

  // CPU time of the scheduler so far, in seconds.
  async cpu() {
    const stat = await readFile(`/proc/${this.scheduler.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async end() {
    await this.browser?.close();
    for (const process of this.processes) process.kill("SIGKILL");
    await rm(this.folder, { recursive: true, force: true });
  }
}
