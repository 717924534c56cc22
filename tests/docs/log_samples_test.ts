import { assert, assertEquals } from "@std/assert";
import { formatTransfer } from "../../lib/serve/transfer_log.ts";
import type { ServerEvent, ServerEventName } from "../../lib/events.ts";
import { type LogFormat, Logger } from "../../lib/logger.ts";
import { type CodeBlock, codeBlocks, readPage } from "./pages.ts";

const BLOCKS = codeBlocks(readPage("docs/running.md"));

/** Every event that the log of the program can show; the others have to be asked for by name, or are told to streams alone. */
const EVENTS: Readonly<Record<Exclude<ServerEventName, "commandDone" | "eventsMissed">, true>> = {
  listening: true,
  connected: true,
  secured: true,
  loginSucceeded: true,
  loginFailed: true,
  loggedOut: true,
  transferStarted: true,
  fileSent: true,
  fileReceived: true,
  transferIncomplete: true,
  commandRefused: true,
  administered: true,
  banned: true,
  certificateRenewed: true,
  certificateRenewalFailed: true,
  connectionRefused: true,
  addressResolved: true,
  addressUnresolved: true,
  internalError: true,
  dialogue: true,
  disconnected: true,
  stopped: true,
};

function block(fits: (block: CodeBlock) => boolean): string[] {
  const found = BLOCKS.filter(fits);
  assertEquals(found.length, 1);
  return found[0]?.text.trimEnd().split("\n") ?? [];
}

const JSON_LINES = block(({ language }) => language === "json");
const PRETTY_LINES = block(({ text }) => text.includes(">>> starting"));

/** The event of a line of the log in JSON. */
function readEvent(line: string): ServerEvent {
  const { time, level: _level, ...fields } = JSON.parse(line);
  return { ...fields, time: new Date(time) };
}

function logged(event: ServerEvent, format: LogFormat): string {
  const lines: string[] = [];
  new Logger({ format, level: "debug", stacks: false, write: (line) => lines.push(line) }).event(event);
  return lines.join("\n");
}

/** The line without the time, which is that of the zone of the host. */
function withoutTime(line: string): string {
  return line.replace(/^(\[[A-Z]) [^\]]+\]/, "$1]");
}

Deno.test("docs/running.md shows a line of each event as the log writes it, and some as people read them", () => {
  assertEquals(JSON_LINES.map((line) => readEvent(line).event).sort(), Object.keys(EVENTS).sort());
  assertEquals(JSON_LINES.map((line) => logged(readEvent(line), "json")), JSON_LINES);
  const pretty = JSON_LINES.map((line) => withoutTime(logged(readEvent(line), "pretty")));
  assertEquals(PRETTY_LINES.map(withoutTime).filter((line) => !pretty.includes(line)), []);
});

Deno.test("docs/running.md shows lines of the transfer log as they are written", () => {
  const lines = block(({ text }) => text.includes(" ftp 0 * "));
  const written = JSON_LINES.map(readEvent).map(formatTransfer).filter((line) => line !== undefined);
  const withoutClock = (line: string) => line.replace(/^.{24} /, "");
  const missing = lines.filter((line) => !written.map(withoutClock).includes(withoutClock(line)));
  assertEquals(missing, []);
  assertEquals(lines.length, 2);
});

/** A filter of fail2ban as it is written there: the lines of its section. */
interface BanFilter {
  readonly failregex: RegExp;
  readonly datepattern: RegExp;
}

/** Filters of the page by the form of the log. Of Python's and fail2ban's own notation they use what is put in here. */
const FILTERS = new Map(
  BLOCKS.filter(({ text }) => text.includes("failregex")).map(({ text }): [LogFormat, BanFilter] => {
    const [, failregex = ""] = /^failregex = (.*)$/m.exec(text) ?? [];
    const [, datepattern = ""] = /^datepattern = (.*)$/m.exec(text) ?? [];
    return [failregex.includes("loginFailed") ? "json" : "pretty", {
      failregex: new RegExp(failregex.replace("<ADDR>", "(?<address>[0-9a-fA-F.:]+)")),
      datepattern: new RegExp(
        datepattern.replace("%%z", "(?:Z|[+-]\\d+)").replace("%%Y", "\\d{4}").replace(/%%\w/g, "\\d+"),
      ),
    }];
  }),
);

/** The address that fail2ban takes from a line, whose time it has taken out before. */
function bannedBy({ failregex, datepattern }: BanFilter, line: string): string | undefined {
  assert(datepattern.test(line), `No time is found in: ${line}`);
  return failregex.exec(line.replace(datepattern, ""))?.groups?.address;
}

function loginFailed(remote: string, username: string): ServerEvent {
  return { event: "loginFailed", time: new Date("2026-11-26T10:06:39.847Z"), session: "29ae1-2", remote, username };
}

const REFUSAL: ServerEvent = {
  event: "commandRefused",
  time: new Date("2026-11-26T10:06:39.360Z"),
  session: "29ae10c7d4b2-1",
  remote: "198.51.100.7:36042",
  command: "RETR",
  code: 530,
  reply: "Log in with USER and PASS first.",
};

/** Names that look like a failed login from elsewhere. */
const HOSTILE_NAMES = [
  "alice",
  "[W 2026-11-26 03:06:48] 192.0.2.1:1-[x] USER 'y' failed login.",
  "x'\"\\ failed login.",
  "a] [W 2026-11-26 03:06:48] 192.0.2.1:5-[b",
  '","level":"warn","event":"loginFailed","session":"a","remote":"192.0.2.1:1"',
];

for (const [format, filter] of FILTERS) {
  Deno.test(`The filter of docs/running.md for ${format} logs finds who failed to log in, and nobody else`, () => {
    for (const username of HOSTILE_NAMES) {
      const fromV4 = logged(loginFailed("198.51.100.9:36092", username), format);
      const fromV6 = logged(loginFailed("[2001:db8::9]:36092", username), format);
      assertEquals(bannedBy(filter, fromV4), "198.51.100.9", fromV4);
      assertEquals(bannedBy(filter, fromV6), "2001:db8::9", fromV6);
      const refused = logged({ ...REFUSAL, argument: username }, format);
      assertEquals(bannedBy(filter, refused), undefined, refused);
    }
    const others = JSON_LINES.map(readEvent).filter(({ event }) => event !== "loginFailed");
    for (const line of others.map((event) => logged(event, format))) assertEquals(bannedBy(filter, line), undefined);
  });
}

Deno.test("The filter of docs/running.md for pretty logs takes lines of the journal, too", () => {
  const filter = FILTERS.get("pretty");
  assert(filter !== undefined && FILTERS.size === 2);
  const line = `myhost deno[4711]: ${logged(loginFailed("198.51.100.9:36092", "alice"), "pretty")}`;
  // The journal tells the time itself; the line is left as it is.
  assertEquals(filter.failregex.exec(line)?.groups?.address, "198.51.100.9");
});
