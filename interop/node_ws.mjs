// The towline command against Node's `ws`, both ways. Run by scripts/interop.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket, { WebSocketServer } from "ws";
import { CERTIFICATES, check, endedWell, runChecks, sha256, towline, towlineServer } from "./harness.mjs";

const BIG = Buffer.concat(Array(64).fill(randomBytes(1 << 20)));
const LIMITS = { maxPayload: 1 << 28, maxFragments: 1 << 20 };

// --- our command as server -------------------------------------------------------------------

async function open(url, options = {}) {
  const ws = new WebSocket(url, options.protocols ?? [], { ...LIMITS, ...options });
  await once(ws, "open");
  return ws;
}

async function openEcho(options) {
  const { url, server } = await towlineServer("echo");
  return { ws: await open(url, options), server, url };
}

async function next(ws) {
  const [data, binary] = await once(ws, "message");
  return binary ? data : data.toString();
}

async function closed(ws) {
  const [code, reason] = await once(ws, "close");
  return { code, reason: reason.toString() };
}

check("our echo: text and binary come back in their kind", async () => {
  const { ws } = await openEcho();
  for (const message of ["hello", "", "žluťoučký kůň 你好 🚢", Buffer.alloc(0), randomBytes(126), randomBytes(65_536)]) {
    ws.send(message);
    assert.deepEqual(await next(ws), message);
  }
});

check("our echo: a message in fragments comes back whole, with a ping in its middle", async () => {
  const { ws } = await openEcho();
  const pong = once(ws, "pong");
  ws.send("in ", { fin: false });
  ws.ping("mark 2");
  ws.send("", { fin: false });
  ws.send("pieces", { fin: true });
  assert.equal(await next(ws), "in pieces");
  assert.equal((await pong)[0].toString(), "mark 2");
});

check("our echo: 64 MiB in one frame, and in 1,024", async () => {
  const { ws } = await openEcho();
  ws.send(BIG);
  assert.equal(sha256(await next(ws)), sha256(BIG));
  for (let at = 0; at < BIG.length; at += 65_536) {
    ws.send(BIG.subarray(at, at + 65_536), { binary: true, fin: at + 65_536 >= BIG.length });
  }
  assert.equal(sha256(await next(ws)), sha256(BIG));
});

check("our echo: 20,000 messages sent at once come back in order", async () => {
  const { ws } = await openEcho();
  let expected = 0;
  const all = new Promise((resolve, reject) => {
    ws.on("message", (data) => {
      if (data.toString() !== String(expected)) reject(new Error(`${data} instead of ${expected}`));
      expected += 1;
      if (expected === 20_000) resolve();
    });
  });
  for (let i = 0; i < 20_000; i += 1) ws.send(String(i));
  await all;
});

check("our echo: close codes come back, and so does a close without a code", async () => {
  for (const code of [1000, 1001, 1011, 3000, 4999, undefined]) {
    const { ws } = await openEcho();
    ws.close(code, code && "good night");
    assert.equal((await closed(ws)).code, code ?? 1005);
  }
});

check("our echo: with and without an offer of compression it is the same", async () => {
  for (const perMessageDeflate of [true, false]) {
    const { ws } = await openEcho({ perMessageDeflate });
    ws.send("x".repeat(10_000));
    assert.equal(await next(ws), "x".repeat(10_000));
  }
});

check("our echo: a termination closes every connection with 1001", async () => {
  const { ws, url, server } = await openEcho();
  const other = await open(url);
  server.kill("SIGTERM");
  const codes = await Promise.all([closed(ws), closed(other)]);
  assert.deepEqual(codes.map(({ code }) => code), [1001, 1001]);
});

check("our echo: wss, for a peer that trusts our authority", async () => {
  const { url } = await towlineServer("echo", "--cert", join(CERTIFICATES, "cert.pem"), "--key", join(CERTIFICATES, "key.pem"));
  assert.match(url, /^wss:/);
  const ws = await open(url.replace("127.0.0.1", "localhost"), { ca: readFileSync(join(CERTIFICATES, "ca.pem")) });
  ws.send("in private");
  assert.equal(await next(ws), "in private");
});

check("our server: an upload is answered with its size and SHA-256", async () => {
  const { url } = await towlineServer("serve");
  const ws = await open(`${url}/upload`);
  ws.send(BIG);
  const { bytes, sha256: sum } = JSON.parse(await next(ws));
  assert.deepEqual({ bytes, sum }, { bytes: BIG.length, sum: sha256(BIG) });
});

