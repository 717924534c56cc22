import { assertEquals, assertExists, assertMatch } from "@std/assert";
import type { ServerEvent } from "../lib/events.ts";
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, Logger, type LogLevel } from "../lib/logger.ts";

const TIME = new Date(2026, 1, 8, 10, 55, 42);
const SESSION = { session: "a1b2-1", remote: "192.0.2.7:50000", username: "bob" } as const;
const ENDED = { ...SESSION, path: "/a b.txt", bytes: 12, seconds: 0.5 } as const;
const STAMP = "2026-02-08 10:55:42";

/** An event of each name, its level and its line. */
const EVENTS: readonly (readonly [ServerEvent, LogLevel, string])[] = [
  [
    { event: "listening", time: TIME, host: "127.0.0.1", port: 2121, tls: "explicit" },
    "info",
    ">>> starting FTPS (explicit TLS) server on 127.0.0.1:2121 <<<",
  ],
  [
    { event: "listening", time: TIME, host: "::1", port: 990, tls: "implicit" },
    "info",
    ">>> starting FTPS (implicit TLS) server on [::1]:990 <<<",
  ],
  [
    { event: "listening", time: TIME, host: "0.0.0.0", port: 21, tls: "off" },
    "info",
    ">>> starting FTP (clear text) server on 0.0.0.0:21 <<<",
  ],
  [
    { event: "connected", time: TIME, session: "a1b2-1", remote: "192.0.2.7:50000" },
    "info",
    "192.0.2.7:50000-[] FTP session opened (connect), session a1b2-1",
  ],
  [
    { event: "secured", time: TIME, ...SESSION, protocol: "TLSv1.3", cipher: "X", resumed: true },
    "info",
    "192.0.2.7:50000-[bob] secured by TLSv1.3 X, resumed",
  ],
  [{ event: "loginSucceeded", time: TIME, ...SESSION }, "info", "192.0.2.7:50000-[bob] USER 'bob' logged in."],
  [{ event: "loginFailed", time: TIME, ...SESSION }, "warn", "192.0.2.7:50000-[bob] USER 'bob' failed login."],
  [{ event: "loggedOut", time: TIME, ...SESSION }, "info", "192.0.2.7:50000-[bob] USER 'bob' logged out."],
  [
    { event: "transferStarted", time: TIME, ...SESSION, command: "RETR", path: "/a b.txt" },
    "info",
    "192.0.2.7:50000-[bob] RETR /a b.txt started",
  ],
  [
    { event: "fileSent", time: TIME, ...ENDED, command: "RETR" },
    "info",
    "192.0.2.7:50000-[bob] RETR /a b.txt completed=1 bytes=12 seconds=0.500",
  ],
  [
    { event: "fileReceived", time: TIME, ...ENDED, command: "STOR" },
    "info",
    "192.0.2.7:50000-[bob] STOR /a b.txt completed=1 bytes=12 seconds=0.500",
  ],
  [
    { event: "transferIncomplete", time: TIME, ...ENDED, command: "STOR", reason: "cut" },
    "warn",
    "192.0.2.7:50000-[bob] STOR /a b.txt completed=0 bytes=12 seconds=0.500 reason='cut'",
  ],
  [
    { event: "commandRefused", time: TIME, ...SESSION, command: "DELE", argument: "x", code: 550, reply: "No." },
    "info",
    "192.0.2.7:50000-[bob] DELE x 550 'No.'",
  ],
  [
    { event: "connectionRefused", time: TIME, remote: "192.0.2.7:50000", reason: "Too many." },
    "warn",
    "192.0.2.7:50000 refused: Too many.",
  ],
  [
    { event: "internalError", time: TIME, session: "a1b2-1", message: "Broken", cause: new Error("Broken") },
    "error",
    "internal error in session a1b2-1: Broken",
  ],
  [
    { event: "dialogue", time: TIME, ...SESSION, direction: "received", line: "PASS ******" },
    "debug",
    "192.0.2.7:50000-[bob] <- PASS ******",
  ],
  [
    { event: "dialogue", time: TIME, ...SESSION, direction: "sent", line: "211-Features:\r\n UTF8\r\n211 End" },
    "debug",
    "192.0.2.7:50000-[bob] -> 211-Features:\n     UTF8\n    211 End",
  ],
  [
    { event: "disconnected", time: TIME, ...SESSION, seconds: 3, reason: "client quit" },
    "info",
    "192.0.2.7:50000-[bob] FTP session closed (disconnect): client quit",
  ],
  [{ event: "stopped", time: TIME }, "info", ">>> server has stopped <<<"],
];

for (const [event, level, text] of EVENTS) {
  Deno.test(`Logger writes "${event.event}" at level ${level}: ${JSON.stringify(text)}`, () => {
    assertEquals(linesOf(event, { format: "pretty" }), [`[${level.charAt(0).toUpperCase()} ${STAMP}] ${text}`]);
  });

  Deno.test(`Logger writes "${event.event}" as one JSON object with its fields: ${JSON.stringify(text)}`, () => {
    const [line = "", ...rest] = linesOf(event, { format: "json" });
    assertEquals(rest, []);
    const { cause: _, ...fields } = { cause: undefined, ...event };
    assertEquals(JSON.parse(line), { ...fields, time: TIME.toISOString(), level });
  });
}

