// A browser on the page of `towline serve`: what a person does there, done by playwright-core.
// Run by scripts/interop. SCREENSHOT=PATH keeps a picture of the page at work.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check, runChecks, sha256, towlineServer } from "./harness.mjs";

const folder = mkdtempSync(join(tmpdir(), "towline-interop-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const FILE = randomBytes(24 * (1 << 20) + 12_345);
const PATH = join(folder, "film.bin");
writeFileSync(PATH, FILE);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: [
    // As root, in a container, Chromium's own sandbox cannot start.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

/** The page, and everything that it complained about. */
async function openPage(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints = [];
  page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(url.replace("ws:", "http:")) && !request.url().startsWith("data:")) complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(url.replace("ws:", "http:") + "/");
  return { page, complaints };
}

async function connect(page, address) {
  if (address) await page.fill("#url", address);
  await page.click("#connect");
  await page.waitForSelector("#connection[data-state=open]");
}

async function journey(page) {
  await page.waitForSelector("#journey[data-match]", { timeout: 90_000 });
  return page.$eval("#journey", ({ dataset }) => ({ ...dataset }));
}

check("connects to its own server, sends text, shows the echo and how long it took", async () => {
  const { url } = await towlineServer("serve");
  const { page, complaints } = await openPage(url);
  assert.equal(await page.inputValue("#url"), `${url}/echo`);
  assert.equal(await page.isDisabled("#send"), true);
  await connect(page);
  for (const text of ["hello down the line", "žluťoučký kůň 你好 🚢", "<b>not bold</b>"]) {
    await page.fill("#text", text);
    await page.keyboard.press("Enter");
    await page.waitForFunction((text) => [...document.querySelectorAll("#log .received.text .what")].some((e) => e.textContent === text), text);
  }
  assert.match(await page.textContent("#trip-time"), /^[\d.]+ ms$/);
  assert.match(await page.textContent("#total-back"), /^3 messages/);
  assert.deepEqual(complaints, []);
});

for (const mode of ["pieces", "one"]) {
  check(`a chosen file of 24 MiB travels out and back (${mode}), with progress, unharmed`, async () => {
    const { url } = await towlineServer("serve");
    const { page, complaints } = await openPage(url);
    await connect(page);
    await page.check(`#mode-${mode}`);
    // Every value that the two bars take.
    await page.evaluate(() => {
      window.shares = { out: [], back: [] };
      const look = () => {
        for (const id of ["out", "back"]) window.shares[id].push(document.getElementById(id).value);
        requestAnimationFrame(look);
      };
      look();
    });
    await page.setInputFiles("#file", PATH);
    if (mode === "pieces") {
      // A text goes in between, and is back before the file is.
      await page.fill("#text", "in between");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#log .received.text");
      assert.equal(await page.getAttribute("#journey", "data-match"), null);
    }
    const { match, bytesOut, bytesBack, sha256Out, sha256Back } = await journey(page);
    assert.deepEqual(
      { match, bytesOut, bytesBack, sha256Out, sha256Back },
      { match: "true", bytesOut: `${FILE.length}`, bytesBack: `${FILE.length}`, sha256Out: sha256(FILE), sha256Back: sha256(FILE) },
    );
    const shares = await page.evaluate(() => window.shares);
    assert.ok(shares.out.some((share) => share > 0 && share < 1), "the way out showed no progress");
    if (mode === "pieces") assert.ok(shares.back.some((share) => share > 0 && share < 1), "the way back showed no progress");
    assert.match(await page.textContent("#verdict"), /Every byte is the same/);
    assert.deepEqual(complaints, []);
    if (process.env.SCREENSHOT && mode === "pieces") await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
  });
}

check("messages are compressed, both ways, if the server does that", async () => {
  for (const [flags, extensions] of [[[], ""], [["--deflate"], "permessage-deflate"]]) {
    const { url } = await towlineServer("serve", ...flags);
    const { page, complaints } = await openPage(url);
    const agreed = await page.evaluate(async (address) => {
      const socket = new WebSocket(address);
      socket.binaryType = "arraybuffer";
      const next = () => new Promise((resolve, reject) => {
        socket.onmessage = ({ data }) => resolve(data);
        socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
      });
      await new Promise((resolve) => { socket.onopen = resolve; });
      // The second message is where takeover shows (soketto's issue 49).
      for (const text of ["aaa", "aaa", "", "x".repeat(100), "x".repeat(100), "words and words; ".repeat(20_000)]) {
        const answer = next();
        socket.send(text);
        if (await answer !== text) throw new Error(`not the same: ${text.slice(0, 20)}`);
      }
      const noise = crypto.getRandomValues(new Uint8Array(60_000));
      const answer = next();
      socket.send(noise);
      const back = new Uint8Array(await answer);
      if (back.length !== noise.length || back.some((byte, at) => byte !== noise[at])) throw new Error("noise came back changed");
      return socket.extensions;
    }, `${url}/echo`);
    assert.equal(agreed, extensions);
    assert.deepEqual(complaints, []);
  }
});

check("a file that is dropped on the page travels, and so does an empty one", async () => {
  const { url } = await towlineServer("serve");
  const { page } = await openPage(url);
  await connect(page);
  for (const content of ["dropped, not chosen", ""]) {
    const dropped = await page.evaluateHandle((content) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([content], "note.txt"));
      return transfer;
    }, content);
    await page.$eval("#journey", (e) => delete e.dataset.match);
    await page.dispatchEvent("#drop", "drop", { dataTransfer: dropped });
    const { match, sha256Back } = await journey(page);
    assert.deepEqual([match, sha256Back], ["true", sha256(content)]);
  }
});

