// @ts-check
/** The worker's parts together: policy, pages, the conversation with the agent. */
import assert from "node:assert/strict";
import test from "node:test";

import { Agent } from "../worker/agent.mjs";
import { FIRST_WAIT, LONGEST_WAIT } from "../worker/host.mjs";
import { cut, fromAgent, fromPage, TEXT_BYTES, visit as visited } from "../worker/messages.mjs";
import { NoticePage } from "../worker/notice.mjs";
import { Pages } from "../worker/pages.mjs";
import { Policy } from "../worker/policy.mjs";
import { MOST_ITEMS, Queue } from "../worker/queue.mjs";
import { Store } from "../worker/store.mjs";
import { Area, Time } from "./fakes.mjs";

const WELCOME = {
  type: "welcome", protocol: 1, school: "Marsh Lane Academy", watched_by: "Dana Lead", help: "Room 4", notice_version: 3,
  typed: true, page_text: false, answers: false, active: true, private: 2,
};
const PRIVATE = [{ host: "childline.org.uk", path: "" }, { host: "nhs.uk", path: "/mental-health" }];

test("nothing is collected before the last entry of the private list and the notice", async () => {
  const { policy } = await begin({ shown: null });
  assert.equal(policy.collecting, null);
  assert.equal(await policy.begin(parsed(WELCOME)), false);
  assert.equal(await policy.more(PRIVATE.slice(0, 1)), false);
  assert.equal(policy.collecting, null);
  assert.equal(policy.isPrivate("https://school.example/"), true);
  assert.equal(await policy.more(PRIVATE.slice(1)), true);
  assert.deepEqual([policy.collecting, policy.noticeDue], [null, 3]);
  policy.shown(3);
  assert.notEqual(policy.collecting, null);
  assert.equal(policy.welcome?.school, "Marsh Lane Academy");
  assert.equal(policy.isPrivate("https://school.example/"), false);
  assert.equal(policy.isPrivate("https://www.childline.org.uk/x"), true);
});

test("a policy stays in force until the next is complete, and through the worker's stop", async () => {
  const { policy, area } = await begin();
  await say(policy, WELCOME, PRIVATE);
  await policy.begin(parsed({ ...WELCOME, private: 1, typed: false }));
  assert.equal(policy.collecting?.typed, true);
  const restarted = await begin({ area });
  assert.equal(restarted.policy.collecting?.typed, true);
  await policy.more([{ host: "samaritans.org", path: "" }]);
  assert.equal(policy.collecting?.typed, false);
  assert.equal(policy.isPrivate("https://childline.org.uk/"), false);
});

test("a list with an entry that is no host, or with one too many, is not in force", async () => {
  const { policy } = await begin();
  await say(policy, WELCOME, [PRIVATE[0], { host: "a b", path: "" }]);
  assert.equal(policy.welcome, null);
  await say(policy, { ...WELCOME, private: 1 }, PRIVATE);
  assert.equal(policy.welcome, null);
});

test("outside school hours and before a new notice nothing is collected", async () => {
  const { policy } = await begin();
  await say(policy, { ...WELCOME, active: false }, PRIVATE);
  assert.equal(policy.collecting, null);
  await say(policy, { ...WELCOME, notice_version: 4 }, PRIVATE);
  assert.deepEqual([policy.collecting, policy.noticeDue], [null, 4]);
});

test("where the browser knows no host it is off until the browser starts again, not where there was one", async () => {
  for (const reason of ["Specified native messaging host not found.", "Access to the specified native messaging host is forbidden.", "No such native application uk.redshank.agent"]) {
    const { agent, policy, ports, time, area } = await begin();
    agent.begin();
    ports[0]?.close(reason);
    time.pass(10 * LONGEST_WAIT);
    await turn();
    assert.deepEqual([policy.off, ports.length], [true, 1], reason);
    const restarted = await begin({ area });
    restarted.agent.begin();
    assert.deepEqual([restarted.policy.off, restarted.ports.length], [true, 0]);
  }
  const { agent, policy, ports, time } = await begin();
  agent.begin();
  await welcome(ports[0]);
  ports[0]?.close("Specified native messaging host not found.");
  time.pass(FIRST_WAIT);
  assert.deepEqual([policy.off, ports.length], [false, 2]);
});

