/**
 * The page's way to the server. The token is in this tab's session storage, and nowhere else.
 *
 * @module
 */

const PLACE = "ftpsd.token";
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
/** The stream has something to say each second: where it is silent, the way is cut. */
const SILENCE_MS = 15_000;

/** It cannot be done; the message is the server's. */
export class RefusedError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The token, `""` where there is none. */
export function readToken() {
  return sessionStorage.getItem(PLACE) ?? "";
}

/**
 * Keeps the token until the tab is closed; `""` forgets it.
 *
 * @param {string} token
 */
export function keepToken(token) {
  if (token === "") sessionStorage.removeItem(PLACE);
  else sessionStorage.setItem(PLACE, token);
}

/**
 * Asks the API.
 *
 * @param {string} method
 * @param {string} path Below `/api/v1`.
 * @param {unknown} [body]
 * @returns {Promise<any>} The answer; `undefined` where there is none.
 * @throws {RefusedError} When the server refuses.
 */
export async function ask(method, path, body) {
  const response = await request(path, {
    method,
    ...body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } },
  });
  return response.status === 204 ? undefined : await response.json();
}

/**
 * Follows the stream, and begins anew when it ends, until a signal aborts or the token is refused.
 *
 * @param {{
 *   onMessage: (message: any, isFirst: boolean) => void,
 *   onState: (state: { text: string, isLive: boolean }) => void,
 *   onRefused: () => void,
 *   signal: AbortSignal,
 * }} options `isFirst`: the message is the first one of a connection.
 */
export async function follow({ onMessage, onState, onRefused, signal }) {
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      onState({ text: "connecting…", isLive: false });
      await readStream((message, isFirst) => {
        pause = FIRST_PAUSE_MS;
        if (isFirst) onState({ text: "live", isLive: true });
        onMessage(message, isFirst);
      }, signal);
    } catch (error) {
      if (error instanceof RefusedError && error.status === 401) {
        onRefused();
        return;
      }
      if (error instanceof RefusedError && error.status === 429) pause = Math.max(pause, 10_000);
    }
    if (signal.aborted) return;
    onState({ text: `no connection, trying again in ${Math.ceil(pause / 1000)} s`, isLive: false });
    await wait(pause * (0.75 + Math.random() / 2), signal);
    pause = Math.min(MAX_PAUSE_MS, pause * 2);
  }
}

/**
 * @param {(message: any, isFirst: boolean) => void} onMessage
 * @param {AbortSignal} signal
 */
async function readStream(onMessage, signal) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await request("/stream", { signal: AbortSignal.any([signal, silence.signal]) });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let pieces = [];
    let isFirst = true;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      pieces.push(read.value);
      if (!read.value.includes("\n")) continue;
      const messages = pieces.join("").split("\n\n");
      pieces = [messages.pop() ?? ""];
      for (const message of messages) {
        onMessage(JSON.parse(message.replace(/^data: /, "")), isFirst);
        isFirst = false;
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} path
 * @param {RequestInit} init
 * @returns {Promise<any>}
 */
async function request(path, init) {
  const token = readToken();
  const headers = { ...init.headers, ...token !== "" && { authorization: `Bearer ${token}` } };
  const response = await fetch(`api/v1${path}`, { ...init, headers, cache: "no-store" });
  if (response.ok) return response;
  let message = response.statusText || `status ${response.status}`;
  try {
    message = (await response.json()).error ?? message;
  } catch {
    // A proxy on the way has answered: it speaks no JSON.
  }
  throw new RefusedError(response.status, message);
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
function wait(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(undefined);
    }, { once: true });
  });
}
