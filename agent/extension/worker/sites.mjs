// @ts-check
/**
 * Sites that are treated in a way of their own: what is typed to an AI is a prompt, and what is typed where
 * money is paid or somebody signs in is never read.
 *
 * An entry covers its host and every host below it, and whatever lies under its path.
 */

import { Places } from "./places.mjs";

/** What is typed there goes to an AI, and what is not typed there may be its answer. */
export const AI_CHATS = [
  { host: "chatgpt.com" },
  { host: "chat.openai.com" },
  { host: "gemini.google.com" },
  { host: "bard.google.com" },
  { host: "aistudio.google.com" },
  { host: "copilot.microsoft.com" },
  { host: "copilot.cloud.microsoft" },
  { host: "m365.cloud.microsoft", path: "/chat" },
  { host: "bing.com", path: "/chat" },
  { host: "claude.ai" },
  { host: "character.ai" },
  { host: "perplexity.ai" },
  { host: "deepseek.com" },
  { host: "grok.com" },
  { host: "x.com", path: "/i/grok" },
  { host: "poe.com" },
  { host: "replika.com" },
  { host: "replika.ai" },
  { host: "meta.ai" },
  { host: "chat.mistral.ai" },
  { host: "duck.ai" },
  { host: "pi.ai" },
  { host: "you.com" },
  { host: "huggingface.co", path: "/chat" },
  { host: "janitorai.com" },
  { host: "talkie-ai.com" },
  { host: "chai-research.com" },
  { host: "schoolai.com" },
  { host: "magicschool.ai" },
  // Snapchat's My AI is a conversation among those with friends, under an address like theirs: what is typed
  // there counts as typed, not as a prompt.
];

const PAYS = "a payment service: card and bank details are typed here, on its own pages and in its frames on a shop's";
const PROVES = "where a bank asks whether it is really its customer who pays (3-D Secure)";
const SCHOOL = "where families pay the school";
const SIGNS_IN = "a sign-in page: nothing but names, passwords and codes is typed here";

/** Nothing that is typed or shown there is read. That a page was visited is not hidden: see the private list. */
export const NEVER_READ = [
  { host: "stripe.com", reason: PAYS },
  { host: "stripe.network", reason: PAYS },
  { host: "link.com", reason: PAYS },
  { host: "paypal.com", reason: PAYS },
  { host: "paypalobjects.com", reason: PAYS },
  { host: "braintreegateway.com", reason: PAYS },
  { host: "braintree-api.com", reason: PAYS },
  { host: "adyen.com", reason: PAYS },
  { host: "adyenpayments.com", reason: PAYS },
  { host: "worldpay.com", reason: PAYS },
  { host: "checkout.com", reason: PAYS },
  { host: "frames.checkout.com", reason: PAYS },
  { host: "klarna.com", reason: PAYS },
  { host: "klarnacdn.net", reason: PAYS },
  { host: "clearpay.co.uk", reason: PAYS },
  { host: "afterpay.com", reason: PAYS },
  { host: "squarecdn.com", reason: PAYS },
  { host: "squareup.com", reason: PAYS },
  { host: "shopifycs.com", reason: PAYS },
  { host: "shop.app", reason: PAYS },
  { host: "pay.google.com", reason: PAYS },
  { host: "payments.google.com", reason: PAYS },
  { host: "apple-pay-gateway.apple.com", reason: PAYS },
  { host: "payments.amazon.com", reason: PAYS },
  { host: "payments.amazon.co.uk", reason: PAYS },
  { host: "sagepay.com", reason: PAYS },
  { host: "opayo.co.uk", reason: PAYS },
  { host: "elavon.com", reason: PAYS },
  { host: "globalpay.com", reason: PAYS },
  { host: "globalpaymentsinc.com", reason: PAYS },
  { host: "gocardless.com", reason: PAYS },
  { host: "mollie.com", reason: PAYS },
  { host: "sumup.com", reason: PAYS },
  { host: "truelayer.com", reason: PAYS },
  { host: "cybersource.com", reason: PAYS },
  { host: "authorize.net", reason: PAYS },
  { host: "barclaycard.co.uk", reason: PAYS },
  { host: "spreedly.com", reason: PAYS },
  { host: "recurly.com", reason: PAYS },
  { host: "chargebee.com", reason: PAYS },
  { host: "paddle.com", reason: PAYS },
  { host: "xsolla.com", reason: PAYS },
  { host: "cardinalcommerce.com", reason: PROVES },
  { host: "arcot.com", reason: PROVES },
  { host: "3dsecure.io", reason: PROVES },
  { host: "netcetera-payment.ch", reason: PROVES },
  { host: "parentpay.com", reason: SCHOOL },
  { host: "wisepay.co.uk", reason: SCHOOL },
  { host: "scopay.com", reason: SCHOOL },
  { host: "parentmail.co.uk", reason: SCHOOL },
  { host: "accounts.google.com", reason: SIGNS_IN },
  { host: "login.microsoftonline.com", reason: SIGNS_IN },
  { host: "login.live.com", reason: SIGNS_IN },
  { host: "appleid.apple.com", reason: SIGNS_IN },
  { host: "account.apple.com", reason: SIGNS_IN },
  { host: "idmsa.apple.com", reason: SIGNS_IN },
];

const aiChats = new Places(AI_CHATS);
const neverRead = new Places(NEVER_READ);

/** @param {string} address */
export function isAiChat(address) {
  return aiChats.cover(address);
}

/** @param {string} address */
export function isNeverRead(address) {
  return neverRead.cover(address);
}
