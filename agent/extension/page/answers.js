// @ts-check
/**
 * The answers of an AI, where the school wants them.
 *
 * No site's own markup is known here: an answer is what the page adds after a prompt and goes on adding, taken
 * when it has stopped growing, less the prompt that the page repeats.
 */

/** Without a change for so long it has ended, or waits. */
const ANSWER_STILL = 2_500;
/** An answer that is not there by then belongs to no prompt. */
const LONGEST_ANSWER = 5 * 60_000;
/** Parts of the page that are looked at. */
const MOST_PARTS = 500;

class Answers {
  #emit;
  #prompt = "";
  /** @type {Set<Element>} what has been added since the prompt */
  #added = new Set();
  #said = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #end;
  #observer = new MutationObserver((changes) => this.#grown(changes));

  /**
   * @param {AbortSignal} signal
   * @param {(text: string) => void} emit
   */
  constructor(signal, emit) {
    this.#emit = emit;
    signal.addEventListener("abort", () => this.#stop());
  }

  /** Somebody asked. @param {string} prompt */
  asked(prompt) {
    if (!document.body) return;
    this.#take();
    this.#prompt = prompt;
    this.#said = "";
    this.#added.clear();
    this.#observer.observe(document.body, { childList: true, characterData: true, subtree: true });
    clearTimeout(this.#end);
    this.#end = setTimeout(() => this.#stop(), LONGEST_ANSWER);
  }

  /** @param {MutationRecord[]} changes */
  #grown(changes) {
    for (const { target, addedNodes } of changes) {
      const nodes = addedNodes.length > 0 ? [...addedNodes] : [target];
      for (const node of nodes) {
        const element = node instanceof Element ? node : node.parentElement;
        if (element && this.#added.size < MOST_PARTS && !element.closest(NOT_SPEECH)) this.#added.add(element);
      }
    }
    if (this.#added.size === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#take(), ANSWER_STILL);
  }

  #take() {
    clearTimeout(this.#timer);
    const parts = [...this.#added].filter((part) => part.isConnected);
    const outermost = parts.filter((part) => !parts.some((other) => other !== part && other.contains(part)));
    const inOrder = outermost.sort((one, other) => (one.compareDocumentPosition(other) & 4 ? -1 : 1));
    const text = inOrder.map(visibleText).join("\n").replace(this.#prompt, "").trim();
    if (text === "" || text === this.#said) return;
    this.#said = text;
    this.#emit(text.slice(0, MOST_PAGE_CHARACTERS));
  }

  #stop() {
    this.#observer.disconnect();
    clearTimeout(this.#timer);
    clearTimeout(this.#end);
    this.#added.clear();
  }
}
