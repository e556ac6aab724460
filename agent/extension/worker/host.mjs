// @ts-check
/**
 * The connection to the native host, `redshank-agent native-host`.
 *
 * While it is open the browser keeps the worker running. When it closes it is opened again after a wait that
 * doubles; a browser that knows no such host, or does not let this extension use it, is told apart by its
 * message, since it gives no code.
 */

/** @typedef {{ name: string, postMessage(message: any): void, disconnect(): void, onMessage: { addListener(listener: (message: any) => void): void }, onDisconnect: { addListener(listener: (port: any) => void): void } }} Port */

export const FIRST_WAIT = 500;
/** Shorter than the 30 seconds after which the browser stops an idle worker: the next try keeps it awake. */
export const LONGEST_WAIT = 20_000;

/**
 * Chromium: "Specified native messaging host not found.", "Access to the specified native messaging host is
 * forbidden."; Firefox, for both: "No such native application …".
 */
const NOT_HERE = /host not found|host is forbidden|no such native application/i;

export class Host {
  #connect;
  #reason;
  #later;
  #on;
  /** @type {Port | null} */
  #port = null;
  #wait = FIRST_WAIT;

  /**
   * @param {() => Port} connect
   * @param {(port: Port) => string} reason why a port closed, in the browser's words
   * @param {(then: () => void, milliseconds: number) => void} later
   * @param {{ open(): void, message(message: any): void, closed(): void, missing(): boolean }} on `missing`
   *   is asked whether that is the end of it
   */
  constructor(connect, reason, later, on) {
    this.#connect = connect;
    this.#later = later;
    this.#reason = reason;
    this.#on = on;
  }

  open() {
    if (this.#port) return;
    let port;
    try {
      port = this.#connect();
    } catch (error) {
      this.#closed(String(error));
      return;
    }
    this.#port = port;
    port.onMessage.addListener((message) => {
      if (this.#port !== port) return;
      this.#wait = FIRST_WAIT;
      this.#on.message(message);
    });
    port.onDisconnect.addListener(() => {
      const reason = this.#reason(port);
      if (this.#port !== port) return;
      this.#port = null;
      this.#closed(reason);
    });
    this.#on.open();
  }

  /** @param {any} message dropped if the connection is closed: what matters is in the queue */
  send(message) {
    try {
      this.#port?.postMessage(message);
    } catch {
      // The port closed and its event is still to come.
    }
  }

  /** @param {string} reason */
  #closed(reason) {
    this.#on.closed();
    if (NOT_HERE.test(reason) && this.#on.missing()) return;
    this.#later(() => this.open(), this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
  }
}
