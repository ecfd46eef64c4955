// What the Node programs here share: checks, and our command as a process.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";

const TOWLINE = process.env.TOWLINE;
const CHECK_SECONDS = 120;
const checks = [];

export const CERTIFICATES = process.env.CERTIFICATES;

export function check(name, run) {
  checks.push({ name, run });
}

export async function runChecks(peer) {
  let passed = 0;
  let failed = 0;
  for (const { name, run } of checks) {
    const began = performance.now();
    const timer = new AbortController();
    try {
      await Promise.race([run(), tooLong(timer.signal)]);
      passed += 1;
      const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
      console.log(`ok ${seconds} s  ${peer}: ${name}`);
    } catch (error) {
      failed += 1;
      const where = error.code === "ERR_ASSERTION" ? "" : `\n${error.stack}`;
      console.log(`FAILED  ${peer}: ${name}: ${error.message}${where}`);
    }
    timer.abort();
    for (const process of processes) process.kill("SIGKILL");
    processes.clear();
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}

async function tooLong(signal) {
  const { setTimeout: sleep } = await import("node:timers/promises");
  await sleep(CHECK_SECONDS * 1000, undefined, { signal }).catch(() => {});
  throw new Error(`not finished after ${CHECK_SECONDS} s`);
}

// What a check started and did not end, ends with it.
const processes = new Set();

/** A server of ours: its URL, and the process. */
export async function towlineServer(...args) {
  const quiet = args[0] === "serve" ? ["--quiet"] : [];
  const server = spawn(TOWLINE, [...args, ...quiet, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  processes.add(server);
  for await (const line of createInterface({ input: server.stdout })) {
    const found = /listening on (wss?:\/\/[^\s/]+)/.exec(line);
    if (!found) continue;
    server.stdout.resume();
    return { url: found[1], server };
  }
  throw new Error("the server did not print `listening on ws://…`");
}

/** Runs our command to its end. */
export async function towline(args, { input = "", env = {} } = {}) {
  const run = spawn(TOWLINE, args, { env: { ...process.env, ...env } });
  processes.add(run);
  const out = [];
  const err = [];
  run.stdout.on("data", (data) => out.push(data));
  run.stderr.on("data", (data) => err.push(data));
  run.stdin.on("error", () => {}); // it may end without reading
  run.stdin.end(input);
  const [status] = await once(run, "close");
  processes.delete(run);
  return { status, out: Buffer.concat(out), err: Buffer.concat(err).toString() };
}

export function endedWell({ status, err }) {
  assert.equal(status, 0, `status ${status}: ${err.slice(-500)}`);
}

export function sha256(data) {
  return createHash("sha256").update(data).digest("hex");
}
