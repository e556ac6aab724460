// @ts-check
/**
 * Numbers that open or pay for something are blanked in whatever field they stand: card numbers, IBANs,
 * National Insurance and NHS numbers, sort codes with their account numbers. A text that is nothing but a code
 * is not sent at all. Telephone numbers stay: that a child is given one by a stranger is what it is about.
 *
 * Each kind but the last is known by its check digits, so that an ordinary number is left as it is.
 */

const BLANKED = "[number]";

/**
 * The text as it may be sent, or `null` if nothing of it may.
 * @param {string} text
 * @returns {string | null}
 */
function withoutNumbers(text) {
  return isNothingButACode(text) ? null : NUMBERS.reduce(blank, text);
}

/** @type {{ pattern: RegExp, holds(match: string): boolean }[]} */
const NUMBERS = [
  // ISO 13616: country, two check digits, up to 30 letters and digits, often in groups of four.
  { pattern: /\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b/gi, holds: isIban },
  // ISO/IEC 7812: 13 to 19 digits, grouped as people group them. A longer run of digits is no card.
  { pattern: /(?<![\d])(?:\d[ -]?){12,18}\d(?![\d])/g, holds: isLuhn },
  // GOV.UK: two letters, six digits, A to D.
  { pattern: /\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ ]?\d{2}[ ]?\d{2}[ ]?\d{2}[ ]?[A-D]\b/gi, holds: () => true },
  // NHS Data Dictionary: ten digits, the last a check digit modulo 11; none begins with 0, as telephone numbers do.
  { pattern: /(?<![\d+])[1-9]\d{2}[ -]?\d{3}[ -]?\d{4}(?!\d)/g, holds: isNhs },
  // A UK sort code followed by an account number.
  { pattern: /(?<!\d)\d{2}-\d{2}-\d{2}[ ,;:/]{1,3}\d{8}(?!\d)/g, holds: () => true },
];

/**
 * @param {string} text
 * @param {{ pattern: RegExp, holds(match: string): boolean }} number
 */
function blank(text, { pattern, holds }) {
  return text.replace(pattern, (match) => (holds(match) ? BLANKED : match));
}

/**
 * One-time codes, PINs, and the first digits of a card number in somebody's typing. A longer number that
 * begins with 0 or + is a telephone number.
 * @param {string} text
 */
function isNothingButACode(text) {
  const bare = text.trim();
  if (/^(?:[A-Z]{1,3}-)?\d{4,8}$/.test(bare) || /^\d{3}[ -]\d{3}$/.test(bare)) return true;
  return /^[1-9][\d -]{3,}$/.test(bare) && bare.replace(/\D/g, "").length >= 4;
}

/** @param {string} text */
function isLuhn(text) {
  const digits = text.replace(/\D/g, "");
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]) * (place % 2 === 1 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0 && /[1-9]/.test(digits);
}

/** @param {string} text */
function isIban(text) {
  const bare = text.replace(/ /g, "").toUpperCase();
  const moved = bare.slice(4) + bare.slice(0, 4);
  let rest = 0;
  for (const character of moved) {
    for (const digit of String(Number.parseInt(character, 36))) rest = (rest * 10 + Number(digit)) % 97;
  }
  return rest === 1;
}

/** @param {string} text */
function isNhs(text) {
  const digits = Array.from(text.replace(/\D/g, ""), Number);
  const sum = digits.slice(0, 9).reduce((total, digit, place) => total + digit * (10 - place), 0);
  return (11 - (sum % 11)) % 11 === digits[9];
}
