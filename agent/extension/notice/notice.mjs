// @ts-check
/**
 * Fills in the notice: what holds in this browser at this moment, who watches, and what the school chose.
 *
 * What the agent says goes in as text, never as markup. Once the page is on the screen it tells the worker so,
 * which is when collecting may begin.
 */

/** In plain words: what each state of the worker means. */
const STATES = {
  on: ["It is on", "This browser is being watched now."],
  away: [
    "It is on, but something is not working",
    "It cannot reach the Redshank program on this computer. It keeps what it sees until it can, or until you close the browser. Please tell a teacher.",
  ],
  waiting: [
    "It is not working yet",
    "It cannot reach the Redshank program on this computer. It sees nothing and keeps nothing. Please tell a teacher if it stays like this.",
  ],
  resting: ["It is resting", "School is over. It sees nothing and keeps nothing now."],
  off: ["It is off", "No school looks after this computer. It sees nothing and keeps nothing here."],
};

/** @typedef {keyof typeof STATES} State */
/** @typedef {{ state: State, welcome: import("../worker/messages.mjs").Welcome | null, noticeDue: number | null }} Status */

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {Status} status */
function show({ state, welcome }) {
  const [title, text] = STATES[state];
  element("state").dataset["state"] = state;
  element("state-title").textContent = title ?? "";
  element("state-text").textContent = text ?? "";
  element("school").textContent = welcome?.school || "Your school";
  element("watched-by").textContent = welcome?.watched_by ? `These people look after it: ${welcome.watched_by}.` : "";
  element("help").textContent = welcome?.help ?? "";
  element("help").hidden = !welcome?.help;
  const has = {
    policy: welcome !== null,
    any: state !== "off",
    typed: welcome?.typed !== false,
    answers: welcome?.answers === true,
    page_text: welcome?.page_text === true,
  };
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-needs]"))) {
    part.hidden = !has[/** @type {keyof typeof has} */ (part.dataset["needs"])];
  }
}

async function look() {
  /** @type {Status | undefined} */
  const status = await chrome.runtime.sendMessage({ type: "status" });
  if (!status) return;
  show(status);
  if (status.noticeDue === null || document.visibilityState !== "visible") return;
  // Two frames: the first draws it, the second is after that.
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const after = await chrome.runtime.sendMessage({ type: "shown", version: status.noticeDue });
  if (after) show(after);
}

chrome.runtime.onMessage.addListener((message) => {
  if (message?.type === "changed") void look();
});
document.addEventListener("visibilitychange", () => void look());
void look();
