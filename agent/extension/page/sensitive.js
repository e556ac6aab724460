// @ts-check
/**
 * Which fields are never read.
 *
 * What is read is speech: single-line text, search boxes, text areas and editable content. Fields that ask
 * for a password, a code, a payment, an identity, a number, an address or a date hold none. It is decided by
 * what the page says of the field: its type, its `autocomplete`, its keyboard, its names and labels, its
 * masking, and the fields beside it. In doubt it is not read.
 *
 * What always holds: a field that was once a password stays one, whatever its type becomes: "show password"
 * changes nothing. Pages that put another element in its place are recognised by its name or id.
 */

/**
 * What the page says of a field.
 * @typedef {object} Description
 * @property {string} tag `input`, `textarea` or `editable`
 * @property {string} type of an `input`
 * @property {string} autocomplete
 * @property {string} inputmode
 * @property {string[]} names its name, id, placeholder and labels
 * @property {boolean} masked drawn as dots by style
 * @property {boolean} oncePassword
 * @property {boolean} besideCard in a form that asks for a card
 */

/** Types of `input` that hold speech. An unknown type is `text` to the browser and to us. */
const SPEECH_TYPES = new Set(["text", "search"]);

/** All autofill fields of the HTML standard are secrets or identity; these words beside them are neither. */
const NO_AUTOFILL_FIELD = /^(?:on|off|section-.*|shipping|billing|home|work|mobile|fax|pager)$/;
const AUTOFILL_FIELD = new RegExp(
  "^(?:" +
    [
      "current-password|new-password|one-time-code|webauthn|username|cc-[a-z-]+|transaction-[a-z]+",
      "name|honorific-(?:prefix|suffix)|given-name|additional-name|family-name|nickname|sex|bday(?:-[a-z]+)?",
      "organization(?:-title)?|street-address|address-(?:line[1-3]|level[1-4])|country(?:-name)?|postal-code",
      "email|tel(?:-[a-z-]+)?|impp|url|photo|language",
    ].join("|") +
    ")$",
);

/** Words in names and labels, of every kind of field; the names are in lower case, words set apart. */
const SECRETS = [
  // Passwords, and what stands in for them.
  /\bpass ?word|\bpasswd\b|\bpwd\b|\bpass ?(?:phrase|code|key)\b/,
  /^pin$|\b(?:your|enter|digit|card|security|login|new|confirm) pin\b|\bpin ?(?:code|number|no)\b/,
  /^secret$|\bsecret (?:key|code|word|question|answer|phrase)\b|\b(?:client|shared) secret\b/,
  /\b(?:recovery|seed|mnemonic) ?(?:phrase|words?|key|code)\b|\b(?:api|private|access|encryption) ?key\b/,
  /\bsecurity (?:question|answer|word)\b|\bmemorable (?:word|information|date|place|name)\b|\bmother ?s maiden\b/,
  /^token$|\b(?:access|auth|bearer|api) ?token\b/,
  // One-time codes.
  /\botp\b|\btotp\b|\bmfa\b|\b2 ?fa\b|\bone time\b|\bcaptcha\b/,
  /\b(?:verification|verify|authentication|authenticator|auth|confirmation|sms|login|sign in|backup|two factor|two step|security|activation|access) ?code\b/,
  /\b(?:digit|text ?message) code\b|\bcode (?:we|that was) (?:sent|texted|emailed)\b/,
  // Payment.
  /\bcvv2?\b|\bcvc2?\b|\bcsc\b|\bcard ?(?:number|no|num|holder|verification|security|expiry|details)\b|\bcc ?(?:number|num|no|exp|csc|cvc|cvv|name)\b/,
  /\b(?:credit|debit|bank) ?card\b|\bname on (?:the )?card\b|\bpan number\b/,
  /\bexpir(?:y|ation)\b|\bexp (?:month|year|date|mm|yy)\b|\bmm ?yy(?:yy)?\b/,
  /\biban\b|\bbic\b|\bswift code\b|\bsort ?code\b|\baccount ?(?:number|no|num)\b|\brouting ?(?:number|no)\b|\bbank account\b/,
  // Numbers of persons.
  /\bnational insurance\b|\bnino\b|\bni ?(?:number|no)\b|\bnhs ?(?:number|no)\b|\bpassport ?(?:number|no)\b|\bssn\b|\bsocial security\b/,
  /\bdriving licen[cs]e\b|\btax (?:reference|id|number)\b|\bunique (?:pupil|learner) number\b|\bupn\b|\buln\b/,
];

