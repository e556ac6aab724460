// @ts-check
/**
 * The title of a page: when it is there, and when it changes later.
 *
 * Bounded: a title is looked at when it has been still for {@link TITLE_PAUSE}, each is said once for an
 * address, and of one address at most {@link MOST_TITLES}: some pages count, blink or scroll in their title.
 */

const TITLE_PAUSE = 250;
const MOST_TITLES = 20;

/**
 * @param {AbortSignal} signal
 * @param {(title: string) => void} emit
 */
function watchTitle(signal, emit) {
  let address = "";
  /** @type {Set<string>} */
  let said = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const look = () => {
    timer = undefined;
    if (location.href !== address) [address, said] = [location.href, new Set()];
    const title = document.title.trim();
    if (title === "" || said.has(title) || said.size >= MOST_TITLES) return;
    said.add(title);
    emit(title);
  };
  // Not put off by a title that never rests: the first change begins the wait.
  const lookSoon = () => (timer ??= setTimeout(look, TITLE_PAUSE));
  const observer = new MutationObserver(lookSoon);
  const begin = () => {
    if (signal.aborted) return;
    if (document.head) observer.observe(document.head, { childList: true, characterData: true, subtree: true });
    look();
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin, { once: true, signal });
  else begin();
  window.addEventListener("pagehide", look, { capture: true, signal });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    clearTimeout(timer);
  });
}
