// @ts-check
/**
 * The visible text of a page, where the school wants it: once for each address of a document, when the page
 * has been still for a while, its beginning up to 32 KiB, never what stands in a field.
 */

/** Without a change for so long the page is as its reader sees it. */
const STILL = 1_500;
/** Some pages are never still. */
const LONGEST_UNREST = 10_000;
/** Elements that are looked at: a page of any size costs no more. */
const MOST_NODES = 50_000;
const MOST_PAGE_CHARACTERS = 32 * 1024;

const NOT_SPEECH = "script, style, noscript, template, input, textarea, select, [contenteditable]:not([contenteditable=false])";

/**
 * @param {AbortSignal} signal
 * @param {(text: string) => void} emit
 */
function watchVisible(signal, emit) {
  let said = "";
  let since = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const take = () => {
    timer = undefined;
    if (signal.aborted || document.hidden || pageAddress() === said) return;
    said = pageAddress();
    const text = visibleText(document.body);
    if (text !== "") emit(text);
  };
  const soon = () => {
    if (pageAddress() === said) return;
    if (timer === undefined) since = Date.now();
    clearTimeout(timer);
    timer = setTimeout(take, Math.min(STILL, Math.max(0, since + LONGEST_UNREST - Date.now())));
  };
  const observer = new MutationObserver(soon);
  const begin = () => {
    if (signal.aborted || !document.body) return;
    observer.observe(document.body, { childList: true, subtree: true });
    soon();
  };

  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin, { once: true, signal });
  document.addEventListener("visibilitychange", () => document.hidden || soon(), { signal });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    clearTimeout(timer);
  });
}

/** The address less a fragment that only says how far the page is scrolled. */
function pageAddress() {
  return location.href.replace(/#(?![!/]).*$/, "");
}

/**
 * What can be seen of an element's text, in the order of the document.
 * @param {Element | null} root
 */
function visibleText(root) {
  if (!root) return "";
  const filter = (/** @type {Node} */ node) => {
    if (!(node instanceof Element)) return NodeFilter.FILTER_ACCEPT;
    const unseen = node.matches(NOT_SPEECH) || !node.checkVisibility({ visibilityProperty: true });
    // An element without a box of its own (`display: contents`) may have children that are seen.
    return unseen && getComputedStyle(node).display !== "contents" ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_SKIP;
  };
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, filter);
  /** @type {string[]} */
  const pieces = [];
  for (let length = 0, nodes = 0; length < MOST_PAGE_CHARACTERS && nodes < MOST_NODES; nodes += 1) {
    const node = walker.nextNode();
    if (!node) break;
    const piece = (node.nodeValue ?? "").replace(/\s+/g, " ").trim();
    if (piece === "") continue;
    pieces.push(piece);
    length += piece.length + 1;
  }
  return withoutHalves(pieces.join("\n").slice(0, MOST_PAGE_CHARACTERS));
}