check("our server: a request that is no WebSocket's is answered in HTTP", async () => {
  const { url } = await towlineServer("serve");
  const http = url.replace("ws:", "http:");
  assert.equal((await fetch(`${http}/`)).status, 200);
  assert.equal((await fetch(`${http}/nothing-here`)).status, 404);
  const version = await fetch(`${http}/echo`);
  assert.equal(version.status, 426);
  assert.match(version.headers.get("upgrade") ?? "", /websocket/i);
});

// --- compression -----------------------------------------------------------------------------

/** Numbers without a pattern, the same in every run. */
function chance(seed) {
  let state = BigInt(seed) * 2654435761n + 1n;
  return (below) => {
    state = (state * 0x5851f42d4c957f2dn + 0x14057b7ef767814fn) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(below));
  };
}

/** Messages of every character, among them some that refer far back. */
function* messages(seed, count) {
  const random = chance(seed);
  for (let i = 0; i < count; i += 1) {
    const records = Array.from({ length: [1, 5, 400, 3000][random(4)] }, () => JSON.stringify({ id: random(300), side: "buy" }));
    yield [
      Buffer.from(Array.from({ length: [1, 60, 500, 70_000][random(4)] }, () => random(256))),
      Buffer.alloc([0, 258, 32_768, 200_000][random(4)]),
      "é".repeat(random(30_000)),
      records.join(),
      records.join(),
    ][random(5)];
  }
}

const WAYS = [8, 9, 12, 15].flatMap((bits) =>
  [[false, false], [false, true], [true, false], [true, true]].map(([client, server], way) => ({
    bits, client, server, level: (bits + way * 3) % 10, memLevel: 1 + ((bits + way) % 9),
  })));

check("our echo, compressed: every window, with takeover and without, in parts and whole", async () => {
  const { url } = await towlineServer("echo", "--deflate");
  for (const [seed, { bits, client, server, level, memLevel }] of WAYS.entries()) {
    const ws = await open(url, {
      perMessageDeflate: {
        serverNoContextTakeover: server, clientNoContextTakeover: client, threshold: 0,
        serverMaxWindowBits: bits, clientMaxWindowBits: Math.max(bits, 9), zlibDeflateOptions: { level, memLevel },
      },
    });
    assert.match(ws.extensions, /permessage-deflate/);
    for (const message of messages(seed + 1, 12)) {
      if (message.length % 3) {
        const middle = typeof message === "string" ? message.length >> 1 : 1;
        ws.send(message.slice(0, middle), { fin: false });
        ws.send("", { fin: false });
        ws.send(message.slice(middle), { fin: true });
      } else {
        ws.send(message);
      }
      assert.deepEqual(await next(ws), message);
    }
    ws.close();
  }
});

// --- our command as client -------------------------------------------------------------------

async function peer(options = {}) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, ...LIMITS, ...options });
  await once(server, "listening");
  return { server, url: `ws://127.0.0.1:${server.address().port}` };
}

/** Everything that one connection brought, once it has ended. */
function record(server) {
  return new Promise((resolve) => {
    server.once("connection", (ws, request) => {
      const seen = { messages: [], pings: 0, request, protocol: ws.protocol };
      ws.on("message", (data, binary) => seen.messages.push(binary ? data : data.toString()));
      ws.on("ping", () => { seen.pings += 1; });
      ws.on("close", (code, reason) => resolve({ ...seen, code, reason: reason.toString() }));
    });
  });
}

