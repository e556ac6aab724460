// @ts-check
/**
 * The content script of a frame: asks whether it is to be read, and listens to nothing before it is.
 *
 * It asks again when the worker says so: when the school's policy changed, or the page its address. Where a
 * frame is not to be read any more, everything that is not sent is forgotten.
 */

(() => {
  /** @typedef {{ read: true, typed: boolean, prompt: boolean, page_text: boolean, answers: boolean, title: boolean }} What */

  /** By what the frame is read, as JSON. */
  let reading = "";
  let stop = new AbortController();
  /** @type {TypedText | null} */
  let typed = null;
  /** @type {Outbox | null} */
  let outbox = null;
  /** The addresses of the frames around this one.
   * @type {string[]} */
  let around = [];
  let questions = 0;
  /** This document was not to be read at some time. */
  let wasNotRead = false;

  async function ask() {
    const question = ++questions;
    const answer = await chrome.runtime.sendMessage({ type: "ask", url: location.href }).catch(() => null);
    // An earlier question's answer; or none: the worker says `again` when it has something to say.
    if (question !== questions || !answer) return;
    const { around: told, ...what } = answer;
    around = told ?? [];
    if (!what.read) return forget();
    if (JSON.stringify(what) === reading) return;
    // What was typed so far was to be read.
    typed?.allFinished();
    stop.abort();
    reading = JSON.stringify(what);
    stop = new AbortController();
    read(what, stop.signal);
  }

  function forget() {
    wasNotRead = true;
    reading = "";
    typed = null;
    stop.abort();
    outbox?.end();
    outbox = null;
  }

  /** @param {What} what @param {AbortSignal} signal */
  function read(what, signal) {
    const out = (outbox ??= new Outbox(send, (then, milliseconds) => setTimeout(then, milliseconds), () => String(randomNumber())));

    /** @param {string} kind @param {number} field @param {string} raw @param {number} [at] */
    const say = (kind, field, raw, at = Date.now()) => {
      const text = withoutNumbers(raw);
      const title = what.title ? document.title : null;
      if (text !== null) out.add({ kind: "text", at, url: location.href, what: kind, title, field, text });
    };

    if (what.title) watchTitle(signal, (title) => out.add({ kind: "title", at: Date.now(), url: location.href, title }));
    const page = randomNumber();
    if (what.page_text) watchVisible(signal, (text) => say("page", page, text));
    const answers = what.answers ? new Answers(signal, (text) => say("answer", randomNumber(), text)) : null;
    typed = what.typed ? listen(signal, wasNotRead, ({ field, text, at }) => {
      say(what.prompt ? "prompt" : "typed", field, text, at);
      answers?.asked(text);
    }) : null;
    // After the listeners above, which have something to say at that moment.
    window.addEventListener("pagehide", () => out.flush(), { capture: true, signal });
  }

  /** @param {string} delivery @param {Saw[]} seen */
  async function send(delivery, seen) {
    if (chrome.runtime?.id !== undefined) return chrome.runtime.sendMessage({ type: "seen", delivery, seen, around });
    // The extension was taken away or replaced: nobody is there to talk to.
    forget();
    return null;
  }

  chrome.runtime.onMessage.addListener((message) => {
    if (message?.type === "again") void ask();
  });
  // A page that is loaded ahead has not been seen by anybody.
  const ahead = /** @type {any} */ (document).prerendering === true;
  if (ahead) document.addEventListener("prerenderingchange", () => void ask(), { once: true });
  else void ask();
})();
