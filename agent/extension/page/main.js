// @ts-check
/**
 * The content script of a frame: asks whether it is to be read, and listens to nothing before it is.
 *
 * It asks again when the worker says so: when the school's policy changed, or the page its address.
 */

(() => {
  /** @type {AbortController | null} while the frame is read */
  let reading = null;
  /** @type {string} the verdict by which it is read */
  let verdict = "";
  let asked = 0;

  const gone = () => chrome.runtime?.id === undefined;

  async function ask() {
    const question = ++asked;
    const answer = await chrome.runtime.sendMessage({ type: "ask", url: location.href }).catch(() => null);
    // An answer to an earlier question; none: the worker says `again` when it has something to say.
    if (question !== asked || !answer) return;
    const said = JSON.stringify(answer);
    if (said === verdict) return;
    reading?.abort();
    reading = null;
    verdict = said;
    if (answer.read) read(answer);
  }

  /** @param {{ typed: boolean, prompt: boolean, page_text: boolean, answers: boolean, title: boolean, around: string[] }} what */
  function read(what) {
    reading = new AbortController();
    const { signal } = reading;
    const send = (/** @type {string} */ delivery, /** @type {Saw[]} */ seen) => {
      if (gone()) {
        // The extension was taken away or replaced: this script has nobody to talk to.
        stop();
        return Promise.resolve({ kept: true });
      }
      return chrome.runtime.sendMessage({ type: "seen", delivery, seen, around: what.around });
    };
    const outbox = new Outbox(send, (then, milliseconds) => setTimeout(then, milliseconds), () => String(randomNumber()));
    const title = () => (what.title ? document.title : null);

    /** @param {string} kind @param {number} field @param {string} raw @param {number} [at] */
    const text = (kind, field, raw, at = Date.now()) => {
      const clean = withoutNumbers(raw);
      if (clean === null) return;
      outbox.add({ kind: "text", at, url: location.href, what: kind, title: title(), field, text: clean });
    };

    if (what.title) watchTitle(signal, (said) => outbox.add({ kind: "title", at: Date.now(), url: location.href, title: said }));
    if (what.page_text) {
      const page = randomNumber();
      watchVisible(signal, (said) => text("page", page, said));
    }
    const answers = what.answers ? new Answers(signal, (said) => text("answer", randomNumber(), said)) : null;
    if (what.typed) {
      listen(signal, ({ field, text: said, at }) => {
        text(what.prompt ? "prompt" : "typed", field, said, at);
        answers?.asked(said);
      });
    }
    window.addEventListener("pagehide", () => outbox.flush(), { capture: true, signal });
    signal.addEventListener("abort", () => outbox.end());
  }

  function stop() {
    reading?.abort();
    reading = null;
  }

  chrome.runtime.onMessage.addListener((message) => {
    if (message?.type === "again") void ask();
  });
  // A page that is loaded ahead has not been seen by anybody.
  const ahead = /** @type {any} */ (document).prerendering === true;
  if (ahead) document.addEventListener("prerenderingchange", () => void ask(), { once: true });
  else void ask();
})();
