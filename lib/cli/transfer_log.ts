/**
 * A line about each file transfer, in the form of xferlog(5).
 *
 * @module
 */

import type { EndedTransferEvent, ServerEvent } from "../events.ts";

/** Writes transfers to the end of a file. */
export class TransferLog implements Disposable {
  readonly #file: Deno.FsFile;

  /** Opens the file, which is made if it is not there. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { append: true, create: true, mode: 0o640 });
  }

  /** Writes the line of an event; none for events that are no transfers. */
  event(event: ServerEvent): void {
    const line = formatTransfer(event);
    if (line === undefined) return;
    let bytes = new TextEncoder().encode(`${line}\n`);
    while (bytes.length > 0) bytes = bytes.subarray(this.#file.writeSync(bytes));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
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
