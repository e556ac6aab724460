// @ts-check
/** What differs between browsers, and what the extension says of the one it is in. */

/**
 * Why a native messaging port closed: Firefox has it on the port, Chromium in `lastError`.
 * @param {any} port
 */
export function whyClosed(port) {
  return String(port?.error?.message ?? chrome.runtime.lastError?.message ?? "");
}

/** The browser by the name that its users know. */
async function whichBrowser() {
  /** @type {any} */
  const { getBrowserInfo } = chrome.runtime;
  if (getBrowserInfo) {
    // Firefox and its kin only.
    return String((await getBrowserInfo()).name);
  }
  /** @type {{ brand: string }[]} */
  const brands = /** @type {any} */ (navigator).userAgentData?.brands ?? [];
  for (const [brand, browser] of NAMES) {
    if (brands.some((one) => one.brand === brand)) return browser;
  }
  return "Chromium";
}

/** How Chromium's kin call themselves, the general name last: it is among the brands of all of them.
 * @type {[string, string][]} */
const NAMES = [
  ["Microsoft Edge", "Edge"],
  ["Google Chrome", "Chrome"],
  ["Opera", "Opera"],
  ["Brave", "Brave"],
  ["Vivaldi", "Vivaldi"],
  ["Chromium", "Chromium"],
];

/** What a hello says of this browser. */
export async function facts() {
  const [browser, private_windows] = await Promise.all([whichBrowser(), chrome.extension.isAllowedIncognitoAccess()]);
  return { browser, private_windows };
}

/** 64 random bits: whoever reads two of them cannot tell whether they are of one person. */
export function newSession() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Has content scripts ask again what of their page is to be read.
 * @param {number} [only] those of one tab
 */
export async function askAgain(only) {
  const tabs = only === undefined ? (await chrome.tabs.query({})).map((tab) => tab.id) : [only];
  for (const tab of tabs) {
    // In a tab without our content script nobody listens.
    if (tab !== undefined) void chrome.tabs.sendMessage(tab, { type: "again" }).catch(() => {});
  }
}
