/**
 * A line about each file transfer, in the form of xferlog(5).
 *
 * @module
 */

import { close, write } from "node:fs";
import { promisify } from "node:util";
import { shellWord, StartError } from "../check/exit_error.ts";
import { describeLogFailure, openLogFile } from "../check/log_file.ts";
import type { EndedTransferEvent, ServerEvent } from "../events.ts";
import type { Remark } from "./serve_settings.ts";
import { type LogListeners, LogWriter } from "./log_writer.ts";

/** Longest wait, in milliseconds, for the last lines when the log is closed. */
const LAST_LINES_MS = 2000;

/** Writes transfers to the end of a file, or into a pipe that somebody reads. */
export class TransferLog implements AsyncDisposable {
  readonly #fd: number;
  readonly #writer: LogWriter;

  private constructor(fd: number, listeners: LogListeners) {
    this.#fd = fd;
    this.#writer = new LogWriter({ write: (bytes) => writeSome(fd, bytes) });
    this.#writer.listen(listeners);
  }

  /**
   * Opens the file, which is made if it is not there.
   *
   * @param listeners Told when lines cannot be written. Nothing else tells it.
   * @throws {Error} When it cannot be opened; code `ENXIO` for a pipe that nobody reads.
   */
  static async open(path: string, listeners: LogListeners = {}): Promise<TransferLog> {
    return new TransferLog(await openLogFile(path), listeners);
  }

  /** Writes the line of an event, in its own time; none for events that are no transfers. Never throws. */
  event(event: ServerEvent): void {
    const line = formatTransfer(event);
    if (line !== undefined) this.#writer.write(line);
  }

  /** Waits for the last lines, but not for long, and closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    // What is being written still has the file; it is closed with the process.
    if (await this.#writer.end(LAST_LINES_MS)) await promisify(close)(this.#fd);
  }
}

/**
 * Opens the log of transfers that a configuration names; what cannot be written later is reported by `log`.
 *
 * @throws {StartError} When it cannot be opened.
 */
export async function openTransferLog(
  path: string | undefined,
  log: (level: Remark["level"], text: string) => void,
): Promise<TransferLog | undefined> {
  if (path === undefined) return undefined;
  const remark = (text: string) => log("error", `log.transfers: ${text}`);
  try {
    return await TransferLog.open(path, {
      onFailed: (error) => remark(`cannot write to ${path}, trying again: ${describeLogFailure(error)}`),
      onDropped: (count) => remark(`${count} lines were dropped`),
    });
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    const message = `cannot open ${path} (log.transfers): ${describeLogFailure(cause)}`;
    throw new StartError(message, `ls -l ${shellWord(path)}`, { cause });
  }
}

function writeSome(fd: number, bytes: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  write(fd, bytes, (error, count) => error === null ? resolve(count) : reject(error));
  return promise;
}

/** The events that have a line. */
export const TRANSFER_LOG_EVENTS = ["fileReceived", "fileSent", "transferIncomplete"] as const;

/** Formats the end of a transfer; `undefined` for other events. */
export function formatTransfer(event: ServerEvent): string | undefined {
  switch (event.event) {
    case "fileSent":
      return format(event.time, event, { direction: "o", status: "c" });
    case "fileReceived":
      return format(event.time, event, { direction: "i", status: "c" });
    case "transferIncomplete":
      return format(event.time, event, { direction: event.command === "RETR" ? "o" : "i", status: "i" });
    default:
      return undefined;
  }
}

function format(
  time: Date,
  transfer: EndedTransferEvent,
  { direction, status }: { readonly direction: "i" | "o"; readonly status: "c" | "i" },
): string {
  const { remote, bytes, path, username = "?" } = transfer;
  const host = remote.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  const access = username === "anonymous" ? "a" : "r";
  const seconds = Math.max(1, Math.round(transfer.seconds));
  const fields = [clock(time), seconds, host, bytes, word(path), "b", "_", direction, access, word(username), "ftp"];
  return [...fields, 0, "*", status].join(" ");
}

/** `Sun Nov 22 12:30:05 2026`, local time. */
function clock(time: Date): string {
  const [day, month, date, year, hours] = time.toString().split(" ");
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${hours} ${year}`;
}

/** Fields are parted by spaces: those within become `_`, as do characters that could forge a line. */
function word(text: string): string {
  return text.replace(/[\s\p{Cc}]/gu, "_");
}
