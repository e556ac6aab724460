// @ts-check
/**
 * When typed text is sent: field by field, after a pause, or as soon as somebody is done with it.
 *
 * Pure: events come in as calls, timers and the clock are arguments, texts go out by `emit`.
 *
 * - A text is what stands in the field after the last key, the whole of it (round the caret if it is long),
 *   under the field's number; the agent sees how it grows.
 * - The same text of a field is not sent twice, unless the field was empty in between: a message that is
 *   sent to somebody twice was said twice.
 * - While an input method composes (Japanese, dead keys), nothing is sent.
 * - Where the page was not to be read for a while, a field that is not empty when it may be read again is left
 *   alone until it has been empty: nobody can tell how much of it is from that time.
 * - Some editors take each key out of a hidden field as it comes, and draw it (Google Docs, Word Online). Keys
 *   typed there are put together where the editor lets it: {@link TypedText.before}. Untried on the real sites;
 *   count it as not seen.
 */

/**
 * Without a key for so long, in milliseconds, a thought is taken to be complete. Shorter sends half
 * sentences, and with them false alarms: "i want to die" before "of laughter".
 */
const PAUSE = 1_000;
/** What is kept of text that an editor took away, in characters: the sentences before this one. */
const MOST_TAKEN = 2_000;

/** @typedef {{ number: number, text: string, at: number, unsent: boolean, sent: string, composing: boolean, finished: boolean, taken: string, timer: any }} Typing */

class TypedText {
  #emit;
  #now;
  #later;
  #cancel;
  #number;
  #wasNotRead;
  /** @type {WeakSet<object>} fields with text from when they were not to be read */
  #old = new WeakSet();
  /** @type {WeakMap<object, Typing>} */
  #fields = new WeakMap();
  /** @type {Set<Typing>} those with text that is not sent */
  #unsent = new Set();

  /**
   * @param {(text: { field: number, text: string, at: number }) => void} emit
   * @param {{ now(): number, later(then: () => void, milliseconds: number): any, cancel(timer: any): void, number(): number }} around
   * @param {boolean} wasNotRead for a while, this page was not to be read
   */
  constructor(emit, { now, later, cancel, number }, wasNotRead) {
    this.#emit = emit;
    this.#now = now;
    this.#later = later;
    this.#cancel = cancel;
    this.#number = number;
    this.#wasNotRead = wasNotRead;
  }

  /**
   * A key is about to change a field. If the page has emptied it since the last key, that text was either
   * sent somewhere (then it is said here, too), or it is being taken key by key.
   * @param {object} field
   * @param {string} text in it before the change
   */
  before(field, text) {
    if (this.#wasNotRead && text !== "" && !this.#fields.has(field)) this.#old.add(field);
    const typing = this.#typing(field);
    if (text !== "" || typing.text === "") return;
    const keyByKey = typing.taken !== "" || (typing.text.length === 1 && !typing.finished);
    if (keyByKey) typing.taken = (typing.taken + typing.text).slice(-MOST_TAKEN);
    else {
      this.#send(typing);
      // What comes is another message, and the agent tells the same words of one field only once.
      typing.number = this.#number();
    }
    typing.text = "";
    typing.sent = "";
  }

  /**
   * A key has changed a field.
   * @param {object} field
   * @param {string} text in it
   */
  changed(field, text) {
    if (text === "") this.#old.delete(field);
    if (this.#old.has(field)) return;
    const typing = this.#typing(field);
    if (text === typing.text && !typing.unsent) return;
    typing.text = text;
    typing.finished = false;
    typing.at = this.#now();
    this.#cancel(typing.timer);
    if (text === "" && typing.taken === "") {
      // What comes next is another text: told again, if it says the same.
      typing.number = this.#number();
      return this.#empty(typing);
    }
    typing.unsent = true;
    this.#unsent.add(typing);
    typing.timer = this.#later(() => this.#pause(typing), PAUSE);
  }

  /** A key took back a letter of what an editor had taken. @param {object} field */
  tookBack(field) {
    const typing = this.#fields.get(field);
    if (!typing || typing.taken === "") return;
    if (typing.text !== "") typing.text = "";
    else typing.taken = typing.taken.slice(0, -1);
  }

  /** An input method begins or ends. @param {object} field @param {boolean} composing */
  composing(field, composing) {
    this.#typing(field).composing = composing;
  }

  /**
   * Enter, or another field: somebody is done with this one.
   * @param {object} field
   * @param {string} [text] in it at this moment, where that is known
   */
  finished(field, text) {
    const typing = this.#fields.get(field);
    if (!typing) return;
    if (typing.unsent && text) typing.text = text;
    this.#finish(typing);
  }

  /** The page goes, or may. @param {object} [but] the field that somebody stays in */
  allFinished(but) {
    const stays = but && this.#fields.get(but);
    for (const typing of [...this.#unsent]) if (typing !== stays) this.#finish(typing);
  }

  /** What is in a field is not to be read after all. @param {object} field */
  forget(field) {
    const typing = this.#fields.get(field);
    if (!typing) return;
    this.#empty(typing);
    typing.text = typing.taken = "";
  }

  /** Nothing is to be read any more. */
  forgetAll() {
    for (const typing of [...this.#unsent]) this.#empty(typing);
    this.#fields = new WeakMap();
  }

  /** @param {object} field @returns {Typing} */
  #typing(field) {
    let typing = this.#fields.get(field);
    if (!typing) {
      typing = { number: this.#number(), text: "", at: 0, unsent: false, sent: "", composing: false, finished: false, taken: "", timer: undefined };
      this.#fields.set(field, typing);
    }
    return typing;
  }

  /** @param {Typing} typing */
  #finish(typing) {
    this.#send(typing);
    typing.finished = true;
    if (typing.taken === "") return;
    typing.taken = `${typing.taken}${typing.text}\n`.slice(-MOST_TAKEN);
    typing.text = "";
  }

  /** @param {Typing} typing */
  #pause(typing) {
    if (!typing.composing) return this.#send(typing);
    typing.timer = this.#later(() => this.#pause(typing), PAUSE);
  }

  /** @param {Typing} typing */
  #send(typing) {
    if (!typing.unsent) return;
    const text = (typing.taken + typing.text).trim();
    const { sent } = typing;
    this.#empty(typing);
    typing.sent = sent;
    if (text === "" || text === sent) return;
    typing.sent = text;
    this.#emit({ field: typing.number, text, at: typing.at });
  }

  /** @param {Typing} typing */
  #empty(typing) {
    this.#cancel(typing.timer);
    typing.unsent = false;
    typing.sent = "";
    this.#unsent.delete(typing);
  }
}
