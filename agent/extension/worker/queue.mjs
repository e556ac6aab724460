// @ts-check
/**
 * What was seen and is not yet durable with the agent.
 *
 * Every item has its number `n`, rising from 1 within a browser session and never given twice, and is in
 * `storage.session` before {@link Queue.add} ends. It stays until the agent says that everything up to
 * its number is stored. A worker that is stopped and started again reads everything back; the agent, to
 * which unstored items are then sent once more, knows them by session and number.
 *
 * # Bounds
 * At most {@link MOST_ITEMS} and {@link MOST_BYTES}. Over that the oldest go, except what is on its way to
 * the agent at that moment. How many went is told to the agent as one item of the kind `lost`, made when it
 * can be sent and never changed afterwards, so that no loss is counted twice. Numbers therefore have gaps.
 */

/** @typedef {import("./messages.mjs").Item} Item */
/** @typedef {import("./messages.mjs").Seen} Seen */
/** @typedef {import("./store.mjs").Store} Store */
/** @typedef {{ item: Item, bytes: number }} Kept */

/** A school day of one busy pupil is some thousand items; a dead agent is seen to before that. */
export const MOST_ITEMS = 2_000;
/** `storage.session` holds 10 MiB, and the policy with its private list is in it, too. */
export const MOST_BYTES = 4 * 1024 * 1024;
/** Of one message; the agent accepts no more. */
export const BATCH_ITEMS = 64;
export const BATCH_BYTES = 512 * 1024;
/** On their way at once: several messages, so that none waits for the fsync of the one before. */
const MOST_ON_THE_WAY = 4 * BATCH_ITEMS;
/** Deliveries of content scripts that are known again when one is repeated. */
const MOST_DELIVERIES = 64;

const encoder = new TextEncoder();

export class Queue {
  #store;
  #next = 1;
  /** Given up and not yet told. */
  #lost = 0;
  /** @type {string[]} */
  #deliveries = [];
  /** @type {Map<number, Kept>} by number, rising */
  #kept = new Map();
  #bytes = 0;
  /** Up to this number everything has gone over the connection that is open now. */
  #sent = 0;

  /**
   * @param {Store} store
   * @param {Record<string, any>} saved everything in the store
   */
  constructor(store, saved) {
    this.#store = store;
    const state = saved["queue"];
    if (!state) return;
    ({ next: this.#next, lost: this.#lost, deliveries: this.#deliveries } = state);
    const items = Object.entries(saved).filter(([key]) => key.startsWith("item:")).map(([, item]) => item);
    for (const item of items.sort((one, other) => one.n - other.n)) this.#keep(item);
  }

  /**
   * Queues what was seen. Ends when it is in the store; fails if it is not and never will be.
   * @param {readonly Seen[]} seen
   * @param {string} [delivery] names what a content script may repeat, not knowing whether it arrived
   * @returns {Promise<void>}
   */
  async add(seen, delivery) {
    if (delivery !== undefined && this.#deliveries.includes(delivery)) return this.#store.write({});
    if (delivery !== undefined) this.#deliveries = [...this.#deliveries.slice(1 - MOST_DELIVERIES), delivery];
    const items = seen.map((one) => /** @type {Item} */ ({ ...one, n: this.#next++ }));
    items.forEach((item) => this.#keep(item));
    const gone = this.#giveUp(MOST_ITEMS, MOST_BYTES);
    try {
      await this.#store.write(this.#values(items), gone);
    } catch {
      // The browser has no room for it: half of what waits goes, and that is counted.
      const more = this.#giveUp(this.#kept.size >> 1, this.#bytes >> 1);
      try {
        await this.#store.write(this.#values(items), more);
      } catch (error) {
        for (const { n } of items) this.#forget(n);
        this.#deliveries = this.#deliveries.filter((known) => known !== delivery);
        throw error;
      }
    }
  }

  /**
   * What to send next over the open connection; empty if there is nothing, or enough is on its way.
   * @param {() => number} now milliseconds since 1970
   * @returns {Promise<Item[]>}
   */
  async take(now) {
    if (this.#lost > 0) {
      /** @type {Item} */
      const item = { kind: "lost", n: this.#next++, at: now(), private: false, url: "", count: this.#lost };
      this.#lost = 0;
      this.#keep(item);
      await this.#store.write(this.#values([item]));
    }
    /** @type {Item[]} */
    const batch = [];
    let bytes = 0;
    let onTheWay = 0;
    for (const [n, kept] of this.#kept) {
      if (n <= this.#sent) {
        onTheWay += 1;
        continue;
      }
      bytes += kept.bytes;
      const full = batch.length === BATCH_ITEMS || (bytes > BATCH_BYTES && batch.length > 0);
      if (full || onTheWay + batch.length >= MOST_ON_THE_WAY) break;
      batch.push(kept.item);
    }
    this.#sent = batch.at(-1)?.n ?? this.#sent;
    return batch;
  }

  /** A new connection: what went over the last one may have been lost with it. */
  reconnected() {
    this.#sent = 0;
  }

  /**
   * Forgets what is durable with the agent.
   * @param {number} n everything up to this number
   */
  async stored(n) {
    const gone = [];
    for (const number of this.#kept.keys()) {
      if (number > n) break;
      gone.push(this.#forget(number));
    }
    if (gone.length > 0) await this.#store.write({}, gone);
  }

  /** Forgets everything and counts nothing: here nothing is to be collected. */
  async clear() {
    const gone = [...this.#kept.keys()].map((n) => this.#forget(n));
    this.#lost = 0;
    await this.#store.write(this.#values([]), gone);
  }

  /** @param {Item} item */
  #keep(item) {
    const bytes = encoder.encode(JSON.stringify(item)).length;
    this.#kept.set(item.n, { item, bytes });
    this.#bytes += bytes;
  }

  /** @param {number} n */
  #forget(n) {
    this.#bytes -= this.#kept.get(n)?.bytes ?? 0;
    this.#kept.delete(n);
    return key(n);
  }

  /**
   * Lets the oldest go until the bounds hold.
   * @param {number} items
   * @param {number} bytes
   * @returns {string[]} the keys of what went
   */
  #giveUp(items, bytes) {
    const gone = [];
    for (const [n, { item }] of this.#kept) {
      if (this.#kept.size <= items && this.#bytes <= bytes) break;
      if (n <= this.#sent || item.kind === "lost" || item.kind === "notice") continue;
      gone.push(this.#forget(n));
    }
    this.#lost += gone.length;
    return gone;
  }

  /** @param {readonly Item[]} items */
  #values(items) {
    const queue = { next: this.#next, lost: this.#lost, deliveries: this.#deliveries };
    const kept = items.filter((item) => this.#kept.has(item.n)).map((item) => [key(item.n), item]);
    return { queue, ...Object.fromEntries(kept) };
  }
}

/** @param {number} n */
function key(n) {
  return `item:${n}`;
}
