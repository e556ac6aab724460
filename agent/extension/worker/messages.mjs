// @ts-check
/**
 * The messages between the extension and the agent, and the bounds of what is in them.
 *
 * Both directions are JSON objects with a `type`, in the browser's native messaging. What the agent says is
 * read field by field with a bound on each: a message that is not as it should be is `null` and changes
 * nothing.
 */

/** The name under which the native host is registered with the browser. */
export const HOST = "uk.redshank.agent";
export const PROTOCOL = 1;

/** Of one text; UTF-8. */
export const TEXT_BYTES = 32 * 1024;
const TITLE_BYTES = 4 * 1024;
/** As the agent bounds an address. */
const URL_BYTES = 64 * 1024;
const NAME_CHARACTERS = 500;
const HELP_CHARACTERS = 2_000;
const MOST_PRIVATE = 20_000;
const HOST_CHARACTERS = 253;
const PATH_CHARACTERS = 2_000;

/** @typedef {"link" | "typed" | "bookmark" | "form_submit" | "reload" | "redirect" | "search" | "other"} Transition */
/** @typedef {"typed" | "prompt" | "answer" | "page"} What */
/** @typedef {{ at: number, private: boolean, url: string }} Anywhere when, in which kind of window, where */
/** @typedef {Anywhere & { kind: "visit", title: string | null, transition: Transition }} Visit */
/** @typedef {Anywhere & { kind: "title", title: string }} Title */
/** @typedef {Anywhere & { kind: "text", what: What, title: string | null, field: number, text: string }} Text */
/** @typedef {Anywhere & { kind: "lost", count: number }} Lost */
/** @typedef {Anywhere & { kind: "notice", version: number }} Notice */
/** @typedef {Visit | Title | Text | Lost | Notice} Seen what was seen, not yet numbered */
/** @typedef {Seen & { n: number }} Item */

/**
 * What the school decided, as the agent says it.
 * @typedef {{ school: string, watched_by: string, help: string, notice_version: number, typed: boolean, page_text: boolean, answers: boolean, active: boolean, private: number }} Welcome
 */
/** @typedef {{ host: string, path: string }} PrivateEntry */
/**
 * @typedef {{ type: "welcome", welcome: Welcome } | { type: "private", entries: PrivateEntry[] }
 *   | { type: "stored", n: number } | { type: "refused" } | { type: "away" } | { type: "back" }} FromAgent
 */

/**
 * The first message of a connection.
 * @param {{ session: string, browser: string, private_windows: boolean }} facts
 */
export function hello(facts) {
  return { type: "hello", protocol: PROTOCOL, ...facts };
}

/** @param {readonly Item[]} items */
export function items(items) {
  return { type: "items", items };
}

/**
 * Reads a message of the agent or of the native host.
 * @param {any} message
 * @returns {FromAgent | null}
 */
export function fromAgent(message) {
  switch (message?.type) {
    case "welcome":
      return message.protocol === PROTOCOL && isCount(message.private, MOST_PRIVATE)
        ? { type: "welcome", welcome: welcome(message) }
        : null;
    case "private":
      return Array.isArray(message.entries) && message.entries.every(isEntry)
        ? { type: "private", entries: message.entries.map(entry) }
        : null;
    case "stored":
      return isCount(message.n, Number.MAX_SAFE_INTEGER) ? { type: "stored", n: message.n } : null;
    // Its `protocol` is by nature not ours, and its `reason` is for a technician: the agent's coverage says it, too.
    case "refused":
    case "away":
    case "back":
      return { type: message.type };
    default:
      return null;
  }
}

/**
 * A visit; a browser may hand over addresses of any length.
 * @param {Anywhere} where
 * @param {Transition} transition
 * @returns {Visit}
 */
export function visit(where, transition) {
  return { kind: "visit", ...bounded(where), title: null, transition };
}

/**
 * What a content script saw; `null` for what none of ours would say.
 * @param {Anywhere} where
 * @param {any} said
 * @returns {Title | Text | null}
 */
export function fromPage(where, said) {
  const title = typeof said?.title === "string" && said.title !== "" ? cut(said.title, TITLE_BYTES) : null;
  if (said?.kind === "title") return title === null ? null : { kind: "title", ...bounded(where), title };
  const isText = said?.kind === "text" && ["typed", "prompt", "answer", "page"].includes(said.what);
  if (!isText || typeof said.text !== "string" || said.text === "" || !isCount(said.field, Number.MAX_SAFE_INTEGER)) {
    return null;
  }
  const text = cut(said.text, TEXT_BYTES);
  return { kind: "text", ...bounded(where), what: said.what, title, field: said.field, text };
}

/**
 * The beginning of a text, at most so many bytes of UTF-8, whole characters only.
 * @param {string} text
 * @param {number} bytes
 */
export function cut(text, bytes) {
  // `encodeInto` stops before the character that does not fit.
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.min(bytes, text.length * 3)));
  return text.slice(0, read);
}

/**
 * No name or password in an address leaves the extension.
 * @param {Anywhere} where
 */
function bounded({ at, private: inPrivate, url }) {
  const anonymous = url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, "$1");
  return { at, private: inPrivate, url: cut(anonymous, URL_BYTES) };
}

/**
 * @param {any} message
 * @returns {Welcome}
 */
function welcome(message) {
  return {
    school: string(message.school, NAME_CHARACTERS),
    watched_by: string(message.watched_by, NAME_CHARACTERS),
    help: string(message.help, HELP_CHARACTERS),
    notice_version: isCount(message.notice_version, 0xffff_ffff) ? message.notice_version : 0,
    // What is not said plainly is not allowed.
    typed: message.typed === true,
    page_text: message.page_text === true,
    answers: message.answers === true,
    active: message.active === true,
    private: message.private,
  };
}

/** @param {any} entry */
function isEntry(entry) {
  return typeof entry?.host === "string" && entry.host.length <= HOST_CHARACTERS
    && (entry.path === undefined || (typeof entry.path === "string" && entry.path.length <= PATH_CHARACTERS));
}

/** @param {any} entry */
function entry({ host, path }) {
  return { host, path: path ?? "" };
}

/**
 * @param {any} value
 * @param {number} most
 */
function isCount(value, most) {
  return Number.isSafeInteger(value) && value >= 0 && value <= most;
}

/**
 * @param {any} value
 * @param {number} characters
 */
function string(value, characters) {
  return typeof value === "string" ? value.slice(0, characters) : "";
}
