// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { scope, Time } from "./fakes.mjs";

const { Outbox } = scope(["outbox.js"], ["Outbox"]);

test("nothing leaves before it is kept, and a repeat has the same name", async () => {
  const { outbox, sent, time, settle } = begin([null, "gone", { kept: true }]);
  outbox.add(text("a"));
  await settle();
  time.pass(500);
  await settle();
  time.pass(1_000);
  await settle();
  assert.deepEqual(sent.map(({ delivery, seen }) => [delivery, seen.length]), [["1", 1], ["1", 1], ["1", 1]]);
  time.pass(60_000);
  await settle();
  assert.equal(sent.length, 3);
});

test("what comes while a delivery is under way goes with the next, the newest text of a field only", async () => {
  const { outbox, sent, settle } = begin([]);
  outbox.add(text("first", 1));
  for (const one of ["i", "i am", "i am sad"]) outbox.add(text(one, 2));
  outbox.add(text("other", 2));
  await settle();
  assert.deepEqual(sent.map(({ seen }) => texts(seen)), [["first"], ["i am sad", "other"]]);
});

test("a worker that never answers is asked again under the same name", async () => {
  const { outbox, sent, settle, time } = begin([new Promise(() => {})]);
  outbox.add(text("a", 1));
  await settle();
  time.pass(10_000);
  await settle();
  time.pass(500);
  await settle();
  outbox.add(text("b", 2));
  await settle();
  time.pass(60_000);
  await settle();
  assert.deepEqual(sent.map(({ delivery, seen }) => [delivery, texts(seen)]), [["1", ["a"]], ["1", ["a"]], ["2", ["b"]]]);
});

test("it is bounded", async () => {
  const { outbox, sent, settle, time } = begin([null]);
  for (let field = 0; field < 200; field += 1) outbox.add(text(`t${field}`, field));
  await settle();
  time.pass(500);
  await settle();
  assert.deepEqual(sent.map(({ seen }) => seen.length), [1, 1, 64]);
  assert.equal(sent[2]?.seen.at(-1).text, "t199");
});

test("at the page's end everything goes at once, what is under way under its name", async () => {
  const { outbox, sent, settle } = begin([new Promise(() => {})]);
  outbox.add(text("a", 1));
  outbox.add(text("b", 2));
  outbox.flush();
  await settle();
  assert.deepEqual(sent.map(({ delivery, seen }) => [delivery, texts(seen)]), [["1", ["a"]], ["2", ["b"]], ["1", ["a"]]]);
});

test("after its end nothing is sent", async () => {
  const { outbox, sent, settle, time } = begin([null]);
  outbox.add(text("a"));
  await settle();
  outbox.end();
  outbox.add(text("b"));
  outbox.flush();
  time.pass(60_000);
  await settle();
  assert.equal(sent.length, 1);
});

/** @param {any[]} answers in turn; after them everything is kept */
function begin(answers) {
  const time = new Time();
  /** @type {{ delivery: string, seen: any[] }[]} */
  const sent = [];
  let name = 0;
  const send = async (/** @type {string} */ delivery, /** @type {any[]} */ seen) => {
    sent.push({ delivery, seen: [...seen] });
    const answer = answers.length > 0 ? await answers.shift() : { kept: true };
    if (answer === "gone") throw new Error("the worker is gone");
    return answer;
  };
  const outbox = new Outbox(send, time.later, () => String(++name));
  const settle = () => new Promise((done) => setImmediate(done));
  return { outbox, sent, time, settle };
}

/** @param {string} text @param {number} [field] */
function text(text, field = 1) {
  return { kind: "text", what: "typed", at: 1, url: "https://a.example/", title: null, field, text };
}

/** @param {{ text: string }[]} seen */
function texts(seen) {
  return seen.map(({ text }) => text);
}