test("a host that exits is started again, at longer and longer intervals that stay below the worker's idle time", async () => {
  const { agent, ports, time } = await begin();
  agent.begin();
  const gaps = [];
  for (let index = 0; index < 9; index += 1) {
    ports.at(-1)?.close("Native host has exited.");
    const closed = time.now;
    const before = ports.length;
    while (ports.length === before) time.pass(100);
    gaps.push(time.now - closed);
  }
  assert.deepEqual(gaps, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000]);
  assert.ok(LONGEST_WAIT < 30_000);
});

test("hello comes first, items after the welcome, and again after the agent was away", async () => {
  const { agent, ports, queue } = await begin();
  agent.begin();
  await turn();
  await queue.add([visit("a"), visit("b")]);
  await agent.pump();
  assert.deepEqual(ports[0]?.sent, [{
    type: "hello", protocol: 1, session: "00112233aabbccdd", browser: "Chromium", private_windows: true,
  }]);
  await welcome(ports[0]);
  assert.deepEqual(ports[0]?.sent[1], {
    type: "items",
    items: [
      { kind: "visit", at: 1, private: false, url: "https://a.example/", title: null, transition: "link", n: 1 },
      { kind: "visit", at: 1, private: false, url: "https://b.example/", title: null, transition: "link", n: 2 },
    ],
  });
  ports[0]?.hear({ type: "stored", n: 1 });
  await turn();
  ports[0]?.hear({ type: "away" });
  await queue.add([visit("c")]);
  await agent.pump();
  assert.equal(agent.present, false);
  assert.equal(ports[0]?.sent.length, 2);
  ports[0]?.hear({ type: "back" });
  await turn();
  assert.equal(ports[0]?.sent[2].type, "hello");
  await welcome(ports[0]);
  /** @type {any} */
  const resent = ports[0]?.sent[3];
  assert.deepEqual(resent.items.map((/** @type {any} */ item) => item.n), [2, 3]);
});

test("an agent that refuses is told nothing more until it is another one, and the notice asks for an update", async () => {
  const { agent, policy, ports, queue, time, area } = await begin();
  const notice = new NoticePage(policy);
  agent.begin();
  await turn();
  const refusal = { type: "refused", protocol: 2, reason: "versions that do not understand each other" };
  ports[0]?.hear(refusal);
  time.pass(10 * LONGEST_WAIT);
  await turn();
  assert.deepEqual([agent.refused, ports.length, ports[0]?.sent.length], [true, 1, 1]);
  assert.deepEqual([notice.status(agent).state, policy.collecting], ["refused_idle", null]);

  // Another agent, which understands; and one that does not, while there is something to tell.
  ports[0]?.hear({ type: "back" });
  await turn();
  assert.equal(notice.status(agent).state, "waiting");
  await welcome(ports[0]);
  assert.deepEqual([agent.refused, notice.status(agent).state], [false, "on"]);
  ports[0]?.hear(refusal);
  await turn();
  assert.deepEqual([agent.present, notice.status(agent).state], [false, "refused"]);
  const said = ports[0]?.sent.length;
  for (let index = 0; index < MOST_ITEMS + 5; index += 5) await queue.add(Array.from({ length: 5 }, () => visit("a")));
  await agent.pump();
  time.pass(10 * LONGEST_WAIT);
  assert.deepEqual([ports.length, ports[0]?.sent.length], [1, said]);
  assert.equal(area.keys().filter((key) => key.startsWith("item:")).length, MOST_ITEMS);
  ports[0]?.hear({ type: "back" });
  await welcome(ports[0]);
  assert.deepEqual([agent.refused, ports[0]?.sent.at(-1).type], [false, "items"]);

  await say(policy, { ...WELCOME, active: false }, PRIVATE);
  assert.equal(notice.status({ present: false, refused: true }).state, "refused_idle");
  ports[0]?.close("Native host has exited.");
  assert.equal(agent.refused, false);
});

test("a message that is not as it should be changes nothing", () => {
  for (const message of [
    null, undefined, 7, "welcome", {}, { type: "other" }, { ...WELCOME, protocol: 2 }, { ...WELCOME, private: -1 }, { ...WELCOME, private: "2" },
    { ...WELCOME, private: 1e9 }, { type: "private" }, { type: "private", entries: [{ host: 1 }] }, { type: "private", entries: [{ host: "x".repeat(300) }] },
    { type: "stored" }, { type: "stored", n: 1.5 }, { type: "stored", n: -1 },
  ]) assert.equal(fromAgent(message), null, JSON.stringify(message));
  const vague = parsed({ ...WELCOME, typed: 1, page_text: "yes", answers: undefined, active: null, school: "x".repeat(10_000) });
  assert.deepEqual([vague.typed, vague.page_text, vague.answers, vague.active, vague.school.length], [false, false, false, false, 500]);
});

