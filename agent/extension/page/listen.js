// @ts-check
/**
 * The events of a page as {@link TypedText} wants them.
 *
 * Only what a person does counts (`isTrusted`), and only keys, paste and drop (`InputEvent`): text that the
 * page's own script puts into a field is not typed, nor what the browser fills in. Every event asks anew
 * whether the field may be read.
 */

/** When editors that change the document by themselves have done so, in milliseconds after a key and from there on. */
const OWN_CHANGES = [0, 250];

/** Of this document: it outlives every change of policy. */
const passwords = new Passwords();

/**
 * Listens until the signal says stop.
 * @param {AbortSignal} signal
 * @param {boolean} wasNotRead for a while, this page was not to be read
 * @param {(text: { field: number, text: string, at: number }) => void} emit
 * @returns {TypedText}
 */
function listen(signal, wasNotRead, emit) {
  const typed = new TypedText(emit, {
    now: Date.now,
    later: (then, milliseconds) => setTimeout(then, milliseconds),
    cancel: (timer) => clearTimeout(timer),
    number: randomNumber,
  }, wasNotRead);

  /** The field of an event if it may be read. @param {Event} event */
  const readable = (event) => {
    const field = event.isTrusted ? fieldOf(event) : null;
    if (!field || !isSensitive(describe(field, passwords))) return field;
    typed.forget(field);
    return null;
  };

  /** @param {string} type @param {(event: any) => void} act */
  const on = (type, act) => window.addEventListener(type, act, { capture: true, passive: true, signal });

  /** @type {WeakMap<HTMLElement, any>} */
  const readings = new WeakMap();
  /**
   * Reads a field once the page has had the event and may have changed it, unless an `input` comes first.
   * @param {HTMLElement} field
   * @param {number[]} waits
   */
  const readSoon = (field, [wait, ...more]) => {
    clearTimeout(readings.get(field));
    if (wait === undefined) return;
    readings.set(field, setTimeout(() => {
      if (signal.aborted || isSensitive(describe(field, passwords))) return;
      typed.changed(field, readField(field));
      readSoon(field, more);
    }, wait));
  };

  on("focusin", (event) => {
    for (const place of event.composedPath()) {
      if (place instanceof Document || place instanceof ShadowRoot) passwords.watch(place);
    }
  });
  on("beforeinput", (event) => {
    const field = readable(event);
    if (!field) return;
    if (!event.isComposing) typed.before(field, readField(field));
    // Editors that change the document by themselves cancel the event and raise no `input`.
    readSoon(field, OWN_CHANGES);
  });
  on("input", (event) => {
    const field = event instanceof InputEvent ? readable(event) : null;
    if (!field) return;
    clearTimeout(readings.get(field));
    typed.changed(field, readField(field));
  });
  on("compositionstart", (event) => {
    const field = readable(event);
    if (field) typed.composing(field, true);
  });
  // Chromium ends some compositions with an event that it does not call trusted; the text came with `input`.
  on("compositionend", (event) => {
    const field = fieldOf(event);
    if (field) typed.composing(field, false);
  });
  on("keydown", (event) => {
    const isEnter = event.key === "Enter" && !event.isComposing;
    const field = isEnter || event.key === "Backspace" ? readable(event) : null;
    if (field && isEnter) typed.finished(field, readField(field));
    else if (field && readField(field) === "") typed.tookBack(field);
  });
  on("focusout", (event) => {
    const field = readable(event);
    if (field) typed.finished(field);
  });
  // A button that sends may not take the focus.
  on("pointerdown", (event) => typed.allFinished(fieldOf(event) ?? undefined));
  on("submit", () => typed.allFinished());
  on("pagehide", () => typed.allFinished());
  document.addEventListener("visibilitychange", () => document.hidden && typed.allFinished(), { signal });

  passwords.watch(document);
  // Fields that the parser has still to bring.
  document.addEventListener("DOMContentLoaded", () => passwords.watch(document), { signal });
  signal.addEventListener("abort", () => {
    passwords.rest();
    typed.forgetAll();
  });
  return typed;
}

/** 53 random bits: a number that JSON keeps, and that says nothing of the field. */
function randomNumber() {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1f_ffff) * 2 ** 32 + low;
}
