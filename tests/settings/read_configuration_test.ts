import { assert, assertEquals, assertLess, assertMatch, assertThrows } from "@std/assert";
import { ConfigurationError, errorAt } from "../../lib/settings/finding.ts";
import { decodeConfiguration } from "../../lib/settings/read_configuration.ts";
import { BAD_FILES } from "./bad_files.ts";
import { problemsOf, read, SOMEBODY } from "./configuration_text.ts";

for (const [name, text, ...expected] of BAD_FILES) {
  Deno.test(`readConfiguration() refuses a file that ${name}`, () => {
    const problems = problemsOf(text);
    // What comes from the parser differs from one to another.
    const compared = problems.map((problem, index) => fits(problem, expected[index] ?? "") ? expected[index] : problem);
    assertEquals(compared, [...expected]);
    for (const secret of ["hunter2", "83619"]) assert(problems.every((problem) => !problem.includes(secret)));
  });
}

Deno.test("decodeConfiguration() names the line that is not UTF-8, and takes nothing else for it", () => {
  const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const cases: readonly (readonly [text: string, line: number])[] = [
    ["users:\n  - { name: J\xfcrgen }\n", 2], // ISO 8859-1
    ["\xff\xfeu\0s\0", 1], // UTF-16
    ["a: 1\r\nb: \xe4\xbd", 2], // cut off
    ["a: \xed\xa0\x80\n", 1], // a surrogate
  ];
  for (const [text, line] of cases) {
    const error = assertThrows(() => decodeConfiguration(bytes(text), "ftpsd.yaml"), ConfigurationError);
    assertEquals(error.message, `ftpsd.yaml:${line}: not UTF-8; save the file in UTF-8`);
  }
  const text = "a: ü\nb: \u2028 \uFFFD 😀\n";
  assertEquals(decodeConfiguration(new TextEncoder().encode(text), "ftpsd.yaml"), text);
  assertEquals(decodeConfiguration(new TextEncoder().encode(`\uFEFF${text}`), "ftpsd.yaml"), text);
});

/** Returns whether a line is as expected, where `*` stands for anything. */
function fits(line: string, expected: string): boolean {
  const literals = expected.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  // A star that is meant stands between spaces.
  return line === expected || new RegExp(`^${literals.join("[^\\n]*")}$`).test(line);
}

Deno.test("readConfiguration() places problems right with comments, CR LF, a byte order mark, and texts of many lines", () => {
  const lines = [
    "# banner: not this",
    "%YAML 1.2",
    "---",
    "anonymous: &account   # tls: neither",
    "",
    '  "home": pub',
    "  messages:",
    "    login: |",
    "      tls: no key",
    "      - users",
    "",
    "    quit: >-",
    "      banner: 1",
    "banner: 'two",
    "",
    "  tls: lines'",
    "tls: {",
    "  # key: 5",
    "  policy: { a: '}' },",
    "  minVersion:",
    "    x, sessionReuse: y",
    "}",
    "users:",
    "- name: alice # - name",
    "  password: a b: # c",
    "  home: 'it''s: 5'",
    "  limits: {connections: -1}",
    "-",
    "  home: long",
    "    text: 2",
    "    over lines",
    "  permissions: x",
    "limits : {connections: [1,",
    "   2], loginAttempts: -1}",
  ];
  // Two lines above are no YAML where they are; they are what a key is to be told from.
  const text = lines.filter((line) => line !== "  password: a b: # c" && line !== "    text: 2");
  const at = (content: string) => text.findIndex((line) => line.includes(content)) + 1;
  const expected = [
    `ftpsd.yaml:${at("policy: {")}: tls.policy: a mapping is not one of required, control, optional, off`,
    `ftpsd.yaml:${at("minVersion")}: tls.minVersion: "x" is not one of TLSv1.2, TLSv1.3`,
    `ftpsd.yaml:${at("x, sessionReuse")}: tls.sessionReuse: "y" is not one of off, allow, require`,
    `ftpsd.yaml:${at("- name: alice")}: users[0].password: is missing; give a password hash; make one with: ` +
    "ftpsd hash-password",
    `ftpsd.yaml:${at("{connections: -1}")}: users[0].limits.connections: -1 is not a whole number, 0 or more`,
    `ftpsd.yaml:${text.indexOf("-") + 1}: users[1].name: is missing; give a user name`,
    `ftpsd.yaml:${text.indexOf("-") + 1}: users[1].password: is missing; give a password hash; make one with: ` +
    "ftpsd hash-password",
    `ftpsd.yaml:${at("permissions: x")}: users[1].permissions: unknown letter "x"; use letters of elradfmwMT`,
    `ftpsd.yaml:${at("limits :")}: limits.connections: a list is not a whole number, 0 or more`,
    `ftpsd.yaml:${at("2], loginAttempts")}: limits.loginAttempts: -1 is not a whole number, 0 or more`,
  ];
  assertEquals(problemsOf(text.join("\n")), expected);
  assertEquals(problemsOf(`\uFEFF${text.join("\r\n")}\r\n`), expected);
  assertEquals(problemsOf(text.join("\r")), expected);
});

