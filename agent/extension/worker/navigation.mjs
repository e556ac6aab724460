// @ts-check
/**
 * The browser's navigations as visits.
 *
 * - A document that was committed in a tab's main frame is one visit: the address after all redirects of
 *   servers, so that an upgrade from http to https gives one. Subframes are none; nor is a page that the
 *   browser loads ahead (it is not frame 0) until it is brought to the front.
 * - In a single-page site a change of address is a visit at once, unless another came within
 *   {@link BURST} before it: sites rewrite their address while somebody types a search or drags a map, and
 *   of such a burst only the end counts, when it has been still so long or has lasted {@link LONGEST_BURST}.
 * - A change behind the `#` is one only where a page, or a query, is named there.
 */

/** @typedef {import("./messages.mjs").Transition} Transition */
/** @typedef {{ tabId: number, frameId: number, url: string, timeStamp: number, transitionType?: string, transitionQualifiers?: string[] }} Details */
/** @typedef {{ tabId: number, url: string, at: number, transition: Transition }} Arrival */

/** As long as the pause after which typed text is sent, and for the same reason. */
export const BURST = 1_000;
export const LONGEST_BURST = 10_000;

/** @typedef {{ url: string, at: number, since: number, waiting: Arrival | null, timer: any }} Place */

export class Navigations {
  #arrived;
  #later;
  #cancel;
  /** @type {Map<number, Place>} where each tab is */
  #tabs = new Map();

  /**
   * @param {(arrival: Arrival) => void} arrived
   * @param {(then: () => void, milliseconds: number) => any} later
   * @param {(timer: any) => void} cancel
   */
  constructor(arrived, later, cancel) {
    this.#arrived = arrived;
    this.#later = later;
    this.#cancel = cancel;
  }

  /** A document was committed. @param {Details} details */
  committed(details) {
    if (details.frameId !== 0) return;
    this.#settle(details.tabId);
    if (!isPage(details.url)) return;
    const { tabId, url, timeStamp: at } = details;
    this.#tabs.set(tabId, { url, at, since: at, waiting: null, timer: null });
    this.#arrived({ tabId, url, at, transition: transition(details.transitionType, details.transitionQualifiers) });
  }

  /** The page's script changed its address. @param {Details} details */
  rewritten(details) {
    const { tabId, frameId, url, timeStamp: at } = details;
    const place = this.#tabs.get(tabId);
    if (frameId !== 0 || !isPage(url) || place?.url === url) return;
    const arrival = { tabId, url, at, transition: transition(details.transitionType, details.transitionQualifiers) };
    const inBurst = place !== undefined && place.timer !== null;
    if (!inBurst) {
      const since = { url, at, since: at, waiting: null, timer: this.#later(() => this.#settle(tabId), BURST) };
      this.#tabs.set(tabId, since);
      this.#arrived(arrival);
      return;
    }
    Object.assign(place, { url, at, waiting: arrival });
    if (at - place.since >= LONGEST_BURST) return this.#settle(tabId);
    this.#cancel(place.timer);
    place.timer = this.#later(() => this.#settle(tabId), BURST);
  }

  /** The part of the address behind the `#` changed. @param {Details} details */
  fragment(details) {
    if (fragmentMatters(details.url)) this.rewritten(details);
  }

  /** @param {number} tabId */
  closed(tabId) {
    this.#settle(tabId);
    this.#tabs.delete(tabId);
  }

  /** The end of a burst, if there is one. @param {number} tabId */
  #settle(tabId) {
    const place = this.#tabs.get(tabId);
    if (!place || place.timer === null) return;
    this.#cancel(place.timer);
    place.timer = null;
    const { waiting } = place;
    place.waiting = null;
    if (waiting) this.#arrived(waiting);
  }
}

/**
 * Whether an address is of a page on a network; others are local files, or the browser's own.
 * @param {string} url
 */
export function isPage(url) {
  return /^(?:https?|ftp):/i.test(url);
}

/**
 * Whether what stands behind the `#` says which page this is (`#/inbox/7`, `#!about`) or what was asked
 * (`#q=…`), and not merely how far it was scrolled.
 * @param {string} url
 */
export function fragmentMatters(url) {
  const start = url.indexOf("#");
  return start >= 0 && /^#(?:!|\/|.*\b(?:q|query|search|search_query|p|k|keyword)=)/i.test(url.slice(start));
}

/**
 * How the browser came there, of the browser's own words.
 * @param {string | undefined} type
 * @param {string[] | undefined} qualifiers
 * @returns {Transition}
 */
export function transition(type, qualifiers = []) {
  if (qualifiers.includes("client_redirect")) return "redirect";
  switch (type) {
    case "link":
    case "typed":
    case "form_submit":
    case "reload":
      return type;
    case "auto_bookmark":
      return "bookmark";
    // A suggestion that is not an address, and a keyword of a search engine: both search.
    case "generated":
    case "keyword":
    case "keyword_generated":
      return "search";
    default:
      return "other";
  }
}
