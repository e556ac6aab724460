// @ts-check
/**
 * The extension's worker: what the browser's events and the content scripts tell goes through the policy into
 * the queue, and from there to the agent.
 *
 * ```text
 * webNavigation ──► Navigations ─┐
 *                                ├─► policy, private list ──► Queue (storage.session) ──► Agent ──► native host
 * content scripts ──► Pages ─────┘
 * ```
 *
 * The browser stops the worker when it is idle and starts it again for the next event: so every listener is
 * registered at once, before anything is awaited, and what it does waits for what is in `storage.session`.
 * Nothing of what was seen is logged.
 */

import { Agent } from "./agent.mjs";
import { askAgain, facts, newSession, whyClosed } from "./browser.mjs";
import * as messages from "./messages.mjs";
import { Navigations } from "./navigation.mjs";
import { NoticePage, versionShown } from "./notice.mjs";
import { Pages } from "./pages.mjs";
import { Policy } from "./policy.mjs";
import { Queue } from "./queue.mjs";
import { Store } from "./store.mjs";

const ON_A_NETWORK = { url: [{ schemes: ["http", "https", "ftp"] }] };

const ready = start();

// These two do nothing but start the worker with the browser, which opens the connection.
chrome.runtime.onStartup.addListener(() => {});
chrome.runtime.onInstalled.addListener(() => {});

chrome.webNavigation.onCommitted.addListener((details) => whenReady(({ navigations, notice }) => {
  navigations.committed(details);
  return notice.show();
}), ON_A_NETWORK);
chrome.webNavigation.onHistoryStateUpdated.addListener((details) => whenReady(({ navigations }) => {
  navigations.rewritten(details);
  return askAgain(details.tabId);
}), ON_A_NETWORK);
chrome.webNavigation.onReferenceFragmentUpdated.addListener((details) => whenReady(({ navigations }) => {
  navigations.fragment(details);
  return askAgain(details.tabId);
}), ON_A_NETWORK);
chrome.tabs.onRemoved.addListener((tab) => whenReady(({ navigations }) => navigations.closed(tab)));
chrome.action.onClicked.addListener(() => whenReady(({ notice }) => notice.open()));
chrome.runtime.onMessage.addListener((message, sender, answer) => {
  if (sender.id !== chrome.runtime.id) return false;
  // What could not be kept is answered with nothing: the content script tries again.
  ready.then((parts) => respond(parts, message, sender)).then(answer, () => answer(undefined));
  return true;
});

/** @typedef {Awaited<ReturnType<typeof start>>} Parts */

/** @param {(parts: Parts) => unknown} act */
function whenReady(act) {
  void ready.then(act).catch(() => {});
}

async function start() {
  const store = new Store(chrome.storage.session);
  const [saved, shown] = await Promise.all([store.read(), versionShown()]);
  const session = saved["session"] ?? newSession();
  if (!saved["session"]) await store.write({ session });

  const policy = new Policy(store, saved, shown);
  const queue = new Queue(store, saved);
  const notice = new NoticePage(policy);
  // A browser's `setTimeout` refuses to be called as somebody's method.
  const later = (/** @type {() => void} */ then, /** @type {number} */ milliseconds) => setTimeout(then, milliseconds);
  const connect = () => chrome.runtime.connectNative(messages.HOST);
  const agent = new Agent({ session, policy, queue, facts, changed }, connect, whyClosed, later);
  const frames = async (/** @type {number} */ tabId) => (await chrome.webNavigation.getAllFrames({ tabId })) ?? [];
  const pages = new Pages(policy, frames);
  const navigations = new Navigations((arrival) => void visited({ policy, queue, agent }, arrival), later, (timer) => clearTimeout(timer));

  /** @param {boolean} policyToo */
  function changed(policyToo) {
    notice.changed();
    if (!policyToo) return;
    void notice.show();
    void askAgain();
  }

  agent.begin();
  return { policy, queue, notice, agent, pages, navigations };
}

/**
 * @param {Pick<Parts, "policy" | "queue" | "agent">} parts
 * @param {import("./navigation.mjs").Arrival} arrival
 */
async function visited({ policy, queue, agent }, { tabId, url, at, transition }) {
  if (!policy.collecting || policy.isPrivate(url)) return;
  // A tab that is gone already can no longer say in which kind of window it was.
  const tab = await chrome.tabs.get(tabId).catch(() => null);
  await queue.add([messages.visit({ at, private: tab?.incognito === true, url }, transition)]);
  void agent.pump();
}

/**
 * Answers a content script or the notice.
 * @param {Parts} parts
 * @param {any} message
 * @param {chrome.runtime.MessageSender} sender
 */
async function respond({ queue, notice, agent, pages }, message, sender) {
  if (notice.isFrom(sender)) {
    const told = message?.type === "shown" ? await notice.shown(message.version) : null;
    if (told) {
      await queue.add([told]);
      void agent.pump();
      void askAgain();
    }
    return notice.status(agent);
  }
  if (sender.tab && message?.type === "ask") return pages.verdict(sender, message);
  if (!sender.tab || message?.type !== "seen") return undefined;
  const seen = await pages.seen(sender, message);
  if (seen.length > 0) await queue.add(seen, String(message.delivery));
  void agent.pump();
  return { kept: true };
}
