// The numbers on the page and in REST are those of the API that receives the calls: within 2 % at the same moments, and equal in
// the end. RECORDS makes the run longer (make bench-receiver); it is paced so that it takes long enough to compare.

import { test } from "node:test";
import assert from "node:assert/strict";
import { Stage } from "./stage.mjs";

const RECORDS = Number(process.env.RECORDS ?? 12_000);
const BATCH = Math.max(1, Math.round(RECORDS / 20_000));
const SECONDS = RECORDS > 100_000 ? 100 : 30;
// A number is some 300 ms old when it is drawn: 2 % of what was received in 15 seconds.
const FROM = 18 / SECONDS;
const within = { timeout: 300_000 };

test(`a run of ${RECORDS} records is shown as the API receives it`, { timeout: 600_000 }, async () => {
  const stage = await Stage.set();
  try {
    const api = await stage.api("--latency-ms", "20");
    const rows = Array.from({ length: RECORDS }, (_, at) => [at + 1, `user${at + 1}@example.com`]);
    const calls = Math.ceil(RECORDS / BATCH / SECONDS);
    const batches = BATCH > 1 ? `, format 'array', batch_size '${BATCH}'` : "";
    const id = await stage.paceline("submit", await stage.job("received", rows, api, `rate_limit_calls '${calls}', rate_limit_period '1 second'${batches}`));
    const page = await stage.browser.newPage();
    await page.goto(`${stage.url}/#/jobs/${id}`);
    const received = async () => (await fetch(new URL("/stats", api))).json();
    const rest = async () => (await (await fetch(`${stage.url}/api/v1/jobs/${id}`)).json()).progress;
    const shown = () => page.evaluate(() => {
      const tile = [...document.querySelectorAll(".tiles > div")].find((div) => div.querySelector("dt").textContent === "Requests");
      const number = (text) => Number(text?.replaceAll(",", "") ?? 0);
      return { records: document.querySelector("progress")?.value ?? 0, requests: number(tile?.querySelector("dd").textContent), state: document.querySelector("h1 .state")?.textContent };
    });
    // How far a number is outside of what was received before and after it was read.
    const off = (number, before, after) => Math.max(before - number, number - after, 0) / Math.max(before, 1);
    const worst = { page: 0, rest: 0 };
    let compared = 0;
    const cpu = await stage.cpu();
    const begun = Date.now();
    for (;;) {
      for (const [name, read] of [["page", shown], ["rest", rest]]) {
        const before = await received();
        const numbers = await read();
        const after = await received();
        if (numbers.state === "SUCCEEDED" || before.records < RECORDS * FROM || after.records >= RECORDS) continue;
        compared += 1;
        for (const number of ["records", "requests"]) worst[name] = Math.max(worst[name], off(numbers[number], before[number], after[number]));
      }
      if ((await shown()).state !== "RUNNING" && (await received()).records >= RECORDS) break;
      assert.ok(Date.now() - begun < 4000 * SECONDS, "it takes too long");
      await page.waitForTimeout(500);
    }
    const used = (100 * (await stage.cpu() - cpu)) / ((Date.now() - begun) / 1000);
    console.log(`${compared} comparisons: page ${(100 * worst.page).toFixed(2)} %, REST ${(100 * worst.rest).toFixed(2)} % off at most; ` +
      `the scheduler, which also ran the job, used ${used.toFixed(0)} % of a core`);
    assert.ok(compared >= 10, `${compared} comparisons`);
    assert.ok(worst.page <= 0.02 && worst.rest <= 0.02, JSON.stringify(worst));
    await page.waitForFunction(() => document.querySelector("h1 .state")?.textContent === "SUCCEEDED", null, within);
    const [last, progress, stats] = [await shown(), await rest(), await received()];
    assert.deepEqual([last.records, progress.records, stats.records], [RECORDS, RECORDS, RECORDS]);
    assert.deepEqual([last.requests, progress.requests], [stats.requests, stats.requests]);
  } finally {
    await stage.end();
  }
});