Deno.test("Logger leaves out lines below its level", () => {
  for (const level of LOG_LEVELS) {
    const shown = EVENTS.filter(([event]) => linesOf(event, { level }).length > 0).map(([, level]) => level);
    const wanted = LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));
    assertEquals(shown, EVENTS.map(([, level]) => level).filter((level) => wanted.includes(level)));
  }
});

Deno.test("Logger shows the stack of an internal error only when asked to", () => {
  const cause = new Error("Broken");
  const event: ServerEvent = { event: "internalError", time: TIME, message: "Broken", cause };
  const frame = "logger_test.ts";
  for (const format of LOG_FORMATS) {
    assertEquals(linesOf(event, { format }).join("\n").includes(frame), false as boolean);
    assertMatch(linesOf(event, { format, stacks: true }).join("\n"), new RegExp(frame));
  }
});

Deno.test("Logger writes remarks in both forms", () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  new Logger({ format: "pretty", level: "warn", stacks: false, write }).log("warn", "take care");
  new Logger({ format: "json", level: "warn", stacks: false, write }).log("warn", "take care");
  new Logger({ format: "json", level: "warn", stacks: false, write }).log("info", "too quiet");
  assertMatch(lines[0] ?? "", /^\[W \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] take care$/);
  const { level, event, text } = JSON.parse(lines[1] ?? "");
  assertEquals([level, event, text, lines.length], ["warn", "remark", "take care", 2]);
});

Deno.test("Logger writes what was asked for at every level, as lines or as fields", () => {
  for (const level of LOG_LEVELS) {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const answer = ["2 sessions", "one\x1b", "other"];
    new Logger({ format: "pretty", level, stacks: false, write }).answer("status", answer, { sessions: [] });
    new Logger({ format: "json", level, stacks: false, write }).answer("status", answer, { sessions: ["one"] });
    assertMatch(lines[0] ?? "", /^\[I [\d :-]{19}\] 2 sessions\n {4}one\\u001b\n {4}other$/);
    const { time, ...fields } = JSON.parse(lines[1] ?? "");
    assertEquals(fields, { level: "info", event: "status", sessions: ["one"] });
    assertEquals(Number.isNaN(Date.parse(time)), false as boolean);
  }
});

const LEVEL_COLORS: Readonly<Record<LogLevel, string>> = {
  debug: "\x1b[34m",
  info: "\x1b[32m",
  warn: "\x1b[33m",
  error: "\x1b[31m",
};

for (const level of LOG_LEVELS) {
  Deno.test(`Logger colors the beginning of a line at level ${level} where that is asked for, and no JSON`, () => {
    const [found] = EVENTS.filter(([, of]) => of === level);
    assertExists(found);
    const [event, , text] = found;
    const prefix = `[${level.charAt(0).toUpperCase()} ${STAMP}]`;
    assertEquals(linesOf(event, { isColored: true }), [`${LEVEL_COLORS[level]}${prefix}\x1b[0m ${text}`]);
    assertEquals(linesOf(event, { format: "json", isColored: true }), linesOf(event, { format: "json" }));
  });
}

/** What forges lines, commands a terminal, or turns the order of what is read. */
const HOSTILE = {
  "a line end": "x\r\n[I 2026-02-08 10:55:42] forged",
  "a bare LF": "x\n[I 2026-02-08 10:55:42] forged",
  "an escape sequence": "x\x1b[2J\x1b]0;title\x07",
  "a C1 control character": "x\x9b2J\x85",
  "DEL and NUL": "x\x7f\x00",
  "a line separator of Unicode": "x\u2028\u2029",
  "a change of direction": "x\u202egpj.exe\u2066\u200f\u061c",
};

for (const [what, name] of Object.entries(HOSTILE)) {
  const events: readonly ServerEvent[] = [
    { event: "fileReceived", time: TIME, ...ENDED, command: "STOR", path: name },
    { event: "loginFailed", time: TIME, ...SESSION, username: name },
    { event: "commandRefused", time: TIME, ...SESSION, command: name, argument: name, code: 500, reply: name },
    { event: "internalError", time: TIME, message: name },
    { event: "dialogue", time: TIME, ...SESSION, username: name, direction: "received", line: "NOOP" },
  ];
  for (const format of LOG_FORMATS) {
    Deno.test(`Logger lets ${what} from a name not into the log, ${format}`, () => {
      for (const event of events) {
        const [line = "", ...rest] = linesOf(event, { format });
        assertEquals(rest, []);
        // deno-lint-ignore no-control-regex -- control characters are what is looked for
        assertEquals(line.match(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g), null);
        if (format === "json") assertMatch(JSON.stringify(Object.values(JSON.parse(line))), /x/);
      }
    });
  }
}

function linesOf(
  event: ServerEvent,
  options: {
    readonly format?: LogFormat;
    readonly level?: LogLevel;
    readonly stacks?: boolean;
    readonly isColored?: boolean;
  },
): string[] {
  const lines: string[] = [];
  const { format = "pretty", level = "debug", stacks = false, isColored = false } = options;
  new Logger({ format, level, stacks, isColored, write: (line) => void lines.push(line) }).event(event);
  return lines;
}