Deno.test("readConfiguration() reads aliases, and does not let them multiply", () => {
  const shared = "anonymous:\n  home: pub\n  overrides: &closed [{ path: /a, permissions: '' }]\n" +
    "users:\n  - { name: alice, password: x, home: /srv, overrides: *closed }\n";
  assertEquals(read(shared).users[0]?.overrides, read(shared).anonymous?.overrides);

  const levels = Array.from({ length: 30 }, (_, level) => `l${level + 1}: &l${level + 1} [*l${level}, *l${level}]\n`);
  const bomb = `l0: &l0 [x, x]\n${levels.join("")}`;
  const started = performance.now();
  assertEquals(problemsOf(`${SOMEBODY}${bomb}`), [
    "ftpsd.yaml: stands for more than 1000000 values; use fewer aliases",
  ]);
  assertEquals(problemsOf(`${SOMEBODY}users: &self [*self]\n`), [
    "ftpsd.yaml: stands for more than 1000000 values; use fewer aliases",
  ]);
  assertLess(performance.now() - started, 5_000);
});

Deno.test("readConfiguration() refuses what is nested without end, or too long, and not slowly", () => {
  const started = performance.now();
  for (
    const deep of [
      "[".repeat(50_000),
      "- ".repeat(50_000),
      "{a: ".repeat(50_000),
      "[".repeat(50_000) + "]".repeat(50_000),
    ]
  ) {
    assertMatch(problemsOf(`users: ${deep}`).join("\n"), /^ftpsd\.yaml(?::1)?: not YAML: [^\n]+$/);
  }
  assertEquals(problemsOf(`${SOMEBODY}# ${"x".repeat(5_000_000)}`), ["ftpsd.yaml: is longer than 4194304 characters"]);
  const long = [
    " ".repeat(1_000_000),
    "a ".repeat(500_000),
    "x".repeat(1_000_000),
    "\\\\".repeat(500_000),
    "#".repeat(1e6),
  ];
  for (const value of long) {
    assertEquals(problemsOf(`${SOMEBODY}times: "${value}"\n`).length, 1);
    assertEquals(problemsOf(`${SOMEBODY}times: x${value}x\n`).length, 1);
    assertEquals(problemsOf(`${SOMEBODY}times: [x${value}x]\n`).length, 1);
  }
  const wrong = "  - { nane: x }\n".repeat(2_000);
  assertEquals(problemsOf(`users:\n${wrong}`).length, 8_000);
  assertEquals(problemsOf(`${SOMEBODY}tls: 1\nbanner: "x${"\\n".repeat(500_000)}x"\n`).length, 1);
  assertLess(performance.now() - started, 30_000);
});

Deno.test("readConfiguration() returns frozen settings with all defaults, and absolute paths", () => {
  const configuration = read("users:\n  - { name: alice, password: x, home: alice }\nlog: { transfers: xferlog }\n");
  assertEquals(configuration.users, [{
    name: "alice",
    password: "x",
    home: "/etc/ftpsd/alice",
    enabled: true,
    groups: [],
    permissions: "elr",
    overrides: [],
    mounts: [],
    hide: [],
    deny: [],
    dropBox: false,
    messages: { login: "Login successful.", quit: "Goodbye." },
    limits: { connections: 0, bandwidth: { upload: 0, download: 0 } },
    quota: { bytes: 0, files: 0 },
  }]);
  assertEquals(configuration.listen, [{ host: "127.0.0.1", port: 2121, tls: "explicit" }]);
  assertEquals(configuration.limits.connectionsBeforeLogin, 256);
  assertEquals(configuration.log, { format: "pretty", level: "info", transfers: "/etc/ftpsd/xferlog" });
  const { users: [user], log } = configuration;
  assert(Object.isFrozen(configuration) && Object.isFrozen(user) && Object.isFrozen(log));
});

Deno.test("readConfiguration() throws one error with all problems", () => {
  const error = assertThrows(() => read("tls: 1\nlog: 2\n"), ConfigurationError);
  assertEquals(error.findings, [
    { ...errorAt(["tls"], "1 is not a mapping"), place: { file: "ftpsd.yaml", line: 1 } },
    { ...errorAt(["log"], "2 is not a mapping"), place: { file: "ftpsd.yaml", line: 2 } },
  ]);
});
