// @ts-check
/**
 * What the school decided: who watches, what may be collected, and the private list.
 *
 * A policy is in force when the agent has said all of it, to the last entry of the private list; until then
 * the one before it is, or none. It is kept in `storage.session`, so that a worker that was stopped between
 * two keystrokes judges the second as it judged the first, though the agent may be dead.
 *
 * What always holds:
 * - Without a policy in force nothing is collected.
 * - Nothing is collected before the notice of the policy's version was shown to this person. Which version
 *   was shown is the one thing that is kept beyond the browser session (`storage.local`).
 * - Where the browser knows no native host, this is no managed device: off until the browser starts again.
 */

import { Places } from "./places.mjs";

/** @typedef {import("./messages.mjs").Welcome} Welcome */
/** @typedef {import("./messages.mjs").PrivateEntry} PrivateEntry */
/** @typedef {import("./store.mjs").Store} Store */
/** @typedef {{ welcome: Welcome, entries: PrivateEntry[] }} Said */

export class Policy {
  #store;
  /** @type {Said | null} being said */
  #coming = null;
  /** @type {{ welcome: Welcome, places: Places } | null} */
  #inForce = null;
  #off = false;
  /** @type {number | null} */
  #shown;

  /**
   * @param {Store} store
   * @param {Record<string, any>} saved everything in the store
   * @param {number | null} shown the version of the notice that this person has seen
   */
  constructor(store, saved, shown) {
    this.#store = store;
    this.#shown = shown;
    this.#off = saved["off"] === true;
    /** @type {Said | undefined} */
    const said = saved["policy"];
    if (said) this.#inForce = { welcome: said.welcome, places: new Places(said.entries) };
  }

  /** What the agent said last, or `null` before it has said everything. */
  get welcome() {
    return this.#inForce?.welcome ?? null;
  }

  /** Whether this is a device that no school manages. */
  get off() {
    return this.#off;
  }

  /** The version of the notice that has to be shown before anything is collected, or `null`. */
  get noticeDue() {
    const version = this.welcome?.notice_version ?? null;
    return version === this.#shown ? null : version;
  }

  /** What may be collected at this moment, or `null` for nothing at all. */
  get collecting() {
    const welcome = this.welcome;
    return !this.#off && welcome?.active && this.noticeDue === null ? welcome : null;
  }

  /**
   * Whether an address is on the private list. Everything is, without a list.
   * @param {string} address
   */
  isPrivate(address) {
    return this.#inForce?.places.cover(address) ?? true;
  }

  /**
   * A policy begins to be said.
   * @param {Welcome} welcome
   * @returns {Promise<boolean>} whether it is in force
   */
  begin(welcome) {
    this.#coming = { welcome, entries: [] };
    return this.#complete();
  }

  /**
   * A portion of the private list.
   * @param {readonly PrivateEntry[]} entries
   * @returns {Promise<boolean>} whether the policy is in force with it
   */
  async more(entries) {
    if (!this.#coming) return false;
    this.#coming.entries.push(...entries);
    return this.#complete();
  }

  /** The notice of this version was on the screen.
   * @param {number} version */
  shown(version) {
    this.#shown = version;
  }

  /**
   * No native host is here. A device that had one in this session stays what it was: it is being replaced.
   * @returns {boolean} whether it is off from here on
   */
  turnOff() {
    if (this.#inForce) return false;
    this.#off = true;
    void this.#store.write({ off: true });
    return true;
  }

  async #complete() {
    const said = this.#coming;
    if (!said || said.entries.length < said.welcome.private) return false;
    this.#coming = null;
    // More entries than were announced, or one that is no host: whatever was meant, it is not this.
    if (said.entries.length > said.welcome.private) return false;
    try {
      this.#inForce = { welcome: said.welcome, places: new Places(said.entries) };
    } catch {
      return false;
    }
    await this.#store.write({ policy: said });
    return true;
  }
}
