// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { scope } from "./fakes.mjs";

const { withoutNumbers } = scope(["numbers.js"], ["withoutNumbers"]);

/** @type {[string, string | null][]} */
const CASES = [
  // Card numbers: the networks' own test numbers.
  ["my card is 4111 1111 1111 1111 ok", "my card is [number] ok"],
  ["4111-1111-1111-1111!", "[number]!"],
  ["use 378282246310005 please", "use [number] please"],
  ["two: 5555555555554444, 6011111111111117.", "two: [number], [number]."],
  ["not one: 4111 1111 1111 1112 ok", "not one: 4111 1111 1111 1112 ok"],
  ["a longer run 41111111111111111111111 is none", "a longer run 41111111111111111111111 is none"],
  ["zeros 0000 0000 0000 0000 are none", "zeros 0000 0000 0000 0000 are none"],
  // The IBANs of ISO 13616's registry.
  ["pay GB29 NWBK 6016 1331 9268 19 now", "pay [number] now"],
  ["pay gb29nwbk60161331926819 now", "pay [number] now"],
  ["pay DE89370400440532013000 now", "pay [number] now"],
  ["pay GB29 NWBK 6016 1331 9268 18 now", "pay GB29 NWBK 6016 1331 9268 18 now"],
  ["ni AB 12 34 56 C", "ni [number]"],
  ["ni ab123456c", "ni [number]"],
  ["nhs 943 476 5919", "nhs [number]"],
  ["nhs 9434765919", "nhs [number]"],
  ["nhs 943 476 5918", "nhs 943 476 5918"],
  ["to 12-34-56 12345678", "to [number]"],
  // Nothing but a code.
  ["1234", null],
  [" 123456 ", null],
  ["123 456", null],
  ["123-456", null],
  ["G-123456", null],
  ["4111 11", null],
  ["4111 1111 1111 111", null],
  // Telephone numbers, years and sums in a sentence stay.
  ["07700 900123", "07700 900123"],
  ["call me on 07700900123", "call me on 07700900123"],
  ["+44 7700 900123", "+44 7700 900123"],
  ["in 1945 there were 2500000", "in 1945 there were 2500000"],
  ["999", "999"],
  ["i am 12", "i am 12"],
  ["i want to die", "i want to die"],
];

test("numbers that open or pay for something are blanked, and codes not sent", () => {
  for (const [text, expected] of CASES) assert.equal(withoutNumbers(text), expected, text);
});
