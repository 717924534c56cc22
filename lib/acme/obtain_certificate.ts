/**
 * The way from names to a certificate: order, proofs, request, chain (RFC 8555 §7.4).
 *
 * @module
 */

import { delay } from "../deadline.ts";
import { AcmeError } from "./acme_error.ts";
import { type AcmeAuthorization, type AcmeClient, type AcmeOrder, verdictOf } from "./acme_client.ts";
import { createCertificateKey, createRequest } from "./certificate_request.ts";

/** A certificate and its key, PEM. */
export interface ObtainedCertificate {
  /** The server's own first. */
  readonly certificate: string;
  readonly key: string;
}

/** An order that was begun. */
export interface PendingOrder {
  readonly url: string;
  /** Key of the certificate to be, PEM. */
  readonly key: string;
}

/** Where answers to challenges are to be had. */
export interface ChallengeAnswers {
  /**
   * Lets the CA find these answers, and only these, wherever it asks. Resolves when it may ask.
   *
   * @param answers Key authorizations by token; none: nothing is asked any more.
   * @throws {AcmeError} When that cannot be.
   */
  use(answers: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void>;
}

/** What an order is made with. */
export interface ObtainOptions {
  readonly names: readonly string[];
  readonly answers: ChallengeAnswers;
  readonly signal: AbortSignal;
  /** An order for the same names that was cut off. */
  readonly pending?: PendingOrder | undefined;
  /** Keeps an order before anything can come of it, so that what comes of it is not lost; `undefined`: it is over. */
  readonly keep: (pending: PendingOrder | undefined) => Promise<void>;
  /** Told how far it has come, in a few words. */
  readonly onProgress: (text: string) => void;
  /** Waits. @default {delay} */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Waits between two looks at what the CA is doing, in milliseconds. */
const POLL_MS = { first: 250, longest: 5_000 } as const;
/** Longest wait that the CA can ask for between two looks. */
const MAX_POLL_MS = 30_000;

/**
 * Orders a certificate, or goes on with an order.
 *
 * @throws {AcmeError} When there is none to be had.
 * @throws The reason of the signal.
 */
export async function obtainCertificate(client: AcmeClient, options: ObtainOptions): Promise<ObtainedCertificate> {
  const { signal, keep, onProgress } = options;
  const { order: begun, key } = await beginOrder(client, options);
  try {
    let order = begun;
    if (order.status === "pending") order = await proveNames(client, order, options);
    if (order.status === "ready") {
      onProgress("the CA makes the certificate");
      order = await client.finalize(order, await createRequest(key, options.names), signal);
    }
    order = await untilSettled(client, order, options);
    if (order.status !== "valid" || order.certificate === undefined) throw verdictOf(order.error);
    const certificate = await client.certificate(order.certificate, signal);
    return { certificate, key };
  } catch (error) {
    // What the CA refuses stays refused; what was cut off goes on with the next attempt.
    if (error instanceof AcmeError && isFinal(error)) await keep(undefined);
    throw error;
  }
}

function isFinal({ kind }: AcmeError): boolean {
  return kind === "refusedValidation" || kind === "refusedOrder" || kind === "refusedAccount" || kind === "badAnswer";
}

async function beginOrder(
  client: AcmeClient,
  { names, pending, keep, signal, onProgress }: ObtainOptions,
): Promise<{ readonly order: AcmeOrder; readonly key: string }> {
  const found = pending && await findOrder(client, pending, signal);
  if (pending !== undefined && found !== undefined) {
    onProgress(`going on with the order that was begun (${found.status})`);
    return { order: found, key: pending.key };
  }
  onProgress(`ordering a certificate for ${names.join(", ")}`);
  const [order, key] = await Promise.all([client.order(names, signal), createCertificateKey()]);
  await keep({ url: order.url, key });
  return { order, key };
}

/** The CA may have forgotten it, or refused it meanwhile. */
async function findOrder(
  client: AcmeClient,
  { url }: PendingOrder,
  signal: AbortSignal,
): Promise<AcmeOrder | undefined> {
  try {
    const order = await client.lookUp(url, signal);
    return order.status === "invalid" ? undefined : order;
  } catch (error) {
    if (error instanceof AcmeError && isFinal(error)) return undefined;
    throw error;
  }
}

async function proveNames(client: AcmeClient, order: AcmeOrder, options: ObtainOptions): Promise<AcmeOrder> {
  const { answers, signal, onProgress } = options;
  const looked = await Promise.all(order.authorizations.map((url) => client.authorization(url, signal)));
  const open = looked.filter(({ status }) => status !== "valid");
  const challenges = open.map(challengeOf);
  const texts = await Promise.all(challenges.map(({ token }) => client.keyAuthorization(token)));
  try {
    if (open.length > 0) {
      await answers.use(new Map(challenges.map(({ token }, index) => [token, texts[index] ?? ""])), signal);
      onProgress(`the CA asks for ${open.map(({ name }) => name).join(", ")} on port 80`);
    }
    for (const { url } of challenges) await client.respond(url, signal);
    for (const { url } of open) await untilProven(client, url, options);
  } finally {
    // Also when the signal has aborted: the port is not to stay open.
    await answers.use(new Map(), AbortSignal.timeout(5_000)).catch(() => {}); // the answers are of no use to anybody
  }
  return await untilReady(client, order.url, options);
}

function challengeOf({ name, status, challenge }: AcmeAuthorization): { readonly url: string; readonly token: string } {
  if (status !== "pending") throw verdictOf(challenge?.error, name);
  if (challenge === undefined) throw new AcmeError("refusedOrder", "the CA offers no http-01 for it", { name });
  return challenge;
}

async function untilProven(client: AcmeClient, url: string, options: ObtainOptions): Promise<void> {
  for (const wait = poller(options);;) {
    const { status, name, challenge, retryAfterMs } = await client.authorization(url, options.signal);
    if (status === "valid") return;
    if (status !== "pending" && status !== "processing") throw verdictOf(challenge?.error, name);
    await wait(retryAfterMs);
  }
}

/** The CA may take a moment to see that the last name was proven. */
async function untilReady(client: AcmeClient, url: string, options: ObtainOptions): Promise<AcmeOrder> {
  for (const wait = poller(options);;) {
    const order = await client.lookUp(url, options.signal);
    if (order.status === "invalid") throw verdictOf(order.error);
    if (order.status !== "pending") return order;
    await wait(order.retryAfterMs);
  }
}

async function untilSettled(client: AcmeClient, given: AcmeOrder, options: ObtainOptions): Promise<AcmeOrder> {
  let order = given;
  for (const wait = poller(options); order.status === "processing" || order.status === "ready";) {
    await wait(order.retryAfterMs);
    order = await client.lookUp(order.url, options.signal);
  }
  return order;
}

/** Waits longer each time, or as long as the CA asks for: not at all would be a request behind the other. */
function poller({ wait = delay, signal }: ObtainOptions): (askedMs: number | undefined) => Promise<void> {
  let ms: number = POLL_MS.first;
  return async (askedMs) => {
    await wait(Math.min(Math.max(askedMs ?? ms, POLL_MS.first), MAX_POLL_MS), signal);
    ms = Math.min(ms * 1.5, POLL_MS.longest);
  };
}
