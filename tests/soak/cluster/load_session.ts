/**
 * A client that uploads and downloads over TLS until it is told to end, whatever happens to it.
 *
 * @module
 */

import { CLUSTER_USER, type FtpCluster, ReplyError } from "../../helpers/cluster/ftp_cluster.ts";
import type { RawClient, RawReply } from "../../helpers/raw_client.ts";
import { delay } from "../../../lib/deadline.ts";
import type { Random } from "../random.ts";
import { bytesOf, type Ledger } from "./ledger.ts";

/** How a transfer has ended: with 226, with another reply, or without one. */
export type Outcome =
  | { readonly kind: "whole" }
  | { readonly kind: "told"; readonly code: number; readonly text: string }
  | { readonly kind: "cut"; readonly reason: string };

/** Something that a client wanted, from its begin to its end, by `performance.now()`. */
export interface Attempt {
  readonly what: "login" | "upload" | "download";
  /** Whether others write to the same name. */
  readonly isContested: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
}

/** What sessions share. */
export interface LoadShare {
  readonly cluster: FtpCluster;
  readonly ledger: Ledger;
  /** Told of each attempt when it has ended. */
  readonly onAttempt: (session: LoadSession, attempt: Attempt) => void;
  /** Told of bytes that came with 226 and are not what was uploaded. */
  readonly onWrong: (text: string) => void;
  /** How long a client waits for anything, in milliseconds. */
  readonly deadlineMs: number;
  /** Of uploads that take their time. */
  readonly maxSlowBytes: number;
}

const NAMES = 8;
/** Names that all sessions write to. */
const CONTESTED_NAMES = 3;
const MAX_QUICK_BYTES = 64 * 1024;
/** Of a slow upload, a second. */
const SLOW_PACE = 384 * 1024;
const PIECE = 64 * 1024;
const MAX_PAUSE_MS = 250;
/** Until it tries again to log in. */
const RETRY_MS = 300;
/** After so many transfers it comes anew. */
const MAX_TRANSFERS = 8;

/** One client. */
export class LoadSession {
  readonly #share: LoadShare;
  readonly #random: Random;
  readonly #index: number;
  #client: RawClient | undefined;
  #left = 0;

  constructor(share: LoadShare, index: number, random: Random) {
    this.#share = share;
    this.#index = index;
    this.#random = random;
  }

  /** Works until the signal aborts, and ends in order. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#client === undefined) {
        const { kind } = await this.#attempt("login", () => this.#login());
        if (kind !== "whole") await delay(RETRY_MS * (0.5 + this.#random.below(100) / 100), signal).catch(() => {});
        continue;
      }
      await this.#transfer(this.#client);
      if (--this.#left <= 0) await this.#leave();
      await delay(this.#random.below(MAX_PAUSE_MS), signal).catch(() => {}); // the loop ends
    }
    await this.#leave();
  }

  async #transfer(client: RawClient): Promise<void> {
    const { ledger } = this.#share;
    const isContested = this.#random.oneIn(20);
    const name = isContested
      ? `contested-${this.#random.below(CONTESTED_NAMES)}`
      : `s${this.#index}-${this.#random.below(NAMES)}`;
    const isDownload = ledger.isThere(name) && this.#random.oneIn(2);
    const outcome = isDownload
      ? await this.#attempt("download", () => this.#download(client, name), isContested)
      : await this.#attempt("upload", () => this.#upload(client, name), isContested);
    if (outcome.kind === "cut" || outcome.kind === "told" && outcome.code === 421) await this.#drop();
  }

  async #attempt(what: Attempt["what"], run: () => Promise<RawReply>, isContested = false): Promise<Outcome> {
    const startedAt = performance.now();
    const outcome = await run().then(
      outcomeOf,
      (error: unknown): Outcome =>
        error instanceof ReplyError
          ? { kind: "told", code: error.code, text: error.message }
          : { kind: "cut", reason: error instanceof Error ? error.message : String(error) },
    );
    this.#share.onAttempt(this, { what, isContested, startedAt, endedAt: performance.now(), outcome });
    return outcome;
  }

  /** Returns the reply that was the last. */
  async #login(): Promise<RawReply> {
    const { cluster, deadlineMs } = this.#share;
    const client = await cluster.connect({ deadlineMs, ...this.#random.oneIn(2) ? { tls: "implicit" } : {} });
    try {
      for (const line of ["PBSZ 0", "PROT P", `USER ${CLUSTER_USER.name}`, `PASS ${CLUSTER_USER.password}`, "TYPE I"]) {
        const { code, text } = await ask(client, line);
        if (code >= 400) throw new ReplyError(code, text);
      }
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
    this.#client = client;
    this.#left = 1 + this.#random.below(MAX_TRANSFERS);
    return { code: 226, lines: [], text: "" };
  }

  async #upload(client: RawClient, name: string): Promise<RawReply> {
    const { ledger, maxSlowBytes } = this.#share;
    const isSlow = this.#random.oneIn(6);
    const size = 1 + this.#random.below(isSlow ? maxSlowBytes : MAX_QUICK_BYTES);
    const { content, end } = ledger.begin(name, size);
    let isAcknowledged = false;
    try {
      const reply = await this.#store(client, name, bytesOf(content), isSlow ? PIECE / SLOW_PACE * 1000 : 0);
      isAcknowledged = reply.code === 226;
      return reply;
    } finally {
      end(isAcknowledged);
    }
  }

  async #store(client: RawClient, name: string, bytes: Uint8Array, pauseMs: number): Promise<RawReply> {
    await using data = await passive(client);
    const begun = await ask(client, `STOR ${name}`);
    if (begun.code !== 150) return begun;
    await data.secure();
    try {
      for (let from = 0; from < bytes.length; from += PIECE) {
        await data.write(bytes.subarray(from, from + PIECE));
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      await data.finish();
    } catch {
      // The server has given it up, and says so.
    }
    return await client.readReply("an upload");
  }

  async #download(client: RawClient, name: string): Promise<RawReply> {
    const { ledger, onWrong } = this.#share;
    const before = ledger.contents(name);
    await using data = await passive(client);
    const begun = await ask(client, `RETR ${name}`);
    if (begun.code !== 150) return begun;
    await data.secure();
    const bytes = await data.readAll().catch(() => new Uint8Array(0)); // cut, as the reply says
    const reply = await client.readReply("a download");
    const complaint = reply.code === 226 ? ledger.complaint(name, bytes, before) : undefined;
    if (complaint !== undefined) onWrong(`a download: ${complaint}`);
    return reply;
  }

  async #leave(): Promise<void> {
    await this.#client?.command("QUIT").catch(() => {}); // gone already
    await this.#drop();
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.[Symbol.asyncDispose]();
  }
}

/** Sends a line. A session that was ended while nothing ran has been told so before, and reads that now. */
async function ask(client: RawClient, line: string) {
  return await client.command(line).catch(() => client.readReply("the end of the session"));
}

/** EPSV, and the TCP part of the data connection. */
async function passive(client: RawClient) {
  const { code, text } = await ask(client, "EPSV");
  if (code !== 229) throw new ReplyError(code, text);
  return await client.dial(Number(/\(\|\|\|(\d+)\|\)/.exec(text)?.[1]));
}

function outcomeOf({ code, text }: RawReply): Outcome {
  return code === 226 ? { kind: "whole" } : { kind: "told", code, text };
}
