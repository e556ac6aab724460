// @ts-check
/**
 * Fills in the notice: what holds in this browser at this moment, who watches, and what the school chose.
 *
 * What the agent says goes in as text, never as markup. Once the page is on the screen it tells the worker so,
 * which is when collecting may begin.
 */

const WATCHED = "This browser is watched to keep you safe";
const MAY_BE_WATCHED = "This browser can be watched to keep you safe";

/** In plain words: what each state of the worker means. */
const STATES = {
  on: { heading: WATCHED, title: "It is on", text: "This browser is being watched now." },
  away: {
    heading: WATCHED,
    title: "It is on, but something is not working",
    text: "It cannot reach the Redshank program on this computer. It keeps what it sees until it can, or until you close the browser. Please tell a teacher.",
  },
  waiting: {
    heading: MAY_BE_WATCHED,
    title: "It is not working yet",
    text: "It cannot reach the Redshank program on this computer. It sees nothing and keeps nothing. Please tell a teacher if it stays like this.",
  },
  refused: {
    heading: WATCHED,
    title: "It is on, but it needs an update",
    text: "This extension and the Redshank program on this computer need an update. It keeps what it sees until they can talk again, or until you close the browser. Please tell a technician or a teacher.",
  },
  refused_idle: {
    heading: MAY_BE_WATCHED,
    title: "It needs an update",
    text: "This extension and the Redshank program on this computer need an update. It sees nothing and keeps nothing now. Please tell a technician or a teacher.",
  },
  resting: { heading: MAY_BE_WATCHED, title: "It is resting", text: "It is not school time. It sees nothing and keeps nothing now." },
  off: {
    heading: "This browser is not watched",
    title: "It is off",
    text: "No school looks after this computer. It sees nothing and keeps nothing here.",
  },
};

/** @typedef {keyof typeof STATES} State */
/** @typedef {{ state: State, welcome: import("../worker/messages.mjs").Welcome | null, noticeDue: number | null }} Status */

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {Status} status */
async function show({ state, welcome }) {
  const private_windows = await chrome.extension.isAllowedIncognitoAccess();
  const { heading, title, text } = STATES[state];
  document.title = heading;
  element("heading").textContent = heading;
  element("state").dataset["state"] = state;
  element("state-title").textContent = title;
  element("state-text").textContent = text;
  element("school").textContent = welcome?.school || "Your school";
  element("watched-by").textContent = welcome?.watched_by ? `These people look after it: ${welcome.watched_by}.` : "";
  element("help").textContent = welcome?.help ?? "";
  element("help").hidden = !welcome?.help;
  const has = {
    policy: welcome !== null,
    private_windows,
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
  await show(status);
  if (status.noticeDue === null || document.visibilityState !== "visible") return;
  // Two frames: the first draws it, the second is after that.
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const after = await chrome.runtime.sendMessage({ type: "shown", version: status.noticeDue });
  if (after) await show(after);
}

chrome.runtime.onMessage.addListener((message) => {
  if (message?.type === "changed") void look();
});
document.addEventListener("visibilitychange", () => void look());
void look();
