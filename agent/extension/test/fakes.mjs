// @ts-check
/** The content scripts are classic scripts with one scope: this reads some of them into a scope of their own. */
import { readFileSync } from "node:fs";
import vm from "node:vm";

/**
 * @param {string[]} files in `page/`, in the manifest's order
 * @param {string[]} names what the test wants of them
 * @returns {any}
 */
export function scope(files, names) {
  const source = files.map((file) => readFileSync(new URL(`../page/${file}`, import.meta.url), "utf8")).join("\n");
  return vm.runInNewContext(`${source}\n;({ ${names.join(", ")} })`, { MutationObserver: class {} });
}

/** Timers and a clock that stand still until the test says so. */
export class Time {
  now = 1_000_000;
  #next = 1;
  /** @type {Map<number, { at: number, then: () => void }>} */
  #timers = new Map();

  later = (/** @type {() => void} */ then, /** @type {number} */ milliseconds) => {
    this.#timers.set(this.#next, { at: this.now + milliseconds, then });
    return this.#next++;
  };

  cancel = (/** @type {any} */ timer) => void this.#timers.delete(timer);

  /** @param {number} milliseconds */
  pass(milliseconds) {
    const end = this.now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, one], [, other]) => one.at - other.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = due[1].at;
      due[1].then();
    }
    this.now = end;
  }
}

/** `storage.session` as browsers have it: values are copied, and a quota holds. */
export class Area {
  /** @type {Map<string, string>} */
  #values = new Map();
  writes = 0;
  quota = Infinity;

  async get() {
    return Object.fromEntries([...this.#values].map(([key, value]) => [key, JSON.parse(value)]));
  }

  /** @param {Record<string, any>} values */
  async set(values) {
    this.writes += 1;
    const next = new Map(this.#values);
    for (const [key, value] of Object.entries(values)) next.set(key, JSON.stringify(value));
    if ([...next].reduce((sum, [key, value]) => sum + key.length + value.length, 0) > this.quota) throw new Error("quota");
    this.#values = next;
  }

  /** @param {string[]} keys */
  async remove(keys) {
    for (const key of keys) this.#values.delete(key);
  }

  keys() {
    return [...this.#values.keys()];
  }
}
