// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { BURST, fragmentMatters, isPage, LONGEST_BURST, Navigations, transition } from "../worker/navigation.mjs";
import { Time } from "./fakes.mjs";

test("a committed document is a visit; a subframe, a page loaded ahead and another scheme are none", () => {
  const { committed, seen } = begin();
  committed("https://a.example/", { transitionType: "typed" });
  committed("https://a.example/", { transitionType: "reload" });
  committed("https://frame.example/", { frameId: 7 });
  for (const other of ["file:///home/x", "about:blank", "chrome://settings", "data:text/html,x", "blob:https://a.example/1", "view-source:https://a.example"]) committed(other);
  assert.deepEqual(seen, ["typed https://a.example/", "reload https://a.example/"]);
});

test("a change of address in a page is a visit at once, the same address none", () => {
  const { committed, rewritten, seen } = begin();
  committed("https://a.example/");
  rewritten("https://a.example/");
  rewritten("https://a.example/two");
  assert.deepEqual(seen, ["link https://a.example/", "link https://a.example/two"]);
});

test("of a burst the beginning and the end count", () => {
  const { committed, rewritten, seen, time } = begin();
  committed("https://a.example/");
  for (const query of ["i", "i+want+to+die", "i+want+to+die+of+laughter"]) {
    rewritten(`https://a.example/?q=${query}`);
    time.pass(BURST - 1);
  }
  assert.equal(seen.length, 2);
  time.pass(1);
  assert.deepEqual(seen.slice(1), ["link https://a.example/?q=i", "link https://a.example/?q=i+want+to+die+of+laughter"]);
});

test("a burst has an end, also by a new document and by the tab's", () => {
  const { committed, rewritten, closed, seen, time } = begin();
  for (let step = 0; step * 500 <= LONGEST_BURST; step += 1) {
    rewritten(`https://map.example/@${step}`);
    time.pass(500);
  }
  assert.deepEqual(seen, ["link https://map.example/@0", "link https://map.example/@20"]);
  rewritten("https://map.example/@a");
  rewritten("https://map.example/@b");
  committed("https://b.example/");
  assert.deepEqual(seen.slice(2), ["link https://map.example/@a", "link https://map.example/@b", "link https://b.example/"]);
  rewritten("https://b.example/1");
  rewritten("https://b.example/2");
  closed();
  time.pass(60_000);
  assert.deepEqual(seen.slice(5), ["link https://b.example/1", "link https://b.example/2"]);
});

test("tabs do not disturb each other", () => {
  const { rewritten, seen } = begin();
  rewritten("https://a.example/1");
  rewritten("https://a.example/1", { tabId: 2 });
  assert.equal(seen.length, 2);
});

test("behind the # only a page or a query counts", () => {
  for (const url of ["https://a.example/#!/x", "https://a.example/#/inbox", "https://www.google.com/#q=x", "https://a.example/#a=1&query=x"]) assert.ok(fragmentMatters(url), url);
  for (const url of ["https://a.example/", "https://a.example/#", "https://a.example/#top", "https://a.example/?q=x#part-2", "https://a.example/#seq=1x"]) assert.ok(!fragmentMatters(url), url);
});

test("transitions are named as the agent names them", () => {
  for (const [type, qualifiers, expected] of /** @type {[string | undefined, string[], string][]} */ ([
    ["link", [], "link"],
    ["link", ["forward_back"], "link"],
    ["link", ["server_redirect"], "link"],
    ["link", ["client_redirect"], "redirect"],
    ["typed", ["from_address_bar"], "typed"],
    ["auto_bookmark", [], "bookmark"],
    ["form_submit", [], "form_submit"],
    ["reload", [], "reload"],
    ["generated", ["from_address_bar"], "search"],
    ["keyword", [], "search"],
    ["keyword_generated", [], "search"],
    ["start_page", [], "other"],
    ["auto_toplevel", [], "other"],
    [undefined, [], "other"],
  ])) assert.equal(transition(type, qualifiers), expected, `${type} ${qualifiers}`);
});

test("pages are on a network", () => {
  for (const url of ["http://a.example/", "HTTPS://a.example/", "ftp://a.example/x"]) assert.ok(isPage(url), url);
  for (const url of ["", "httpx://a", "chrome-extension://x/http://", "file:///http://", "javascript:1"]) assert.ok(!isPage(url), url);
});

function begin() {
  const time = new Time();
  /** @type {string[]} */
  const seen = [];
  const navigations = new Navigations(({ transition, url }) => seen.push(`${transition} ${url}`), time.later, time.cancel);
  const details = (/** @type {string} */ url, more = {}) => ({ tabId: 1, frameId: 0, url, timeStamp: time.now, transitionType: "link", ...more });
  return {
    time,
    seen,
    committed: (/** @type {string} */ url, more = {}) => navigations.committed(details(url, more)),
    rewritten: (/** @type {string} */ url, more = {}) => navigations.rewritten(details(url, more)),
    closed: () => navigations.closed(1),
  };
}