test("no address holds a name or password", () => {
  for (const [url, expected] of [
    ["https://user:pass@a.example/x@y?q=@#@", "https://a.example/x@y?q=@#@"],
    ["https://a.example?q=me@b.example", "https://a.example?q=me@b.example"],
    ["ftp://me@a.example/", "ftp://a.example/"],
  ]) assert.equal(visited({ at: 1, private: false, url: url ?? "" }, "link").url, expected);
});

test("texts are cut at a character", () => {
  assert.equal(cut("abc", 10), "abc");
  assert.equal(cut("€€", 4), "€");
  assert.equal(cut("a😀", 4), "a");
  const where = { at: 1, private: false, url: "https://a.example/" };
  const text = fromPage(where, { kind: "text", what: "typed", field: 1, text: "😀".repeat(20_000), title: "t".repeat(9_000) });
  assert.ok(text?.kind === "text" && Buffer.byteLength(text.text) === TEXT_BYTES && text.title?.length === 4_096);
  for (const said of [null, {}, { kind: "visit" }, { kind: "title", title: "" }, { kind: "text", what: "key", field: 1, text: "x" },
    { kind: "text", what: "typed", field: 0.5, text: "x" }, { kind: "text", what: "typed", field: 1, text: "" }]) {
    assert.equal(fromPage(where, said), null, JSON.stringify(said));
  }
});

/** A page of frames: what a frame of it is told, by its address and those around it. */
test("a frame is read only if nothing around it is private", async () => {
  const { policy } = await begin();
  await say(policy, WELCOME, PRIVATE);
  /** @type {[string[], boolean][]} the frame last */
  const cases = [
    [["https://school.example/"], true],
    [["https://school.example/", "https://widget.example/"], true],
    [["https://school.example/", "https://widget.example/", "about:blank"], true],
    [["https://childline.org.uk/"], false],
    [["https://childline.org.uk/", "https://chat.example/"], false],
    [["https://school.example/", "https://chat.childline.org.uk/"], false],
    [["https://school.example/", "https://childline.org.uk/", "about:blank"], false],
    [["https://www.nhs.uk/mental-health/x", "about:blank"], false],
    [["https://www.nhs.uk/live-well"], true],
    [["https://shop.example/", "https://js.stripe.com/v3/"], false],
    [["https://checkout.stripe.com/", "https://shop.example/"], false],
    [["about:blank"], false],
    [["file:///x"], false],
  ];
  for (const [addresses, read] of cases) {
    const frameId = addresses.length - 1;
    const frames = addresses.map((url, id) => ({ frameId: id, parentFrameId: id - 1, url }));
    const pages = new Pages(policy, async () => frames);
    const sender = { tab: { id: 1, incognito: true }, frameId, url: addresses[frameId] };
    assert.equal((await pages.verdict(sender, { url: sender.url })).read, read, addresses.join(" > "));
    const seen = await pages.seen(sender, { seen: [text("x", sender.url)], around: [] });
    assert.equal(seen.length, read ? 1 : 0, addresses.join(" > "));
    if (read) assert.deepEqual([seen[0]?.private, seen[0]?.url], [true, addresses.findLast((one) => one !== "about:blank")]);
  }
});

test("what a page said counts at the address where it was said, within its origin", async () => {
  const { policy } = await begin();
  await say(policy, WELCOME, PRIVATE);
  const pages = new Pages(policy, async () => []);
  const at = async (/** @type {string} */ now, /** @type {string} */ then, /** @type {string[]} */ around = [], frameId = 0) => {
    const seen = await pages.seen({ tab: { id: 1, incognito: false }, frameId, url: now }, { seen: [text("x", then)], around });
    return seen[0]?.url ?? null;
  };
  assert.equal(await at("https://a.example/two", "https://a.example/one"), "https://a.example/one");
  assert.equal(await at("https://a.example/", "https://other.example/"), "https://a.example/");
  assert.equal(await at("https://www.nhs.uk/", "https://www.nhs.uk/mental-health"), null);
  assert.equal(await at("https://www.nhs.uk/mental-health", "https://www.nhs.uk/"), null);
  // The page is gone: what the frame was told when it asked.
  assert.equal(await at("https://a.example/", "https://a.example/", ["https://childline.org.uk/"], 5), null);
  assert.equal(await at("about:blank", "about:blank", ["https://a.example/"], 5), "https://a.example/");
});

