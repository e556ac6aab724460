// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { scope } from "./fakes.mjs";

const { isSensitive, words } = scope(["sensitive.js"], ["isSensitive", "words"]);

/** @type {[string, Record<string, any>][]} */
const NEVER = [
  ...["password", "hidden", "email", "tel", "number", "date", "time", "month", "week", "datetime-local", "color", "range", "file", "url", "checkbox"]
    .map((type) => /** @type {[string, any]} */ ([`type=${type}`, { type }])),
  ...[
    "current-password", "new-password", "one-time-code", "cc-number", "cc-csc", "cc-exp", "cc-exp-month", "cc-name", "username", "email", "tel",
    "bday", "street-address", "postal-code", "given-name", "webauthn", "section-a shipping cc-number", "Current-Password", "username webauthn",
  ].map((autocomplete) => /** @type {[string, any]} */ ([`autocomplete=${autocomplete}`, { autocomplete }])),
  ...["numeric", "decimal", "tel", "email"].map((inputmode) => /** @type {[string, any]} */ ([`inputmode=${inputmode}`, { inputmode }])),
  ["once a password", { oncePassword: true }],
  ["drawn as dots", { masked: true }],
  ["a text area beside a card", { tag: "textarea", besideCard: true }],
  ["an editor for a recovery phrase", { tag: "editable", names: ["Secret recovery phrase"] }],
  ["a text area for a private key", { tag: "textarea", names: ["privateKey"] }],
  ...[
    "password", "userPassword", "passwd", "pwd", "login_pwd", "Passphrase", "passcode", "pass-code", "pin", "PIN", "Enter your PIN", "pinCode", "pin_number",
    "4 digit PIN", "secret", "client_secret", "Secret answer", "securityQuestion", "security answer", "memorable word", "Mother's maiden name", "recovery key",
    "api_key", "access_token", "token", "otp", "OTP code", "otpInput", "totp", "mfa_code", "2fa", "one-time code", "oneTimeCode", "verification code",
    "verificationCode", "Enter the code we sent you", "6-digit code", "smsCode", "auth code", "backup code", "captcha", "cvv", "CVV2", "cvc", "csc",
    "Security code", "card number", "cardNumber", "cardnumber", "card_no", "ccnum", "cc-number", "Name on card", "Debit card", "expiry", "Expiration date",
    "exp_month", "MM/YY", "iban", "IBAN", "BIC", "sort code", "sortcode", "sort-code", "Account number", "accountNumber", "account no", "routing number",
    "National Insurance number", "nino", "NI number", "NHS number", "nhsNumber", "Passport number", "Driving licence", "Unique Pupil Number", "upn",
    "username", "user_name", "userId", "login", "Email address", "e-mail", "phone", "Postcode", "First name", "lastName", "surname", "dob", "Date of birth",
  ].map((name) => /** @type {[string, any]} */ ([name, { names: ["", name] }])),
];

/** @type {[string, Record<string, any>][]} */
const READ = [
  ["text", {}],
  ["search", { type: "search" }],
  ["a text area", { tag: "textarea", type: "" }],
  ["an editor", { tag: "editable", type: "" }],
  ...["on", "off", "nope", "section-blue", ""].map((autocomplete) => /** @type {[string, any]} */ ([`autocomplete=${autocomplete}`, { autocomplete }])),
  ...["text", "search", "none", ""].map((inputmode) => /** @type {[string, any]} */ ([`inputmode=${inputmode}`, { inputmode }])),
  ...[
    "q", "search", "Search Google or type a URL", "message", "Type a message", "comment", "Add a comment…", "Say something", "prompt-textarea",
    "Ask anything", "Message ChatGPT", "opinion", "spinner", "shopping", "Pinterest search", "compass", "title", "Post title", "discard reason", "secretary",
    "tokenise", "account name of the story", "What is your opinion of passports?", "birthplace of Shakespeare", "codeEditor", "Your answer", "cardigan", "postcard text",
  ].map((name) => /** @type {[string, any]} */ ([name, { names: [name] }])),
  ["an editor of mail", { tag: "editable", names: ["Email body"] }],
  ["a text area for a letter", { tag: "textarea", names: ["Write here, with your surname"] }],
  ["prose about passwords", { names: ["Tell us in your own words about the problem that you have had when you tried to change the password of your account with us last week"] }],
];

test("what is never read", () => {
  for (const [name, field] of NEVER) assert.equal(isSensitive(described(field)), true, name);
});

test("what is read", () => {
  for (const [name, field] of READ) assert.equal(isSensitive(described(field)), false, name);
});

test("names are words however they are spelt", () => {
  for (const name of ["cardNumber", "card_number", "CardNumber", "Card number:", "card-number", " CARD  NUMBER "]) assert.equal(words(name), "card number", name);
  assert.equal(words("userOTPCode"), "user otp code");
});

/** @param {Record<string, any>} field */
function described(field) {
  return { tag: "input", type: field["tag"] ? "" : "text", autocomplete: "", inputmode: "", names: [], masked: false, oncePassword: false, besideCard: false, ...field };
}
