// @ts-check
/**
 * What the content scripts ask and say.
 *
 * A content script asks first whether its frame is to be read and listens to nothing before it is told so;
 * what it says later is judged again, each piece by itself, because a page changes its address while it is
 * open, and policy changes too.
 *
 * What always holds:
 * - A frame is read only if neither its own address nor that of any frame around it is on the private list
 *   or in {@link isNeverRead}: a helpline's chat in a school's page is as private as the helpline.
 * - The address of a frame without one of its own (`about:blank`, `srcdoc`) is that of the frame around it.
 * - An address that a content script says counts only within the origin that the browser vouches for.
 */

import { fromPage } from "./messages.mjs";
import { isPage } from "./navigation.mjs";
import { isAiChat, isNeverRead } from "./sites.mjs";

/** @typedef {import("./messages.mjs").Seen} Seen */
/** @typedef {import("./policy.mjs").Policy} Policy */
/** @typedef {{ tab?: { id?: number, incognito: boolean }, frameId?: number, url?: string }} Sender */
/** @typedef {{ frameId: number, parentFrameId: number, url: string }} Frame */
/** @typedef {{ read: false } | { read: true, typed: boolean, prompt: boolean, page_text: boolean, answers: boolean, title: boolean, around: string[] }} Verdict */

/** Pieces of one delivery, as the content script's outbox bounds them. */
const MOST_PIECES = 64;
/** Frames around a frame. */
const DEEPEST = 16;

export class Pages {
  #policy;
  #frames;

  /**
   * @param {Policy} policy
   * @param {(tab: number) => Promise<Frame[]>} frames all of a tab
   */
  constructor(policy, frames) {
    this.#policy = policy;
    this.#frames = frames;
  }

  /**
   * What of a frame is to be read.
   * @param {Sender} sender
   * @param {any} question
   * @returns {Promise<Verdict>}
   */
  async verdict(sender, question) {
    const around = await this.#around(sender, []);
    const collecting = this.#policy.collecting;
    const address = ownAddress(sender, question?.url, around);
    if (!collecting || address === null || !this.#mayRead([address, ...around])) return { read: false };
    const isTop = sender.frameId === 0;
    const prompt = isAiChat(address);
    return {
      read: true,
      typed: collecting.typed,
      prompt,
      page_text: collecting.page_text && isTop,
      answers: collecting.answers && prompt,
      title: isTop,
      around,
    };
  }

  /**
   * What a frame says it saw, less what may not be kept.
   * @param {Sender} sender
   * @param {any} delivery
   * @returns {Promise<Seen[]>}
   */
  async seen(sender, delivery) {
    const said = Array.isArray(delivery?.seen) ? delivery.seen.slice(0, MOST_PIECES) : [];
    const around = await this.#around(sender, delivery?.around);
    return said.flatMap((/** @type {any} */ piece) => this.#judge(sender, piece, around) ?? []);
  }

  /**
   * @param {Sender} sender
   * @param {any} piece
   * @param {string[]} around
   * @returns {Seen | null}
   */
  #judge(sender, piece, around) {
    const collecting = this.#policy.collecting;
    const address = ownAddress(sender, piece?.url, around);
    if (!collecting || address === null || !Number.isFinite(piece.at)) return null;
    if (!this.#mayRead([address, sender.url ?? "", ...around])) return null;
    const seen = fromPage({ at: piece.at, private: sender.tab?.incognito === true, url: address }, piece);
    if (seen?.kind !== "text") return seen;
    const allowed = { typed: collecting.typed, prompt: collecting.typed, answer: collecting.answers, page: collecting.page_text };
    return allowed[seen.what] ? seen : null;
  }

  /** @param {string[]} addresses */
  #mayRead(addresses) {
    return !addresses.some((one) => isPage(one) && (this.#policy.isPrivate(one) || isNeverRead(one)));
  }

  /**
   * The addresses of the frames around a frame, the nearest first.
   * @param {Sender} sender
   * @param {any} said what the content script was told when it asked: good for a page that is gone since
   * @returns {Promise<string[]>}
   */
  async #around(sender, said) {
    const { frameId, tab } = sender;
    if (frameId === 0 || frameId === undefined || tab?.id === undefined) return [];
    const frames = new Map((await this.#frames(tab.id)).map((frame) => [frame.frameId, frame]));
    const around = [];
    let frame = frames.get(frameId);
    while (frame && frame.parentFrameId >= 0 && around.length < DEEPEST) {
      frame = frames.get(frame.parentFrameId);
      if (frame) around.push(frame.url);
    }
    const known = Array.isArray(said) ? said.slice(0, DEEPEST).filter((one) => typeof one === "string") : [];
    return [...around, ...known];
  }
}

/**
 * @param {Sender} sender
 * @param {any} said by the content script: the address when it saw what it saw
 * @param {string[]} around
 * @returns {string | null}
 */
function ownAddress(sender, said, around) {
  const vouched = sender.url ?? "";
  if (!isPage(vouched)) return around.find(isPage) ?? null;
  const sameOrigin = typeof said === "string" && URL.canParse(said) && new URL(said).origin === new URL(vouched).origin;
  return sameOrigin ? said : vouched;
}
