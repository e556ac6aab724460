// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { BATCH_BYTES, BATCH_ITEMS, MOST_BYTES, MOST_ITEMS, Queue } from "../worker/queue.mjs";
import { Store } from "../worker/store.mjs";
import { Area } from "./fakes.mjs";

test("an item is in the store before add ends, under a number that rises and is never given twice", async () => {
  const area = new Area();
  const queue = await open(area);
  await queue.add([visit("a"), visit("b")]);
  assert.deepEqual(area.keys().sort(), ["item:1", "item:2", "queue"]);
  await queue.stored(2);
  assert.deepEqual(area.keys(), ["queue"]);
  await queue.add([visit("c")]);
  assert.deepEqual((await queue.take(now)).map((item) => [item.n, item.url]), [[3, "https://c.example/"]]);
});

test("a worker that is stopped and started again has everything, in order, and goes on with its numbers", async () => {
  const area = new Area();
  const first = await open(area);
  for (let index = 0; index < 12; index += 1) await first.add([visit(String(index))]);
  await first.take(now);
  await first.stored(2);
  const second = await open(area);
  await second.add([visit("new")]);
  assert.deepEqual((await second.take(now)).map((item) => item.n), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
});

test("what is sent is not sent again over the same connection, and all of it over the next", async () => {
  const queue = await open(new Area());
  await queue.add([visit("a"), visit("b")]);
  assert.equal((await queue.take(now)).length, 2);
  assert.equal((await queue.take(now)).length, 0);
  queue.reconnected();
  assert.equal((await queue.take(now)).length, 2);
});

test("a message has its bounds, and so has what is on its way", async () => {
  const queue = await open(new Area());
  await queue.add(Array.from({ length: 400 }, () => visit("a")));
  const batches = [];
  for (let batch = await queue.take(now); batch.length > 0; batch = await queue.take(now)) batches.push(batch.length);
  assert.deepEqual(batches, Array(4).fill(BATCH_ITEMS));
  await queue.stored(100);
  assert.equal((await queue.take(now))[0]?.n, 257);

  const large = await open(new Area());
  await large.add(Array.from({ length: 40 }, () => text("€".repeat(10_000))));
  const batch = await large.take(now);
  assert.ok(batch.length > 10 && JSON.stringify(batch).length < BATCH_BYTES);
  assert.ok(Buffer.byteLength(JSON.stringify(batch)) < BATCH_BYTES + 200);
});

test("over the bounds the oldest go and are told once, as one item", async () => {
  const area = new Area();
  const queue = await open(area);
  for (let index = 0; index < MOST_ITEMS + 30; index += 10) await queue.add(Array.from({ length: 10 }, () => visit("a")));
  assert.equal(waiting(area), MOST_ITEMS);

  const later = await open(area);
  const all = await drain(later);
  assert.equal(all[0]?.n, 31);
  const lost = all.filter((item) => item.kind === "lost");
  assert.deepEqual(lost.map((item) => item.kind === "lost" && [item.n, item.count]), [[MOST_ITEMS + 31, 30]]);
  assert.deepEqual(await drain(later), []);
});

test("bytes are bounded, too, and what is on its way stays", async () => {
  const area = new Area();
  const queue = await open(area);
  const large = () => text("x".repeat(32 * 1024));
  await queue.add([large(), large()]);
  assert.equal((await queue.take(now)).length, 2);
  for (let index = 0; index < 200; index += 1) await queue.add([large()]);
  assert.ok(waiting(area) * 32 * 1024 <= MOST_BYTES);
  queue.reconnected();
  assert.deepEqual((await queue.take(now)).slice(0, 2).map((item) => item.n), [1, 2]);
});

test("what a content script repeats is kept once, by a new worker, too", async () => {
  const area = new Area();
  const queue = await open(area);
  await queue.add([text("a")], "delivery");
  await queue.add([text("a")], "delivery");
  const restarted = await open(area);
  await restarted.add([text("a")], "delivery");
  await restarted.add([text("a")], "another");
  assert.deepEqual((await restarted.take(now)).map((item) => item.n), [1, 2]);
});

test("where the browser has no room, half of it goes and is counted; where it has none at all, add fails", async () => {
  const area = new Area();
  const queue = await open(area);
  for (let index = 0; index < 10; index += 1) await queue.add([text("x".repeat(1_000))]);
  area.quota = 11_500;
  await queue.add([text("x".repeat(1_000))]);
  assert.equal(waiting(area), 5);
  assert.equal((await new Store(area).read())["queue"].lost, 6);
  area.quota = 10;
  await assert.rejects(queue.add([text("last")], "again"));
  area.quota = Infinity;
  await queue.add([text("last")], "again");
  const restarted = await open(area);
  const texts = (await drain(restarted)).map((item) => (item.kind === "text" ? item.text : item.kind));
  assert.deepEqual(texts.filter((one) => one === "last"), ["last"]);
});

test("writes that wait for another go together", async () => {
  const area = new Area();
  const queue = await open(area);
  await Promise.all(Array.from({ length: 20 }, () => queue.add([visit("a")])));
  assert.equal(area.writes, 1);
  assert.equal(area.keys().length, 21);
});

test("a cleared queue is empty and counts nothing", async () => {
  const area = new Area();
  const queue = await open(area);
  await queue.add([visit("a")]);
  await queue.clear();
  assert.deepEqual(area.keys(), ["queue"]);
  assert.deepEqual(await queue.take(now), []);
});

const now = () => 7;

/** @param {Area} area */
function waiting(area) {
  return area.keys().filter((key) => key.startsWith("item:")).length;
}

/** @param {Area} area */
async function open(area) {
  const store = new Store(area);
  return new Queue(store, await store.read());
}

/** @param {Queue} queue */
async function drain(queue) {
  const all = [];
  for (let batch = await queue.take(now); batch.length > 0; batch = await queue.take(now)) {
    all.push(...batch);
    await queue.stored(batch.at(-1)?.n ?? 0);
  }
  return all;
}

/** @param {string} host @returns {import("../worker/messages.mjs").Seen} */
function visit(host) {
  return { kind: "visit", at: 1, private: false, url: `https://${host}.example/`, title: null, transition: "link" };
}

/** @param {string} text @returns {import("../worker/messages.mjs").Seen} */
function text(text) {
  return { kind: "text", at: 1, private: false, url: "https://a.example/", what: "typed", title: null, field: 5, text };
}
