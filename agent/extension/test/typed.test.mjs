// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { scope, Time } from "./fakes.mjs";

const { TypedText, PAUSE } = scope(["typed.js"], ["TypedText", "PAUSE"]);

test("text is sent after the pause, once, as it stands then", () => {
  const { time, typed, sent, type } = begin();
  const field = {};
  type(field, "i want to die of laughter", 200);
  time.pass(PAUSE - 1);
  assert.deepEqual(sent, []);
  time.pass(1);
  assert.deepEqual(texts(sent), ["i want to die of laughter"]);
  time.pass(60_000);
  typed.finished(field);
  typed.allFinished();
  /** @type {any[]} the check that nothing was sent made this a list of nothing */
  const all = sent;
  assert.deepEqual(all.map((one) => one.at), [1_000_000 + 24 * 200]);
});

test("Enter, another field and the page's end do not wait", () => {
  for (const end of ["finished", "allFinished"]) {
    const { typed, sent, type } = begin();
    const field = {};
    type(field, "now");
    typed[end](end === "finished" ? field : undefined);
    assert.deepEqual(texts(sent), ["now"], end);
  }
});

test("at Enter what stands there counts, if it was typed", () => {
  const { time, typed, sent, type } = begin();
  const [slow, filled] = [{}, {}];
  type(slow, "see yo");
  typed.finished(slow, "see you");
  typed.finished(filled, "put there by the page");
  time.pass(PAUSE);
  assert.deepEqual(texts(sent), ["see you"]);
});

test("a press of a button leaves the field alone that it is in", () => {
  const { typed, sent, type } = begin();
  const [stays, other] = [{}, {}];
  type(stays, "half a sen");
  type(other, "done");
  typed.allFinished(stays);
  assert.deepEqual(texts(sent), ["done"]);
});

test("a field keeps its number and another has another", () => {
  const { time, sent, type } = begin();
  const field = {};
  type(field, "one");
  time.pass(PAUSE);
  type(field, " two", 0, "one");
  time.pass(PAUSE);
  type({}, "three");
  time.pass(PAUSE);
  assert.deepEqual(texts(sent), ["one", "one two", "three"]);
  assert.equal(sent[0].field, sent[1].field);
  assert.notEqual(sent[0].field, sent[2].field);
});

test("a message said twice was said twice, and one left standing once", () => {
  const { time, typed, sent, type } = begin();
  const field = {};
  type(field, "kys");
  typed.finished(field);
  type(field, "kys");
  typed.finished(field);
  type(field, " ", 0, "kys");
  time.pass(PAUSE);
  assert.deepEqual(texts(sent), ["kys", "kys"]);
  assert.notEqual(sent[0].field, sent[1].field, "another message, to the agent as well");
});

test("one letter that was sent does not run into the next message", () => {
  const { typed, sent, type } = begin();
  const field = {};
  type(field, "k");
  typed.finished(field);
  type(field, "hello");
  typed.finished(field);
  assert.deepEqual(texts(sent), ["k", "hello"]);
});

test("what the page takes away before the pause is sent all the same", () => {
  const { time, sent, type } = begin();
  const field = {};
  type(field, "sent by a script");
  type(field, "next");
  time.pass(PAUSE);
  assert.deepEqual(texts(sent), ["sent by a script", "next"]);
});

test("what somebody deletes before the pause was not said", () => {
  const { time, typed, sent, type } = begin();
  const field = {};
  type(field, "oh no");
  typed.before(field, "oh no");
  typed.changed(field, "");
  time.pass(PAUSE);
  assert.deepEqual(sent, []);
});

test("while an input method composes nothing is sent", () => {
  const { time, typed, sent } = begin();
  const field = {};
  typed.composing(field, true);
  typed.changed(field, "に");
  time.pass(5 * PAUSE);
  assert.deepEqual(sent, []);
  typed.changed(field, "日本");
  typed.composing(field, false);
  time.pass(PAUSE);
  assert.deepEqual(texts(sent), ["日本"]);
});

test("an editor that takes each key away is put together again", () => {
  const { time, typed, sent } = begin();
  const field = {};
  const key = (/** @type {string} */ letter) => {
    typed.before(field, "");
    typed.changed(field, letter);
  };
  for (const letter of "i am sadx") key(letter);
  typed.tookBack(field);
  time.pass(PAUSE);
  for (const letter of " today") key(letter);
  typed.finished(field);
  for (const letter of "bye") key(letter);
  time.pass(PAUSE);
  assert.deepEqual(texts(sent), ["i am sad", "i am sad today", "i am sad today\nbye"]);
  for (let index = 0; index < 5_000; index += 1) key("y");
  time.pass(PAUSE);
  assert.ok(sent.at(-1).text.length <= 2_001);
});

test("what is not to be read is forgotten, unsent", () => {
  const { time, typed, sent, type } = begin();
  const [one, other] = [{}, {}];
  type(one, "secret");
  typed.forget(one);
  type(other, "secret");
  typed.forgetAll();
  time.pass(PAUSE);
  typed.allFinished();
  assert.deepEqual(sent, []);
});

test("text from when the page was not to be read stays unread until the field has been empty", () => {
  const { time, sent, typed, type } = begin(true);
  const [old, fresh] = [{}, {}];
  type(old, " more", 0, "private words");
  type(fresh, "public");
  time.pass(PAUSE);
  assert.deepEqual(texts(sent), ["public"]);
  typed.before(old, "private words more");
  typed.changed(old, "");
  type(old, "public too");
  time.pass(PAUSE);
  assert.deepEqual(texts(sent), ["public", "public too"]);
});

/** @param {boolean} [wasNotRead] */
function begin(wasNotRead = false) {
  const time = new Time();
  /** @type {any[]} */
  const sent = [];
  let number = 0;
  const around = { now: () => time.now, later: time.later, cancel: time.cancel, number: () => ++number };
  const typed = new TypedText((/** @type {any} */ one) => sent.push(one), around, wasNotRead);
  /** Types into a field, letter by letter. @param {object} field @param {string} text @param {number} [gap] @param {string} [stands] */
  const type = (field, text, gap = 0, stands = "") => {
    for (let length = 1; length <= text.length; length += 1) {
      if (length > 1) time.pass(gap);
      typed.before(field, stands + text.slice(0, length - 1));
      typed.changed(field, stands + text.slice(0, length));
    }
  };
  return { time, typed, sent, type };
}

/** @param {{ text: string }[]} sent */
function texts(sent) {
  return sent.map(({ text }) => text);
}
