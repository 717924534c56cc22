/**
 * `ftpsd top`: sessions and transfers of a running server, live.
 *
 * @module
 */

import * as v from "valibot";
import { SERVER, SESSION } from "../admin/api/schemas.ts";
import { StartError, UsageError } from "../check/exit_error.ts";
import { delay } from "../deadline.ts";
import { printable } from "../logger.ts";
import { AdminClient } from "./admin_client.ts";
import { adminOptionsOf } from "./admin_commands.ts";
import { findAdmin } from "./admin_place.ts";
import { parseArguments } from "./option_table.ts";
import { Screen } from "./screen.ts";
import { type Column, cutPath, cutTo, formatBytes, formatDuration, formatRate, formatTable } from "./terminal_text.ts";

/** What a message of the stream says. */
const MESSAGE = v.object({
  time: v.number(),
  server: SERVER,
  sessions: v.array(SESSION),
  totals: v.object({ received: v.number(), sent: v.number(), logins: v.number(), loginsFailed: v.number() }),
});
type Message = v.InferOutput<typeof MESSAGE>;

/** A session, with the rate of its transfer since the message before. */
interface Line {
  readonly session: v.InferOutput<typeof SESSION>;
  readonly rate: number;
}

/** How big a picture may be. */
export interface PictureSize {
  readonly columns: number;
  /** Absent: as many lines as there are. */
  readonly rows?: number;
}

const AGAIN_MS = 1_000;
const SNAPSHOT_COLUMNS = 80;

/**
 * Shows the table until `q`, or a signal to stop.
 *
 * @returns What to print: the table once, where the output is no terminal; else nothing.
 * @throws {ExitError | ConfigurationError} When the server cannot be asked at first, or does not want to be any more.
 */
export async function topCommand(args: readonly string[]): Promise<string> {
  const parsed = parseArguments(args, adminOptionsOf("top"), "ftpsd help top");
  const [operand] = parsed.operands;
  if (operand !== undefined) throw new UsageError(`unknown argument ${operand} (top)`, "ftpsd help top");
  using client = new AdminClient(await findAdmin(parsed));
  const messages = new AbortController();
  if (!Deno.stdout.isTerminal()) return await snapshot(client, messages);
  // The first answer comes before the screen is taken: what is wrong is then told as ever.
  const first = client.follow("/stream", messages.signal);
  const { value } = await first.next();
  using screen = Screen.open(() => messages.abort(new DOMException("left", "AbortError")));
  const picture = new Picture();
  picture.take(value);
  const draw = (note?: string) => screen.draw((size) => picture.lines(size, note));
  screen.onResize(() => draw());
  draw();
  await show(client, first, { picture, draw, signal: messages.signal });
  return "";
}

async function show(
  client: AdminClient,
  first: AsyncGenerator<unknown>,
  { picture, draw, signal }: {
    readonly picture: Picture;
    readonly draw: (note?: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  let stream = first;
  let hasAnswered = true;
  while (!signal.aborted) {
    try {
      for await (const message of stream) {
        hasAnswered = true;
        picture.take(message);
        draw();
      }
      draw("the server has ended the stream, asking again");
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof StartError)) throw error;
      draw(`${error.message}; asking again`);
      // One that has started anew is waited for; one that says no twice means it.
      if (!hasAnswered && error.hint.startsWith("--token-file")) throw error;
      hasAnswered = false;
    }
    await delay(AGAIN_MS, signal).catch(() => {}); // it was left
    stream = client.follow("/stream", signal);
  }
}

async function snapshot(client: AdminClient, messages: AbortController): Promise<string> {
  const stream = client.follow("/stream", messages.signal);
  const { value } = await stream.next();
  const picture = new Picture();
  picture.take(value);
  messages.abort();
  await stream.return(undefined).catch(() => {}); // it has been aborted
  return picture.lines({ columns: SNAPSHOT_COLUMNS }).join("\n");
}

/** What is shown: the last message, and rates since the one before. */
export class Picture {
  #last: Message | undefined;
  #before: Message | undefined;

  /**
   * Takes a message of the stream.
   *
   * @throws {StartError} When it is none.
   */
  take(message: unknown): void {
    const { success, output } = v.safeParse(MESSAGE, message);
    if (!success) throw new StartError("what the server tells is not understood", "ftpsd --version here and there");
    this.#before = this.#last;
    this.#last = output;
  }

