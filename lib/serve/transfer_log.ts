/**
 * A line about each file transfer, in the form of xferlog(5).
 *
 * @module
 */

import { close, constants, fstat, open, write } from "node:fs";
import { promisify } from "node:util";
import type { EndedTransferEvent, ServerEvent } from "../events.ts";
import { type LogListeners, LogWriter } from "./log_writer.ts";

/** Longest wait, in milliseconds, for the last lines when the log is closed. */
const LAST_LINES_MS = 2000;
/** How long a pipe that was only tried stays open. */
const PIPE_HELD_MS = 5000;
/** A pipe that nobody reads is not waited for. `O_NONBLOCK` is not known on Windows. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

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
    return new TransferLog(await promisify(open)(path, FLAGS, 0o640), listeners);
  }

  /**
   * Opens the file as {@linkcode TransferLog.open} does, and closes it; one that was not there is removed again.
   *
   * @throws {Error} As {@linkcode TransferLog.open}.
   */
  static async probe(path: string): Promise<void> {
    try {
      await release(await promisify(open)(path, FLAGS & ~constants.O_CREAT));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      await promisify(close)(await promisify(open)(path, FLAGS | constants.O_EXCL, 0o640));
      await Deno.remove(path);
    }
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

/** Closes what was opened; a pipe later, since its reader takes the end of the last writer for the end of all. */
async function release(fd: number): Promise<void> {
  const stats = await promisify(fstat)(fd);
  if (!stats.isFIFO()) return await promisify(close)(fd);
  Deno.unrefTimer(setTimeout(() => close(fd, () => {}), PIPE_HELD_MS));
}

/** What is wrong with a log that cannot be opened, in a few words. */
export function describeLogFailure(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return LOG_FAILURES[code] ?? (error instanceof Error ? error.message : String(error));
}

const LOG_FAILURES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder is a file",
  ENXIO: "nobody reads this pipe",
};

function writeSome(fd: number, bytes: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  write(fd, bytes, (error, count) => error === null ? resolve(count) : reject(error));
  return promise;
}

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