check("an upload is stored, and the server's SHA-256 is compared", async () => {
  const stored = mkdtempSync(join(folder, "stored-"));
  const { url } = await towlineServer("serve", "--dir", stored);
  const { page } = await openPage(url);
  await connect(page, `${url}/upload`);
  await page.setInputFiles("#file", PATH);
  const { match, sha256Back } = await journey(page);
  assert.deepEqual([match, sha256Back], ["true", sha256(FILE)]);
  const files = readdirSync(stored, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.deepEqual(files.map((file) => sha256(readFileSync(join(file.parentPath ?? file.path, file.name)))), [sha256(FILE)]);
});

check("a close by the page shows both sides' codes and reasons", async () => {
  const { url } = await towlineServer("serve");
  const { page, complaints } = await openPage(url);
  await connect(page);
  await page.fill("#close-code", "999");
  await page.click("#close");
  assert.match(await page.textContent("#close-error"), /1000, or 3000 to 4999/);
  await page.fill("#close-code", "4007");
  await page.fill("#close-reason", "that is all");
  await page.click("#close");
  await page.waitForSelector("#connection[data-state=closed]");
  assert.equal(await page.textContent("#closed-here"), "closed with 4007 (private) “that is all”");
  assert.match(await page.textContent("#closed-there"), /^answered 4007 \(private\)/);
  assert.deepEqual(complaints, []);
  // And again: the page is ready for the next connection.
  await connect(page);
  assert.equal(await page.textContent("#closed-there"), "");
});

check("a close by the server shows 1001, answered by the page", async () => {
  const { url, server } = await towlineServer("serve");
  const { page } = await openPage(url);
  await connect(page);
  server.kill("SIGINT");
  await page.waitForSelector("#connection[data-state=closed]");
  assert.match(await page.textContent("#closed-there"), /^closed with 1001 \(going away\)/);
  assert.match(await page.textContent("#closed-here"), /^answered 1001/);
});

check("a killed server is told from a closed one, also in the middle of a file", async () => {
  const { url, server } = await towlineServer("serve");
  const { page } = await openPage(url);
  await connect(page);
  await page.setInputFiles("#file", PATH);
  await page.waitForFunction(() => document.getElementById("out").value > 0);
  server.kill("SIGKILL");
  await page.waitForSelector("#connection[data-state=closed]");
  assert.match(await page.textContent("#closed-there"), /1006/);
  assert.match(await page.textContent("#verdict"), /ended on the way/);
});

check("a wrong address and a missing server are told apart, in words", async () => {
  const { url, server } = await towlineServer("serve");
  const { page } = await openPage(url);
  for (const address of ["nonsense", "http://127.0.0.1/", "ws://", "ws://127.0.0.1/#part"]) {
    await page.fill("#url", address);
    await page.click("#connect");
    assert.match(await page.textContent("#connect-error"), /no ws:\/\/ or wss:\/\/ address/, address);
  }
  server.kill("SIGKILL");
  await page.fill("#url", `${url}/echo`);
  await page.click("#connect");
  await page.waitForFunction(() => /No connection/.test(document.getElementById("connect-error").textContent));
  assert.equal(await page.isEnabled("#connect"), true);
});

check("at a phone's width nothing sticks out, and every control has a name", async () => {
  const { url } = await towlineServer("serve");
  const { page } = await openPage(url, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
  await connect(page);
  await page.fill("#text", "w".repeat(400));
  await page.tap("#send");
  await page.waitForSelector("#log .received.text");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  const nameless = await page.$$eval("input, textarea, button, progress", (controls) =>
    controls.filter((c) => !(c.labels?.length || c.textContent.trim() || c.ariaLabel)).map((c) => c.id));
  assert.deepEqual(nameless, []);
});

await runChecks("browser");
