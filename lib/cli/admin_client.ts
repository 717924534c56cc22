/**
 * Asks the admin API of a running server.
 *
 * @module
 */

import * as v from "valibot";
import { FAILURE } from "../admin/api/schemas.ts";
import { ExitError, StartError } from "../check/exit_error.ts";
import type { AdminPlace } from "./admin_place.ts";
import { fetchOverSocket } from "./fetch_over_socket.ts";
import { printable } from "../logger.ts";

/** A question. */
export interface AdminQuestion<Schema extends v.GenericSchema> {
  /** Below `/api/v1`. */
  readonly path: string;
  /** Absent: GET. */
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  /** Form of the answer; absent: it is passed over. */
  readonly answer?: Schema;
  /** Milliseconds that it may take; absent: ten seconds. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Speaks with one server, until it is disposed of. */
export class AdminClient implements Disposable {
  readonly #place: AdminPlace;
  readonly #client: Deno.HttpClient;

  constructor(place: AdminPlace) {
    this.#place = place;
    this.#client = Deno.createHttpClient({
      ...place.ca !== undefined && { caCerts: [place.ca] },
    });
  }

  /**
   * Asks, and waits for the answer.
   *
   * @throws {StartError} When the server does not answer, does not want to, or answers what nobody can read.
   */
  async ask<Schema extends v.GenericSchema>(question: AdminQuestion<Schema>): Promise<v.InferOutput<Schema>> {
    const { timeoutMs = TIMEOUT_MS, answer } = question;
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await this.#fetch(question, signal);
    const text = await this.#read(response, signal);
    if (!response.ok) throw this.#refused(response.status, text);
    if (answer === undefined) return undefined;
    const { success, output } = v.safeParse(answer, parsed(text));
    if (success) return output;
    throw this.#foreign();
  }

  /**
   * Follows a stream of server-sent events; what each says is yielded. It ends with the stream.
   *
   * @param signal Ends it with the signal's reason.
   * @throws {StartError} As {@linkcode AdminClient.ask}.
   */
  async *follow(path: string, signal: AbortSignal): AsyncGenerator<unknown> {
    // A server that is stopped in its tracks sends no more, and ends nothing.
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(new DOMException("silence", "TimeoutError")), TIMEOUT_MS);
    const both = AbortSignal.any([signal, silence.signal]);
    try {
      const response = await this.#fetch({ path }, both);
      if (!response.ok) throw this.#refused(response.status, await this.#read(response, both));
      let rest = "";
      for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(new DOMException("silence", "TimeoutError")), TIMEOUT_MS);
        const messages = `${rest}${piece}`.split("\n\n");
        rest = messages.pop() ?? "";
        if (rest.length > MAX_ANSWER_BYTES) throw this.#foreign();
        for (const message of messages) yield parsed(message.replace(/^data: /, ""));
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error instanceof ExitError ? error : this.#away(silence.signal.aborted ? silence.signal.reason : error);
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  async #fetch({ path, method = "GET", body }: AdminQuestion<v.GenericSchema>, signal: AbortSignal): Promise<Response> {
    const { url, unix, token } = this.#place;
    const target = `/api/v1${path}`;
    const asked = {
      method,
      headers: {
        ...token !== undefined && { authorization: `Bearer ${token}` },
        ...body !== undefined && { "content-type": "application/json" },
      },
      ...body !== undefined && { body: JSON.stringify(body) },
      signal,
    };
    try {
      if (unix !== undefined) return await fetchOverSocket(unix, target, asked);
      // Nobody but the server that was named gets the token.
      return await fetch(`${url}${target}`, { ...asked, redirect: "error", client: this.#client });
    } catch (error) {
      throw this.#away(error);
    }
  }

  async #read(response: Response, signal: AbortSignal): Promise<string> {
    const decoder = new TextDecoder();
    let [text, size] = ["", 0];
    try {
      for await (const piece of response.body ?? []) {
        size += piece.length;
        if (size > MAX_ANSWER_BYTES) throw this.#foreign();
        text += decoder.decode(piece, { stream: true });
      }
    } catch (error) {
      if (error instanceof ExitError) throw error;
      throw this.#away(signal.aborted ? signal.reason : error);
    }
    return text;
  }

  /** It cannot be reached. */
  #away(error: unknown): Error {
    // Deno says which flag is missing.
    if (error instanceof Deno.errors.NotCapable) return error;
    const { name, unix } = this.#place;
    const text = `${error} ${error instanceof Error ? error.cause : ""}`;
    if (/TimeoutError|timed out/.test(text)) {
      return new StartError(`the server does not answer: ${name}`, "is it stopped, or very busy? kill -CONT PID", {
        cause: error,
      });
    }
    if (/invalid peer certificate/.test(text)) {
      const [, reason = ""] = /invalid peer certificate: (.*)$/.exec(text) ?? [];
      const hint = /name/i.test(reason) ? "--url https://NAME:PORT, with a name of the certificate" : "--ca FILE";
      return new StartError(`the certificate is not trusted: ${name}: ${printable(reason)}`, hint, { cause: error });
    }
    const hint = unix === undefined
      ? "does it run, with this admin.host and admin.port? ss -ltnp tells who listens"
      : `does it run, and as this user? ls -l ${unix}`;
    return new StartError(`the server cannot be reached: ${name}`, hint, { cause: error });
  }

  #refused(status: number, text: string): StartError {
    const { success, output } = v.safeParse(FAILURE, parsed(text));
    const reason = success ? printable(output.error) : `status ${status}`;
    const hint = {
      401: "--token-file FILE, with the token of admin.tokenFile",
      404: "ftpsd who and ftpsd status show what there is",
      409: "ftpsd check --config FILE",
      421: "admin: { hosts: [NAME] } lets it be called by this name",
      429: "wait for ten seconds",
    }[status] ?? "the log of the server says more";
    return new StartError(success ? reason : `${this.#place.name} answers ${reason}`, hint);
  }

  #foreign(): StartError {
    return new StartError(
      `what answers is no ftpsd of this version: ${this.#place.name}`,
      "ftpsd --version here and there",
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
