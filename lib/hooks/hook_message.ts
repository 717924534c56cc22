/**
 * What a hook is sent about an event, and how that is signed, in the way of Standard Webhooks.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import type { HookEvent } from "../hook_events.ts";
import type { HookMessage } from "../state/hook_queue.ts";

/** Version of the form of the body. What is added to it does not change it. */
export const BODY_VERSION = 1;

/** Makes the message about an event. @param node Name of the server. */
export function toMessage(event: HookEvent, node: string): HookMessage {
  const id = crypto.randomUUID();
  const { event: name, time, ...fields } = event;
  const body = { version: BODY_VERSION, id, event: name, time: time.toISOString(), node, ...fields };
  // As JSON both are sound texts, whatever characters a name has.
  return { id, hook: name, lane: JSON.stringify(laneOf(event)), body: JSON.stringify(body) };
}

/** What an event is about: such events are told one after the other. */
function laneOf(event: HookEvent): string {
  if ("path" in event) return event.path;
  return event.event === "banned" ? event.address : event.username ?? "";
}

/** Least bytes of a key. */
export const MIN_KEY_BYTES = 24;

const KEY_PREFIX = "whsec_";

/**
 * Reads a token: `whsec_` and a key in base64, as Standard Webhooks has it, or any other text, whose bytes are the key.
 *
 * @throws {SyntaxError} When it is too short, or not one line of ASCII.
 */
export function keyOf(token: string): Uint8Array {
  const text = token.trim();
  if (!/^[\x21-\x7e]+$/.test(text)) throw new SyntaxError("has to hold one word of ASCII, and nothing else");
  const key = text.startsWith(KEY_PREFIX)
    ? Buffer.from(text.slice(KEY_PREFIX.length), "base64")
    : new TextEncoder().encode(text);
  if (key.length < MIN_KEY_BYTES) throw new SyntaxError(`has to hold a token of ${MIN_KEY_BYTES} bytes or more`);
  return key;
}

/** Headers of an attempt. @param seconds When it is made, in seconds since 1970. */
export function signedHeaders(
  { id, body }: Pick<HookMessage, "id" | "body">,
  key: Uint8Array,
  seconds: number,
): Record<string, string> {
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return {
    "content-type": "application/json",
    "user-agent": "ftpsd",
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${signature}`,
  };
}
