/**
 * Removing objects, a thousand with each request.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { parseAnswer } from "./s3_answers.ts";
import { toError } from "./s3_errors.ts";
import type { StoreRequests } from "./s3_requests.ts";
import { escapeText } from "./s3_uploads.ts";

/** As many as a request takes. */
const MAX_KEYS = 1000;

/** How many requests for one key each are made at once. */
const AT_ONCE = 8;

/** Removes objects. The first one that cannot be removed ends it. */
export async function removeAll(requests: StoreRequests, keys: readonly string[], signal: AbortSignal): Promise<void> {
  const together = keys.length > 1 ? keys.filter(isWritable) : [];
  const apart = keys.length > 1 ? keys.filter((key) => !isWritable(key)) : keys;
  for (let at = 0; at < together.length; at += MAX_KEYS) {
    await removeTogether(requests, together.slice(at, at + MAX_KEYS), signal);
  }
  for (let at = 0; at < apart.length; at += AT_ONCE) {
    await Promise.all(apart.slice(at, at + AT_ONCE).map((key) => removeOne(requests, key, signal)));
  }
}

async function removeOne(requests: StoreRequests, key: string, signal: AbortSignal): Promise<void> {
  const settled = await requests.send({ method: "DELETE", key, doing: `remove ${JSON.stringify(key)}`, signal });
  if (settled.error !== undefined && settled.refusal?.code !== "NoSuchKey") throw settled.error;
}

async function removeTogether(requests: StoreRequests, keys: readonly string[], signal: AbortSignal): Promise<void> {
  const objects = keys.map((key) => `<Object><Key>${escapeText(key)}</Key></Object>`);
  const body = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${
    objects.join("")
  }</Delete>`;
  const md5 = createHash("md5").update(body).digest("base64"); // this request must have it
  const headers = { "content-type": "application/xml", "content-md5": md5 };
  const doing = `remove ${keys.length} objects`;
  const query = { delete: "" };
  const { text, headers: answered } = await requests.request({ method: "POST", query, headers, body, doing, signal });
  const answer = await parseAnswer(text, "DeleteResult");
  for (const error of answer.all("Error")) {
    const [key = "", code = "", message = ""] = ["Key", "Code", "Message"].map((name) => error.find(name));
    if (code === "NoSuchKey") continue;
    const refusal = { status: 200, code, message: message.slice(0, 200), condition: "" };
    throw toError(refusal, `remove ${JSON.stringify(key)}`, answered);
  }
}

/** Returns whether XML can have a key; no escape helps those of control characters. */
function isWritable(key: string): boolean {
  // deno-lint-ignore no-control-regex -- they are what is looked for
  return key.isWellFormed() && !/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(key);
}
