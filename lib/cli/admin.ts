/**
 * `ftpsd status`, `who`, `kick`, `ban`, `unban`, `reload` and `drain`: asks a running server, or steers it.
 *
 * @module
 */

import * as v from "valibot";
import { BAN, KICKED, RELOADED, SESSION } from "../admin/api/schemas.ts";
import { UsageError } from "../check/exit_error.ts";
import { printable } from "../logger.ts";
import { ipFamily } from "../protocol/host_port.ts";
import { AdminClient } from "./admin_client.ts";
import { type AdminCommandName, adminOptionsOf } from "./admin_commands.ts";
import { findAdmin } from "./admin_place.ts";
import { parseArguments, type ParsedArguments } from "./option_table.ts";
import { formatStatus, readStatus } from "./admin_status.ts";
import { cutPath, formatBytes, formatDuration, formatRate, formatTable } from "./terminal_text.ts";

/** What such a command has come to. */
export interface AdminOutcome {
  /** To print; empty: nothing. */
  readonly output: string;
  /** Whether the program ends with status 0. */
  readonly isGood: boolean;
}

/** Sub-commands that end by themselves. */
export type BriefCommandName = Exclude<AdminCommandName, "top">;

/** A reload waits for file systems, for thirty seconds. */
const RELOAD_MS = 60_000;

/**
 * Does what is asked for.
 *
 * @throws {ExitError | ConfigurationError} When it cannot be done.
 */
export async function adminCommand(name: BriefCommandName, args: readonly string[]): Promise<AdminOutcome> {
  const parsed = parseArguments(args, adminOptionsOf(name), `ftpsd help ${name}`);
  // Before anything is read: what is wrong here needs no server.
  const work = prepare(name, parsed);
  using client = new AdminClient(await findAdmin(parsed));
  return await work(client);
}

type Work = (client: AdminClient) => Promise<AdminOutcome>;

function prepare(name: BriefCommandName, parsed: ParsedArguments): Work {
  switch (name) {
    case "status":
      noOperand(name, parsed);
      return async (client) => {
        const status = await readStatus(client);
        const output = parsed.switches.has("json") ? json(status) : formatStatus(status, new Date());
        return { output, isGood: status.server.isReady };
      };
    case "who":
      noOperand(name, parsed);
      return async (client) => {
        const sessions = await client.ask({ path: "/sessions", answer: v.array(SESSION) });
        return good(parsed.switches.has("json") ? json(sessions) : formatSessions(sessions, new Date()));
      };
    case "kick":
      return kick(parsed);
    case "ban":
      return ban(parsed);
    case "unban": {
      const address = addressOf(oneOperand(name, "ADDRESS", parsed).replace(/\/64$/, ""));
      return async (client) => {
        await client.ask({ path: `/bans/${encodeURIComponent(address)}`, method: "DELETE" });
        return good(`${address} is not banned any more`);
      };
    }
    case "reload":
      noOperand(name, parsed);
      return async (client) => {
        const { remarks } = await client.ask({
          ...{ path: "/reload", method: "POST", answer: RELOADED, timeoutMs: RELOAD_MS },
        });
        return good(["the configuration was read again", ...remarks.map(printable)].join("\n"));
      };
    case "drain":
      noOperand(name, parsed);
      return async (client) => {
        await client.ask({ path: "/drain", method: "POST" });
        return good("the server stops, once transfers have ended or their time is over (shutdown.grace)");
      };
  }
}

function kick(parsed: ParsedArguments): Work {
  const { operands, values } = parsed;
  const [account, address] = [values.get("user"), values.get("address")];
  const chosen = [operands[0], account, address].filter((choice) => choice !== undefined);
  if (chosen.length !== 1 || operands.length > 1) {
    throw new UsageError(
      `${chosen.length === 0 ? "whose session is not said" : "only one can be meant"} (kick)`,
      "ftpsd kick SESSION, or --user NAME, or --address ADDRESS",
    );
  }
  if (address !== undefined) addressOf(address);
  const [session] = operands;
  return async (client) => {
    if (session !== undefined) {
      await client.ask({ path: `/sessions/${encodeURIComponent(session)}`, method: "DELETE" });
      return good("1 session ended");
    }
    const body = account === undefined ? { address } : { account };
    const { sessions } = await client.ask({ path: "/kicks", method: "POST", body, answer: KICKED });
    if (sessions === undefined) return good("all nodes were told");
    return { output: `${sessions} ${sessions === 1 ? "session" : "sessions"} ended`, isGood: sessions > 0 };
  };
}

function ban(parsed: ParsedArguments): Work {
  const address = addressOf(oneOperand("ban", "ADDRESS", parsed));
  const text = parsed.values.get("for");
  const seconds = text === undefined ? undefined : Number(text);
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds > 0)) {
    throw new UsageError(`"${text}" is no number of seconds over 0 (--for)`, "--for 3600");
  }
  return async (client) => {
    const body = { address, ...seconds !== undefined && { seconds } };
    const held = await client.ask({ path: "/bans", method: "POST", body, answer: BAN });
    return good(`${held.address} is banned for ${formatDuration(Math.round(held.seconds))}`);
  };
}

/** Lists who is connected, for a terminal. */
export function formatSessions(sessions: readonly v.InferOutput<typeof SESSION>[], now: Date): string {
  if (sessions.length === 0) return "nobody is connected";
  const rows = [...sessions].sort((a, b) => a.since.localeCompare(b.since)).map((session) => {
    const { transfer } = session;
    return [
      session.session,
      session.username === undefined ? "-" : session.isLoggedIn ? session.username : `(${session.username})`,
      session.remote,
      session.tls ?? "none",
      formatDuration((now.getTime() - Date.parse(session.since)) / 1000),
      ...transfer === undefined ? ["-"] : [
        `${transfer.command} ${cutPath(transfer.path, MAX_PATH)} ${formatBytes(transfer.bytes)} ${
          formatRate(transfer.rate)
        }`,
      ],
    ];
  });
  const titles = ["SESSION", "USER", "FROM", "TLS", "FOR", "TRANSFER"];
  return formatTable(titles.map((title) => ({ title, ...title === "USER" && { maxWidth: 32 } })), rows).join("\n");
}

const MAX_PATH = 60;

function noOperand(name: string, { operands: [operand] }: ParsedArguments): void {
  if (operand !== undefined) throw new UsageError(`unknown argument ${operand} (${name})`, `ftpsd help ${name}`);
}

function oneOperand(name: string, what: string, { operands }: ParsedArguments): string {
  const [operand, ...others] = operands;
  if (operand !== undefined && others.length === 0) return operand;
  throw new UsageError(
    `${operand === undefined ? `${what} is missing` : `only one ${what} at a time`} (${name})`,
    `ftpsd help ${name}`,
  );
}

function addressOf(text: string): string {
  if (ipFamily(text) !== undefined) return text;
  throw new UsageError(`"${text}" is no IPv4 or IPv6 address`, "192.0.2.7 or 2001:db8::7");
}

function good(output: string): AdminOutcome {
  return { output, isGood: true };
}

function json(value: unknown): string {
  return printable(JSON.stringify(value));
}
