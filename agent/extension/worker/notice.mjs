// @ts-check
/**
 * The notice: that it is shown before anything is collected, and what it says of this browser.
 *
 * Each version is shown once to each person, that is, in each browser profile; that it was on the screen is
 * told to the agent. Its version is the only thing that the extension keeps beyond the browser session.
 */

/** @typedef {import("./policy.mjs").Policy} Policy */

const PAGE = "notice/notice.html";
const SHOWN = "notice_version";

/** The version that this person has seen. @returns {Promise<number | null>} */
export async function versionShown() {
  const version = (await chrome.storage.local.get(SHOWN))[SHOWN];
  return typeof version === "number" ? version : null;
}

export class NoticePage {
  #policy;
  /** The version for which a tab has been opened. */
  #opened = -1;

  /** @param {Policy} policy */
  constructor(policy) {
    this.#policy = policy;
  }

  /** Whether a message is from the notice itself. @param {chrome.runtime.MessageSender} sender */
  isFrom(sender) {
    return sender.url?.startsWith(chrome.runtime.getURL(PAGE)) === true;
  }

  async open() {
    await chrome.tabs.create({ url: chrome.runtime.getURL(PAGE) });
  }

  /** Puts it on the screen if this person has not seen its version. */
  async show() {
    const due = this.#policy.noticeDue;
    if (due === null || due === this.#opened || !this.#policy.welcome?.active) return;
    this.#opened = due;
    // Without a window there is nowhere to show it: the next page brings it.
    await this.open().catch(() => (this.#opened = -1));
  }

  /**
   * It was on the screen.
   * @param {any} version
   * @returns {Promise<import("./messages.mjs").Notice | null>} what to tell the agent
   */
  async shown(version) {
    if (version !== this.#policy.noticeDue) return null;
    await chrome.storage.local.set({ [SHOWN]: version });
    this.#policy.shown(version);
    return { kind: "notice", at: Date.now(), private: false, url: "", version };
  }

  /**
   * What it says of this browser.
   * @param {{ present: boolean, refused: boolean }} agent
   */
  status({ present, refused }) {
    const { off, welcome, noticeDue } = this.#policy;
    return { state: off ? "off" : this.#state(present, refused), welcome, noticeDue };
  }

  /** @param {boolean} present @param {boolean} refused */
  #state(present, refused) {
    const { welcome } = this.#policy;
    if (refused) return welcome?.active ? "refused" : "refused_idle";
    if (!welcome) return "waiting";
    if (!welcome.active) return "resting";
    return present ? "on" : "away";
  }

  /** Has an open notice look again. */
  changed() {
    void chrome.runtime.sendMessage({ type: "changed" }).catch(() => {});
  }
}