function folder() {
  const path = mkdtempSync(join(tmpdir(), "towline-interop-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}

check("our send: 64 MiB is one binary message, then a close with 1000", async () => {
  const file = join(folder(), "film.bin");
  writeFileSync(file, BIG);
  const { server, url } = await peer();
  const recorded = record(server);
  const run = await towline(["send", url, file]);
  endedWell(run);
  const { messages, code } = await recorded;
  assert.deepEqual(messages.map(sha256), [sha256(BIG)]);
  assert.equal(code, 1000);
  assert.ok((run.out + run.err).includes(sha256(BIG)), run.out + run.err);
});

check("our connect, compressed: lines there and back, whatever the server asks for", async () => {
  const lines = [...messages(5, 60)].filter((message) => typeof message === "string" && message);
  for (const { bits, client, server, level, memLevel } of WAYS) {
    const { server: theirs, url } = await peer({
      perMessageDeflate: {
        serverNoContextTakeover: server, clientNoContextTakeover: client, threshold: 0,
        clientMaxWindowBits: bits, zlibDeflateOptions: { level, memLevel },
      },
    });
    let extensions;
    theirs.on("connection", (ws) => {
      extensions = ws.extensions;
      ws.on("message", (data, binary) => ws.send(data, { binary }));
    });
    const run = await towline(["connect", "--deflate", url, "--expect", `${lines.length}`], { input: lines.join("\n") });
    endedWell(run);
    assert.equal(run.out.toString(), `${lines.join("\n")}\n`);
    assert.match(extensions, /permessage-deflate/);
    theirs.close();
  }
});

check("our recv: 64 MiB, whole and in fragments, into a file", async () => {
  for (const piece of [BIG.length, 65_536]) {
    const { server, url } = await peer();
    server.on("connection", (ws) => {
      for (let at = 0; at < BIG.length; at += piece) {
        ws.send(BIG.subarray(at, at + piece), { binary: true, fin: at + piece >= BIG.length });
      }
    });
    const recorded = record(server);
    const file = join(folder(), "film.bin");
    endedWell(await towline(["recv", url, file]));
    assert.equal(sha256(readFileSync(file)), sha256(BIG));
    assert.equal((await recorded).code, 1000);
  }
});

check("our connect: lines there and back, subprotocol and headers agreed", async () => {
  const { server, url } = await peer({ handleProtocols: (offered) => offered.has("chain") && "chain" });
  server.on("connection", (ws) => ws.on("message", (data) => ws.send(`you said ${data}`)));
  const recorded = record(server);
  const run = await towline(
    ["connect", `${url}/a/path?q=1`, "-s", "rope", "-s", "chain", "-H", "X-Tow: line", "-o", "https://example.org", "--expect", "2"],
    { input: "one\ndvě lodě 🚢\n" },
  );
  endedWell(run);
  assert.equal(run.out.toString(), "you said one\nyou said dvě lodě 🚢\n");
  const { messages, code, protocol, request } = await recorded;
  assert.deepEqual(messages, ["one", "dvě lodě 🚢"]);
  assert.equal(code, 1000);
  assert.equal(protocol, "chain");
  assert.equal(request.url, "/a/path?q=1");
  assert.equal(request.headers["x-tow"], "line");
  assert.equal(request.headers.origin, "https://example.org");
});

check("our connect: a close by the server: 1000 is status 0, others are 100 and are told", async () => {
  for (const [code, reason, status] of [[1000, "done", 0], [1001, "off", 0], [1011, "broken", 100], [4002, "až zítra", 100]]) {
    const { server, url } = await peer();
    server.on("connection", (ws) => ws.close(code, reason));
    const recorded = record(server);
    const run = await towline(["connect", url]);
    assert.equal(run.status, status, run.err);
    if (status) assert.ok(run.err.includes(code) && run.err.includes(reason), run.err);
    assert.equal((await recorded).code, code);
  }
});

check("our connect: a connection lost without a close is status 56", async () => {
  const { server, url } = await peer();
  server.on("connection", (ws) => ws.on("message", () => ws.terminate()));
  assert.equal((await towline(["connect", url], { input: "goodbye\n" })).status, 56);
});

check("our ping: three pings arrive, and the connection ends with 1000", async () => {
  const { server, url } = await peer();
  const recorded = record(server);
  endedWell(await towline(["ping", url, "-c", "3"]));
  const { pings, code } = await recorded;
  assert.deepEqual({ pings, code }, { pings: 3, code: 1000 });
});

check("our client: wss, trusted and not", async () => {
  const https = createServer({ cert: readFileSync(join(CERTIFICATES, "cert.pem")), key: readFileSync(join(CERTIFICATES, "key.pem")) });
  const server = new WebSocketServer({ server: https, ...LIMITS });
  await once(https.listen(0, "127.0.0.1"), "listening");
  const url = `wss://localhost:${https.address().port}`;
  const recorded = record(server);
  endedWell(await towline(["send", url, "-"], { input: "in private", env: { SSL_CERT_FILE: join(CERTIFICATES, "ca.pem") } }));
  assert.deepEqual((await recorded).messages, [Buffer.from("in private")]);
  assert.equal((await towline(["send", url, "-"], { input: "secret" })).status, 60);
});

await runChecks("node");
