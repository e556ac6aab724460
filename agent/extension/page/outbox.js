// @ts-check
/**
 * What a frame saw and the worker has not yet kept.
 *
 * Pure: the sending and the timer are arguments. Nothing leaves the outbox before the worker has said that it
 * is in its queue: the worker may be stopped at any time, and the next message starts it again. Each delivery
 * has a name under which the worker knows it when it comes twice. Bounded: a field's older text goes when its
 * newer is there, and of all the oldest go.
 *
 * @typedef {{ kind: "title" | "text", at: number, url: string, what?: string, title: string | null, field?: number, text?: string }} Saw
 */

/** As many as the worker takes at once. */
const MOST_SEEN = 64;
/** A worker that is started for a message answers in a tenth of that; one that never does is asked again. */
const ANSWER_WAIT = 10_000;
const FIRST_RETRY = 500;
const LONGEST_RETRY = 30_000;

class Outbox {
  #send;
  #later;
  #name;
  /** @type {Saw[]} */
  #waiting = [];
  /** @type {{ delivery: string, seen: Saw[] } | null} sent and not answered */
  #sent = null;
  #wait = FIRST_RETRY;
  #ended = false;

  /**
   * @param {(delivery: string, seen: Saw[]) => Promise<any>} send
   * @param {(then: () => void, milliseconds: number) => void} later
   * @param {() => string} name
   */
  constructor(send, later, name) {
    this.#send = send;
    this.#later = later;
    this.#name = name;
  }

  /** @param {Saw} saw */
  add(saw) {
    if (this.#ended) return;
    const last = this.#waiting.findLast((one) => one.kind === "text" && one.field === saw.field);
    // Somebody goes on writing: what was there is in what is there now.
    const grown = last?.text !== undefined && saw.text?.startsWith(last.text) && last.what === saw.what;
    this.#waiting = this.#waiting.filter((one) => !grown || one !== last).slice(1 - MOST_SEEN);
    this.#waiting.push(saw);
    if (!this.#sent) void this.#deliver();
  }

  /** The page goes: everything at once, without waiting for an answer. */
  flush() {
    const seen = [...(this.#sent?.seen ?? []), ...this.#waiting];
    if (seen.length === 0 || this.#ended) return;
    // What is under way keeps its name, so that it is not kept twice.
    if (this.#waiting.length > 0) void this.#send(this.#name(), this.#waiting).catch(() => {});
    if (this.#sent) void this.#send(this.#sent.delivery, this.#sent.seen).catch(() => {});
    this.#waiting = [];
  }

  /** Nothing is to be sent any more. */
  end() {
    this.#ended = true;
    this.#waiting = [];
    this.#sent = null;
  }

  async #deliver() {
    if (!this.#sent && this.#waiting.length === 0) return;
    this.#sent ??= { delivery: this.#name(), seen: this.#waiting.splice(0) };
    const sent = this.#sent;
    const silence = new Promise((given) => this.#later(() => given(null), ANSWER_WAIT));
    const answer = await Promise.race([this.#send(sent.delivery, sent.seen).catch(() => null), silence]);
    if (this.#ended || this.#sent !== sent) return;
    if (!answer?.kept) {
      this.#later(() => void (this.#ended || this.#deliver()), this.#wait);
      this.#wait = Math.min(2 * this.#wait, LONGEST_RETRY);
      return;
    }
    this.#wait = FIRST_RETRY;
    this.#sent = null;
    void this.#deliver();
  }
}
