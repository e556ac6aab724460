// @ts-check
/**
 * The conversation with the agent: hello, its policy, items until each is stored.
 *
 * A connection begins with a hello, and so does every return of an agent that was away. Items are sent after
 * the welcome only, in the order of their numbers, and everything that is not stored is sent again on the
 * next connection.
 *
 * An agent that speaks another version of the messages refuses the hello. The connection stays as it is then,
 * and nothing more is said over it until the native host tells of a new agent: neither a hello nor another
 * connection would find this one changed. The queue goes on within its bounds, as for an agent that is away.
 */

import { Host } from "./host.mjs";
import * as messages from "./messages.mjs";

/** @typedef {import("./policy.mjs").Policy} Policy */
/** @typedef {import("./queue.mjs").Queue} Queue */
/** @typedef {{ browser: string, private_windows: boolean }} Facts */

export class Agent {
  /** It has said welcome over the connection that is open now. */
  #present = false;
  /** It has refused the hello over the connection that is open now. */
  #refused = false;
  #pumping = false;
  #session;
  #policy;
  #queue;
  #facts;
  #changed;
  #host;

  /**
   * @param {{ session: string, policy: Policy, queue: Queue, facts(): Promise<Facts>, changed(policy: boolean): void }} worker
   *   `changed` hears of a policy that came into force (`true`), and of the agent coming and going
   * @param {() => import("./host.mjs").Port} connect
   * @param {(port: any) => string} whyClosed
   * @param {(then: () => void, milliseconds: number) => void} later
   */
  constructor({ session, policy, queue, facts, changed }, connect, whyClosed, later) {
    this.#session = session;
    this.#policy = policy;
    this.#queue = queue;
    this.#facts = facts;
    this.#changed = changed;
    this.#host = new Host(connect, whyClosed, later, {
      open: () => void this.#hello(),
      message: (message) => void this.#hear(message),
      closed: () => this.#gone(),
      missing: () => this.#missing(),
    });
  }

  /** Whether the agent takes what is sent. */
  get present() {
    return this.#present;
  }

  /** Whether the agent and this extension are of versions that do not understand each other. */
  get refused() {
    return this.#refused;
  }

  begin() {
    if (!this.#policy.off) this.#host.open();
  }

  /** Sends what waits, as long as the agent takes it. */
  async pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#present) {
        const batch = await this.#queue.take(Date.now);
        if (batch.length === 0) break;
        this.#host.send(messages.items(batch));
      }
    } finally {
      this.#pumping = false;
    }
  }

  async #hello() {
    this.#gone();
    const facts = await this.#facts();
    this.#host.send(messages.hello({ session: this.#session, ...facts }));
  }

  /** @param {any} raw */
  async #hear(raw) {
    const message = messages.fromAgent(raw);
    switch (message?.type) {
      case "welcome":
        this.#present = true;
        this.#refused = false;
        return this.#heardPolicy(await this.#policy.begin(message.welcome));
      case "private":
        return this.#heardPolicy(await this.#policy.more(message.entries));
      case "stored":
        await this.#queue.stored(message.n);
        return this.pump();
      case "refused":
        return this.#gone(true);
      case "away":
        return this.#gone();
      case "back":
        return this.#hello();
    }
  }

  /** @param {boolean} inForce */
  #heardPolicy(inForce) {
    this.#changed(inForce);
    return this.pump();
  }

  /** @param {boolean} [refused] it is there, and cannot speak with this extension */
  #gone(refused = false) {
    this.#present = false;
    this.#refused = refused;
    this.#queue.reconnected();
    this.#changed(false);
  }

  /** The browser knows no native host. Returns whether that is the end of it. */
  #missing() {
    const off = this.#policy.turnOff();
    if (off) void this.#queue.clear();
    this.#changed(false);
    return off;
  }
}