/** Words that make a single-line field one of identity; a text area with them may well hold a letter. */
const IDENTITY = [
  /\buser ?name\b|\buser ?id\b|^user$|^login$|\blogin ?(?:id|name|email)\b/,
  /\be ?mail\b|\bphone\b|\btelephone\b|\bmobile (?:number|no)\b|\bpost ?code\b|\bzip ?code\b|\baddress line\b|\bstreet address\b/,
  /\b(?:first|last|full|middle|given|family|maiden) ?name\b|\bsurname\b|\bforename\b/,
  /\bdob\b|\bdate of birth\b|\bbirth ?(?:date|day)\b/,
];

/** Longer labels are prose, and prose about passwords asks for none. */
const LABEL_CHARACTERS = 120;

/**
 * Whether a field is never read.
 * @param {Description} field
 */
function isSensitive(field) {
  if (field.oncePassword || field.masked || field.besideCard) return true;
  if (field.tag === "input" && !SPEECH_TYPES.has(field.type)) return true;
  if (["numeric", "decimal", "tel", "email"].includes(field.inputmode)) return true;
  const tokens = field.autocomplete.toLowerCase().split(/\s+/);
  if (tokens.some((token) => !NO_AUTOFILL_FIELD.test(token) && AUTOFILL_FIELD.test(token))) return true;
  const patterns = field.tag === "input" ? [...SECRETS, ...IDENTITY] : SECRETS;
  return field.names.map(words).some((name) => patterns.some((pattern) => pattern.test(name)));
}

/**
 * A name or label as words: `cardNumber`, `card_number` and `Card number:` are one.
 * @param {string} name
 */
function words(name) {
  if (name.length > LABEL_CHARACTERS) return "";
  const apart = name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
  return apart.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}

/** What was a password in this document. */
class Passwords {
  /** @type {WeakSet<Element>} */
  #fields = new WeakSet();
  /** @type {Set<string>} names and ids; a page has few */
  #names = new Set();
  /** @type {WeakSet<Node>} */
  #watched = new WeakSet();
  #observer = new MutationObserver((changes) => {
    for (const { target, oldValue } of changes) {
      if (target instanceof HTMLInputElement && oldValue?.toLowerCase() === "password") this.note(target);
    }
  });

  /** Watches a document or shadow root, and looks what is in it at this moment. @param {Document | ShadowRoot} root */
  watch(root) {
    for (const field of root.querySelectorAll("input[type=password i]")) this.note(field);
    if (this.#watched.has(root)) return;
    this.#watched.add(root);
    this.#observer.observe(root, { subtree: true, attributeFilter: ["type"], attributeOldValue: true });
  }

  /** @param {Element} field */
  note(field) {
    this.#fields.add(field);
    for (const name of [field.getAttribute("name"), field.id]) {
      if (name && this.#names.size < 1_000) this.#names.add(name);
    }
  }

  /** @param {Element} field */
  has(field) {
    const name = field.getAttribute("name");
    return this.#fields.has(field) || (!!name && this.#names.has(name)) || (!!field.id && this.#names.has(field.id));
  }

  /** Watches nothing any more; what was a password is not forgotten. */
  rest() {
    this.#observer.disconnect();
    this.#watched = new WeakSet();
  }
}

const CARD_FIELDS = "[autocomplete~='cc-number' i], [autocomplete~='cc-csc' i], [autocomplete~='cc-exp' i]";

/**
 * What the page says of a field.
 * @param {HTMLElement} field
 * @param {Passwords} passwords
 * @returns {Description}
 */
function describe(field, passwords) {
  const isInput = field instanceof HTMLInputElement;
  if (isInput && field.type === "password") passwords.note(field);
  const hasLabels = isInput || field instanceof HTMLTextAreaElement;
  const root = /** @type {Document | ShadowRoot} */ (field.getRootNode());
  const labelled = (field.getAttribute("aria-labelledby") ?? "").split(/\s+/).slice(0, 8);
  const labels = [
    ...(hasLabels ? Array.from(field.labels ?? []) : []),
    ...labelled.map((id) => (id ? root.getElementById?.(id) : null)),
  ];
  const attributes = ["name", "id", "placeholder", "aria-label", "title"];
  const style = getComputedStyle(field);
  const masking = style.getPropertyValue("-webkit-text-security");
  return {
    tag: isInput ? "input" : field instanceof HTMLTextAreaElement ? "textarea" : "editable",
    type: isInput ? field.type : "",
    autocomplete: field.getAttribute("autocomplete") ?? "",
    inputmode: (field.getAttribute("inputmode") ?? "").toLowerCase(),
    names: [
      ...attributes.map((name) => field.getAttribute(name) ?? ""),
      ...labels.slice(0, 8).map((label) => (label?.textContent ?? "").slice(0, LABEL_CHARACTERS + 1)),
    ],
    masked: masking !== "" && masking !== "none",
    oncePassword: passwords.has(field),
    besideCard: field.closest("form")?.querySelector(CARD_FIELDS) != null,
  };
}
