// @ts-check
/** The cases of `agent/src/minimiser/private_list.rs`: both must judge alike. */
import assert from "node:assert/strict";
import test from "node:test";

import { NotAHost, Places } from "../worker/places.mjs";
import { AI_CHATS, isAiChat, isNeverRead, NEVER_READ } from "../worker/sites.mjs";

/** @param {[string, string][]} entries */
const places = (...entries) => new Places(entries.map(([host, path]) => ({ host, path })));

/** @type {[string, Places, [string, boolean][]][]} */
const TABLES = [
  [
    "a host covers itself and all below it and nothing beside it",
    places(["childline.org.uk", ""], ["www.samaritans.org", ""], ["10.1.2.3", ""]),
    [
      ["https://childline.org.uk/", true],
      ["https://www.childline.org.uk/get-support/", true],
      ["https://CHILDLINE.org.uk./", true],
      ["https://chat.secure.childline.org.uk:8443/x", true],
      ["https://user:pass@childline.org.uk/", true],
      ["https://samaritans.org/", true],
      ["https://www.samaritans.org/", true],
      ["http://10.1.2.3/", true],
      ["http://0x0a.1.515/", true],
      ["http://[::ffff:10.1.2.3]/", true],
      ["https://notchildline.org.uk/", false],
      ["https://childline.org.uk.example/", false],
      ["https://childline.org.uk@example.com/", false],
      ["https://example.com/childline.org.uk", false],
      ["https://org.uk/", false],
      ["http://9.10.1.2.3.example/", false],
    ],
  ],
  [
    "a path covers whole segments however they are spelt",
    places(["nhs.uk", "/mental-health"], ["nhs.uk", "/Sexual%20Health/"]),
    [
      ["https://www.nhs.uk/mental-health", true],
      ["https://www.nhs.uk/mental-health/depression?x", true],
      ["https://www.nhs.uk//Mental-Health//", true],
      ["https://www.nhs.uk/%6Dental-health/", true],
      ["https://www.nhs.uk/x/../mental-health/", true],
      ["https://www.nhs.uk/sexual health/a", true],
      ["https://www.nhs.uk/mental-healthy", false],
      ["https://www.nhs.uk/a/mental-health", false],
      ["https://www.nhs.uk/mental-health/..", false],
      ["https://www.nhs.uk/", false],
    ],
  ],
  [
    "names in other alphabets and addresses have one spelling",
    places(["bücher.example", ""], ["::1", ""], ["[2001:db8::1]", ""]),
    [
      ["https://xn--bcher-kva.example/", true],
      ["https://BÜCHER.example/", true],
      ["http://[0:0::1]/", true],
      ["http://[2001:DB8::1]/", true],
      ["http://[::2]/", false],
    ],
  ],
  [
    "what is not an address is nowhere, and a path that is not UTF-8 is read",
    places(["nhs.uk", "/caf%E9"], ["nhs.uk", "/é"]),
    [
      ["", false],
      ["nhs.uk", false],
      ["about:blank", false],
      ["https://nhs.uk/caf%E9/x", true],
      ["https://nhs.uk/%c3%89", true],
    ],
  ],
];

for (const [name, list, cases] of TABLES) {
  test(name, () => {
    for (const [address, covered] of cases) assert.equal(list.cover(address), covered, address);
  });
}

test("what is no host is refused by its number", () => {
  for (const host of ["", "https://childline.org.uk", "a/b", "*.nhs.uk", ".nhs.uk", "a b", "%61.uk", ".", "nhs.uk:80", "a@b.uk", "a\nb"]) {
    assert.throws(() => places(["nhs.uk", ""], [host, ""]), (error) => error instanceof NotAHost && error.message.includes("entry 2 "), host);
  }
});

test("chats and payment pages are known by host and path", () => {
  for (const chat of ["https://chatgpt.com/c/1", "https://www.bing.com/chat?x", "https://x.com/i/grok"]) assert.ok(isAiChat(chat), chat);
  for (const other of ["https://x.com/home", "https://www.bing.com/search?q=chat", "https://www.snapchat.com/web"]) assert.ok(!isAiChat(other), other);
  for (const pay of ["https://js.stripe.com/v3/", "https://www.paypal.com/checkoutnow", "https://accounts.google.com/signin"]) assert.ok(isNeverRead(pay), pay);
  assert.ok(!isNeverRead("https://www.google.com/search?q=stripe.com"));
});

test("no site stands twice in a list, and each that is never read says why", () => {
  for (const list of [AI_CHATS, NEVER_READ]) {
    const names = list.map((entry) => entry.host + ("path" in entry ? entry.path : ""));
    assert.equal(new Set(names).size, names.length);
  }
  assert.ok(NEVER_READ.every(({ reason }) => reason.length > 20));
});
