// @ts-check
/**
 * Writes to `storage.session`, one after the other.
 *
 * `storage.session` is in memory only: it survives the worker's stop and the agent's death, not the
 * browser's exit, and no web page or content script can read it. Nothing with content is kept anywhere
 * else.
 *
 * What always holds: writes are carried out in the order in which they were asked for, and those that
 * were asked for while another was under way go together, in one call. One call is one message to the
 * browser, so a worker that is stopped in the middle leaves all of a batch's values or none.
 */

/** @typedef {{ get(keys: null): Promise<Record<string, any>>, set(values: Record<string, any>): Promise<void>, remove(keys: string[]): Promise<void> }} Area */
/** @typedef {{ values: Map<string, any>, gone: Set<string>, done: Promise<void> }} Batch */

export class Store {
  #area;
  /** @type {Batch | null} asked for, not begun */
  #batch = null;
  /** @type {Promise<void>} the end of what has begun */
  #last = Promise.resolve();

  /** @param {Area} area */
  constructor(area) {
    this.#area = area;
  }

  /** Everything that is there. */
  read() {
    return this.#area.get(null);
  }

  /**
   * Sets values and removes keys; ends when both are done.
   * @param {Record<string, any>} values
   * @param {readonly string[]} [gone]
   * @returns {Promise<void>}
   */
  write(values, gone = []) {
    const batch = (this.#batch ??= this.#begin());
    for (const [key, value] of Object.entries(values)) {
      batch.values.set(key, value);
      batch.gone.delete(key);
    }
    for (const key of gone) {
      batch.values.delete(key);
      batch.gone.add(key);
    }
    return batch.done;
  }

  #begin() {
    /** @type {Batch} */
    const batch = { values: new Map(), gone: new Set(), done: Promise.resolve() };
    batch.done = this.#last.then(async () => {
      this.#batch = null;
      // Removed first: what is new may need the room.
      if (batch.gone.size > 0) await this.#area.remove([...batch.gone]);
      if (batch.values.size > 0) await this.#area.set(Object.fromEntries(batch.values));
    });
    this.#last = batch.done.catch(() => {});
    return batch;
  }
}