test("only what the school wants is kept", async () => {
  for (const [welcome, expected] of /** @type {[Record<string, boolean>, string[]][]} */ ([
    [{ typed: true }, ["typed", "prompt"]],
    [{ typed: false }, []],
    [{ typed: false, answers: true }, ["answer"]],
    [{ typed: false, page_text: true }, ["page"]],
    [{ typed: true, active: false }, []],
  ])) {
    const { policy } = await begin();
    await say(policy, { ...WELCOME, ...welcome }, PRIVATE);
    const pages = new Pages(policy, async () => []);
    const said = ["typed", "prompt", "answer", "page"].map((what) => ({ ...text("x", "https://a.example/"), what }));
    const seen = await pages.seen({ tab: { id: 1, incognito: false }, frameId: 0, url: "https://a.example/" }, { seen: said });
    assert.deepEqual(seen.map((one) => (one.kind === "text" ? one.what : one.kind)), expected, JSON.stringify(welcome));
  }
});

test("a frame is told what is wanted of it", async () => {
  const { policy } = await begin();
  await say(policy, { ...WELCOME, page_text: true, answers: true }, PRIVATE);
  const verdict = (/** @type {string} */ url, frameId = 0) =>
    new Pages(policy, async () => [{ frameId: 0, parentFrameId: -1, url: "https://a.example/" }, { frameId, parentFrameId: frameId - 1, url }])
      .verdict({ tab: { id: 1, incognito: false }, frameId, url }, { url });
  assert.deepEqual(await verdict("https://a.example/"), { read: true, typed: true, prompt: false, page_text: true, answers: false, title: true, around: [] });
  assert.deepEqual(await verdict("https://claude.ai/chat"), { read: true, typed: true, prompt: true, page_text: true, answers: true, title: true, around: [] });
  assert.deepEqual(await verdict("https://f.example/", 1), {
    read: true, typed: true, prompt: false, page_text: false, answers: false, title: false, around: ["https://a.example/"],
  });
});

/** @param {{ area?: Area, shown?: number | null }} [options] */
async function begin({ area = new Area(), shown = 3 } = {}) {
  const time = new Time();
  const store = new Store(area);
  const saved = await store.read();
  const policy = new Policy(store, saved, shown);
  const queue = new Queue(store, saved);
  /** @type {FakePort[]} */
  const ports = [];
  const connect = () => {
    const port = new FakePort();
    ports.push(port);
    return port;
  };
  const facts = async () => ({ browser: "Chromium", private_windows: true });
  const worker = { session: "00112233aabbccdd", policy, queue, facts, changed() {} };
  const agent = new Agent(worker, connect, (port) => port.reason, time.later);
  return { area, time, policy, queue, ports, agent };
}

class FakePort {
  name = "uk.redshank.agent";
  reason = "";
  /** @type {any[]} */
  sent = [];
  /** @type {(message: any) => void} */
  hear = () => {};
  #closed = (/** @type {any} */ _port) => {};
  onMessage = { addListener: (/** @type {(message: any) => void} */ listener) => void (this.hear = listener) };
  onDisconnect = { addListener: (/** @type {(port: any) => void} */ listener) => void (this.#closed = listener) };
  disconnect() {}

  /** @param {any} message */
  postMessage(message) {
    this.sent.push(JSON.parse(JSON.stringify(message)));
  }

  /** @param {string} reason */
  close(reason) {
    this.reason = reason;
    this.#closed(this);
  }
}

/** @param {FakePort | undefined} port */
async function welcome(port) {
  port?.hear(WELCOME);
  port?.hear({ type: "private", entries: PRIVATE });
  await turn();
}

/** Everything that waits for nothing but other promises has happened. */
function turn() {
  return new Promise((done) => setImmediate(done));
}

/** @param {Policy} policy @param {any} message @param {any[]} entries */
async function say(policy, message, entries) {
  await policy.begin(parsed(message));
  await policy.more(entries);
}

/** @param {any} message */
function parsed(message) {
  const read = fromAgent(message);
  assert.ok(read?.type === "welcome");
  return read.welcome;
}

/** @param {string} host @returns {import("../worker/messages.mjs").Seen} */
function visit(host) {
  return { kind: "visit", at: 1, private: false, url: `https://${host}.example/`, title: null, transition: "link" };
}

/** @param {string} words @param {string | undefined} url */
function text(words, url) {
  return { kind: "text", what: "typed", at: 1, url, title: null, field: 5, text: words };
}