  /** Sets it in lines that fit. */
  lines({ columns, rows = Infinity }: PictureSize, note?: string): string[] {
    const message = this.#last;
    if (message === undefined) return [cutTo(note ?? "no answer yet", columns)];
    const head = [...this.#head(message), note === undefined ? "" : printable(note)];
    const table = formatTable(
      columnsFor(columns),
      this.#sorted(message).map((line) => cellsOf(line, message, columns)),
    );
    const room = Math.max(0, rows - head.length - 1);
    const more = table.length - 1 - room;
    const shown = more <= 0 ? table : [...table.slice(0, room), `and ${more + 1} more`];
    return [...head, ...shown].slice(0, rows).map((line) => cutTo(line, columns));
  }

  #head({ time, server, sessions, totals }: Message): string[] {
    const { version, since, isReady, notReady, certificate } = server;
    const before = this.#before;
    const seconds = before === undefined ? 0 : time - before.time;
    const rate = (name: "received" | "sent") =>
      before === undefined || seconds <= 0 ? "-" : formatRate((totals[name] - before.totals[name]) / seconds);
    const transfers = sessions.filter(({ transfer }) => transfer !== undefined).length;
    const days = certificate === undefined ? "" : `, certificate ${certificate.daysLeft} days`;
    return [
      `ftpsd ${version}, up ${formatDuration(time - Date.parse(since) / 1000)}, ${
        isReady ? "ready" : `NOT READY: ${notReady ?? ""}`
      }${days}`,
      `sessions ${server.sessions}, transfers ${transfers}; in ${rate("received")}, out ${rate("sent")}; ` +
      `logins ${totals.logins}, failed ${totals.loginsFailed}`,
    ].map(printable);
  }

  /** The fastest first; who transfers nothing comes in the order of arrival. */
  #sorted(message: Message): Line[] {
    const before = new Map(this.#before?.sessions.map((session) => [session.session, session]));
    const seconds = this.#before === undefined ? 0 : message.time - this.#before.time;
    const lines = message.sessions.map((session) => {
      const { transfer } = session;
      if (transfer === undefined) return { session, rate: -1 };
      const earlier = before.get(session.session)?.transfer;
      const isSame = earlier?.path === transfer.path && earlier.command === transfer.command &&
        earlier.seconds < transfer.seconds;
      return { session, rate: isSame && seconds > 0 ? (transfer.bytes - earlier.bytes) / seconds : transfer.rate };
    });
    return lines.sort((a, b) => b.rate - a.rate || a.session.since.localeCompare(b.session.since));
  }
}

/** Columns beside those of address and path: their widths, and two between each. */
const FIXED_WIDTH = 12 + 7 + 9 + 11 + 5 * 2;
const MIN_PATH = 8;
/** Where IPv6 addresses are shown whole. */
const WIDE_COLUMNS = 120;

function columnsFor(columns: number): readonly Column[] {
  return [
    { title: "USER", maxWidth: 12 },
    { title: "FROM", maxWidth: hostWidth(columns) },
    { title: "FOR", isRight: true },
    { title: "BYTES", isRight: true },
    { title: "RATE", isRight: true },
    { title: "FILE", maxWidth: pathWidth(columns) },
  ];
}

function hostWidth(columns: number): number {
  return columns < WIDE_COLUMNS ? 15 : 39;
}

function pathWidth(columns: number): number {
  return Math.max(MIN_PATH, columns - FIXED_WIDTH - hostWidth(columns));
}

function cellsOf({ session, rate }: Line, { time }: Message, columns: number): string[] {
  const { username, isLoggedIn, remote, since, transfer } = session;
  const age = formatDuration(time - Date.parse(since) / 1000);
  const user = username === undefined ? "-" : isLoggedIn ? username : `(${username})`;
  const from = remote.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  if (transfer === undefined) return [user, from, age, "", "", ""];
  const arrow = transfer.command === "RETR" ? "↓" : "↑";
  const path = `${arrow} ${cutPath(transfer.path, pathWidth(columns) - 2)}`;
  return [user, from, age, formatBytes(transfer.bytes), formatRate(rate), path];
}
