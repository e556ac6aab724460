// @ts-check
/** What the extension's files promise: permissions, storage, the notice's words. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import test from "node:test";

const HERE = new URL("../", import.meta.url);
const manifest = JSON.parse(read("manifest.json"));

test("the permissions are these three and no host's", () => {
  assert.deepEqual(manifest.permissions, ["nativeMessaging", "storage", "webNavigation"]);
  for (const key of ["host_permissions", "optional_permissions", "optional_host_permissions", "web_accessible_resources", "externally_connectable"]) {
    assert.equal(manifest[key], undefined, key);
  }
});

test("the key gives the id that the native host's registration names", () => {
  const hash = createHash("sha256").update(Buffer.from(manifest.key, "base64")).digest("hex").slice(0, 32);
  const id = [...hash].map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 16))).join("");
  assert.equal(id, "cemoeckodanlogblodheojhpojljnkkg");
});

test("Firefox finds what it asks for", () => {
  const { gecko } = manifest.browser_specific_settings;
  assert.equal(gecko.id, "redshank@redshank.example");
  const kinds = ["authenticationInfo", "bookmarksInfo", "browsingActivity", "financialAndPaymentInfo", "healthInfo", "locationInfo",
    "personalCommunications", "personallyIdentifyingInfo", "searchTerms", "websiteActivity", "websiteContent"];
  assert.ok(gecko.data_collection_permissions.required.every((/** @type {string} */ kind) => kinds.includes(kind)));
  assert.deepEqual(manifest.background.scripts, [manifest.background.service_worker]);
});

test("every file that the manifest and the notice name is there", () => {
  const named = [manifest.background.service_worker, ...manifest.content_scripts[0].js, ...Object.values(manifest.icons), ...Object.values(manifest.action.default_icon)];
  const inNotice = [...read("notice/notice.html").matchAll(/(?:src|href)="([^":#]+)"/g)].map(([, path]) => `notice/${path}`);
  for (const path of [...named, ...inNotice]) assert.ok(existsSync(new URL(path, HERE)), path);
  assert.deepEqual(readdirSync(new URL("page/", HERE)).sort(), manifest.content_scripts[0].js.map((/** @type {string} */ path) => path.slice(5)).sort());
});

test("nothing writes to a disk, a log or a page's markup, or runs what it fetched", () => {
  const banned = /storage\.(?:local|sync|managed)|indexedDB|localStorage|sessionStorage|\bcaches\b|console\.|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|importScripts/g;
  for (const folder of ["worker/", "page/", "notice/"]) {
    for (const file of readdirSync(new URL(folder, HERE)).filter((name) => /\.m?js$/.test(name))) {
      const code = read(folder + file).replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
      // The version of the notice is no content, and must outlive the browser session.
      const expected = file === "notice.mjs" && folder === "worker/" ? ["storage.local", "storage.local"] : [];
      assert.deepEqual(code.match(banned) ?? [], expected, folder + file);
    }
  }
});

test("the notice has words for every state that the worker tells it", () => {
  const told = [...(read("worker/notice.mjs").match(/\n  status\([\s\S]*?\n {2}\/\*\* Has an/)?.[0] ?? "").matchAll(/"([a-z_]+)"/g)].map(([, state]) => state);
  const worded = [...read("notice/notice.mjs").matchAll(/^ {2}([a-z_]+): \{/gm)].map(([, state]) => state);
  assert.deepEqual(told.sort(), worded.sort());
});

test("the notice's words are for a reader of nine years", () => {
  const strings = [...read("notice/notice.mjs").matchAll(/text:\s*"([^"]+)"/g)].map(([, words]) => words ?? "");
  const blocks = [...read("notice/notice.html").matchAll(/<(?:p|li|h2)[^>]*>([\s\S]*?)<\/(?:p|li|h2)>/g)].map(([, inner]) => inner?.replace(/<[^>]+>/g, "") ?? "");
  const sentences = [...blocks, ...strings].flatMap((block) => block.replace(/\b(?:childline\.org|ceop\.police)\.uk\b/g, "the site").split(/[.?!](?:\s|$)/))
    .map((sentence) => sentence.replace(/\s+/g, " ").trim()).filter((sentence) => /[a-z]/i.test(sentence));
  assert.ok(sentences.length > 30);
  for (const sentence of sentences) assert.ok(sentence.split(" ").length <= 25, sentence);
  const words = sentences.flatMap((sentence) => sentence.match(/[a-z][a-z'’-]*/gi) ?? []);
  const syllables = words.reduce((sum, word) => sum + syllablesOf(word), 0);
  // Flesch and Kincaid's grade (Kincaid et al. 1975): nine years are the fourth.
  const grade = 0.39 * (words.length / sentences.length) + 11.8 * (syllables / words.length) - 15.59;
  assert.ok(grade < 4, `grade ${grade.toFixed(1)}`);
});

/** @param {string} word */
function syllablesOf(word) {
  const bare = word.toLowerCase().replace(/[^a-z]/g, "").replace(/(?:[^laeiouy]es|[^td]ed|[^laeiouy]e)$/, "");
  return Math.max(1, (bare.match(/[aeiouy]+/g) ?? []).length);
}

/** @param {string} path */
function read(path) {
  return readFileSync(new URL(path, HERE), "utf8");
}
