// @ts-check
/**
 * Finding the field that an event is about, and reading the text round its caret.
 *
 * Fields are inputs, text areas, editable content, and elements with an `EditContext`, also inside shadow
 * roots. Reading touches no layout and is bounded: of a book in one editor only what is round the caret is
 * walked. Where more than {@link MOST_CHARACTERS} are there, three quarters of what is sent stand before the
 * caret: the words just typed, and what led to them.
 */

/** Each takes at most three bytes of UTF-8, and a text at most 32 KiB. */
const MOST_CHARACTERS = Math.floor((32 * 1024) / 3);
const BEFORE_CARET = Math.floor((MOST_CHARACTERS * 3) / 4);

/** Elements that begin a line. */
const BLOCKS = /^(?:P|DIV|LI|UL|OL|H[1-6]|BLOCKQUOTE|PRE|TR|SECTION|ARTICLE|DD|DT|TABLE)$/;

/**
 * The field that somebody types into.
 * @param {Event} event
 * @returns {HTMLElement | null}
 */
function fieldOf(event) {
  let element = event.composedPath()[0];
  // A closed shadow root hides what is in it from the path, not from the browser.
  for (let depth = 0; depth < 16 && element instanceof HTMLElement; depth += 1) {
    const inside = shadowRootOf(element)?.activeElement;
    if (!inside) break;
    element = inside;
  }
  return element instanceof HTMLElement ? fieldFrom(element) : null;
}

/**
 * @param {HTMLElement} element
 * @returns {HTMLElement | null}
 */
function fieldFrom(element) {
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return element;
  if (editContextOf(element)) return element;
  if (element.ownerDocument.designMode === "on") return element.ownerDocument.body;
  if (!element.isContentEditable) return null;
  let host = element;
  while (host.parentElement?.isContentEditable) host = host.parentElement;
  return host;
}

/**
 * Open or closed; a content script may see both.
 * @param {HTMLElement} element
 * @returns {ShadowRoot | null}
 */
function shadowRootOf(element) {
  const inFirefox = /** @type {any} */ (element).openOrClosedShadowRoot;
  return inFirefox === undefined ? (globalThis.chrome?.dom?.openOrClosedShadowRoot(element) ?? null) : inFirefox;
}

/**
 * The text of a field round its caret.
 * @param {HTMLElement} field
 * @returns {string}
 */
function readField(field) {
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) {
    return roundCaret(field.value, field.selectionStart ?? field.value.length);
  }
  const context = editContextOf(field);
  if (context) return roundCaret(String(context.text), Number(context.selectionEnd));
  return readEditable(field);
}

/**
 * @param {HTMLElement} element
 * @returns {{ text: string, selectionEnd: number } | null}
 */
function editContextOf(element) {
  return /** @type {any} */ (element).editContext ?? null;
}

/**
 * At most {@link MOST_CHARACTERS} of a text, those round the caret; no character is cut in two.
 * @param {string} text
 * @param {number} caret
 */
function roundCaret(text, caret) {
  if (text.length <= MOST_CHARACTERS) return text;
  const latest = text.length - MOST_CHARACTERS;
  const from = Math.max(0, Math.min(caret - BEFORE_CARET, latest));
  return withoutHalves(text.slice(from, from + MOST_CHARACTERS));
}

/** @param {string} text */
function withoutHalves(text) {
  return text.replace(/^[\uDC00-\uDFFF]/, "").replace(/[\uD800-\uDBFF]$/, "");
}

/** @param {HTMLElement} host */
function readEditable(host) {
  /** @type {any} a shadow root has a selection of its own in Chromium, the document's is wide in Firefox */
  const root = host.getRootNode();
  /** @type {Selection | null} */
  const selection = root.getSelection ? root.getSelection() : document.getSelection();
  const focus = selection?.focusNode;
  const inHost = focus && host.contains(focus);
  const caret = inHost ? caretAt(focus, selection.focusOffset) : caretAt(host, host.childNodes.length);
  const before = collect(host, caret.node, caret.before, "previousNode", BEFORE_CARET);
  const after = collect(host, caret.node, caret.after, "nextNode", MOST_CHARACTERS - BEFORE_CARET);
  // An empty editor often holds an empty line.
  return withoutHalves(before + after).replace(/\n{3,}/g, "\n\n").replace(/^\n+|\n+$/g, "").replace(/\u00a0/g, " ");
}

/**
 * A place in the document as a node, and what of its text stands on either side.
 * @param {Node} node
 * @param {number} offset
 * @returns {{ node: Node, before: string, after: string }}
 */
function caretAt(node, offset) {
  if (node instanceof Text) return { node, before: node.data.slice(0, offset), after: node.data.slice(offset) };
  const next = node.childNodes[offset];
  if (next) return { node: next, before: "", after: next instanceof Text ? next.data : "" };
  let last = node;
  while (last.lastChild) last = last.lastChild;
  return { node: last, before: last instanceof Text ? last.data : "", after: "" };
}

/**
 * The text of an editor from a node on, in one direction; a line begins where a block or a `<br>` does.
 * @param {HTMLElement} host
 * @param {Node} from
 * @param {string} first what of that node belongs to it
 * @param {"previousNode" | "nextNode"} direction
 * @param {number} most characters
 */
function collect(host, from, first, direction, most) {
  const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  walker.currentNode = from;
  const pieces = [first];
  for (let length = first.length; length < most; ) {
    const node = walker[direction]();
    if (!node || node === host) break;
    const isBreak = node.nodeName === "BR" || BLOCKS.test(node.nodeName);
    const piece = node instanceof Text ? node.data : isBreak ? "\n" : "";
    pieces.push(piece);
    // An element costs something, too: a walk over empty ones has an end.
    length += piece.length || 1;
  }
  const backwards = direction === "previousNode";
  const text = (backwards ? pieces.reverse() : pieces).join("");
  return backwards ? text.slice(-most) : text.slice(0, most);
}
