// @ts-check
/**
 * Hosts, and paths on them: the school's private list, and the lists in `sites.mjs`.
 *
 * It judges exactly as the agent does (`agent/src/minimiser/private_list.rs`, whose table of cases the
 * tests here repeat). An entry covers its host, every host below it, and, if it names a path, whatever
 * lies under that path by whole segments. Letter case, `www.`, a trailing dot, Punycode,
 * percent-encoding, doubled slashes and the forms of an IP address make no difference.
 *
 * What always holds: an entry that cannot be read makes the whole list refused. To leave it out in
 * silence would collect a helpline.
 */

/** @typedef {{ host: string, path?: string }} Entry */

/** Thrown for an entry that is not a host; says which, from 1, not what stands in it. */
export class NotAHost extends Error {
  /** @param {number} number */
  constructor(number) {
    super(`entry ${number} of the list is not a host`);
  }
}

export class Places {
  /** @type {Map<string, string[][]>} by canonical host: each path as its segments; none is all of it */
  #hosts = new Map();

  /** @param {readonly Entry[]} entries */
  constructor(entries) {
    entries.forEach(({ host, path }, index) => {
      const canonical = parseHost(host);
      if (canonical === null) throw new NotAHost(index + 1);
      const name = withoutWww(canonical);
      const paths = this.#hosts.get(name) ?? [];
      paths.push(segments(path ?? ""));
      this.#hosts.set(name, paths);
    });
  }

  /**
   * Whether the page at an address is one of these places; no for what is not an address with a host.
   * @param {string} address
   */
  cover(address) {
    const url = URL.canParse(address) ? new URL(address) : null;
    const host = url && canonicalHost(url.hostname);
    if (!url || !host) return false;
    const path = segments(url.pathname);
    // A host is under every name that its labels end with; an IP address only under itself.
    const isName = !host.startsWith("[") && !/^\d+(\.\d+){3}$/.test(host);
    for (let name = host; name !== ""; name = isName ? name.slice((name.indexOf(".") + 1) || name.length) : "") {
      if (this.#hosts.get(name)?.some((prefix) => startsWith(path, prefix))) return true;
    }
    return false;
  }

  /** The number of hosts. */
  get size() {
    return this.#hosts.size;
  }
}

/**
 * The one spelling of a parsed URL's host: no trailing dot, an IPv4 address never as IPv6.
 * @param {string} hostname
 */
function canonicalHost(hostname) {
  const mapped = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (mapped) {
    const bits = [mapped[1], mapped[2]].map((part) => Number.parseInt(part ?? "", 16));
    return bits.flatMap((pair) => [pair >> 8, pair & 255]).join(".");
  }
  return hostname.replace(/\.+$/, "");
}

/**
 * Reads a host as a person writes it in the list.
 * @param {string} written
 * @returns {string | null}
 */
function parseHost(written) {
  const host = written.trim();
  // `URL` would read percent-encoding, ports and user names too, and drop line ends; none belongs here.
  if (host.startsWith(".") || /[%*_/\\?#@\s]/.test(host)) return null;
  const bracketed = host.startsWith("[") ? host : host.includes(":") ? `[${host}]` : host;
  const address = `http://${bracketed}/`;
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  return url.port === "" ? canonicalHost(url.hostname) || null : null;
}

/**
 * `www.` in an entry is what people copy, not what they mean; `www.uk` is left as it is.
 * @param {string} host
 */
function withoutWww(host) {
  const rest = host.startsWith("www.") ? host.slice(4) : "";
  return rest.includes(".") ? rest : host;
}

/** @param {string} path */
function segments(path) {
  return path.split("/").filter((segment) => segment !== "").map((segment) => percentDecoded(segment).toLowerCase());
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** @param {string} text what is not UTF-8 becomes the replacement character */
function percentDecoded(text) {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    utf8.decode(Uint8Array.from(run.slice(1).split("%"), (hex) => Number.parseInt(hex, 16))));
}

/**
 * @param {string[]} path
 * @param {string[]} prefix
 */
function startsWith(path, prefix) {
  return prefix.every((segment, index) => path[index] === segment);
}
