import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/check/exit_error.ts";
import { loadConfiguration, readGivenOptions } from "../../lib/cli/load_configuration.ts";
import { parseArguments } from "../../lib/cli/option_table.ts";
import { formatPath, valueAt } from "../../lib/settings/key_path.ts";
import type { Configuration } from "../../lib/settings/table.ts";
import { parsePath } from "../settings/configuration_text.ts";

function parse(line: string) {
  return parseArguments(line.split(" ").filter((word) => word !== ""));
}

async function read(line: string): Promise<Configuration> {
  return (await loadConfiguration(parse(line))).configuration;
}

const GOOD: readonly (readonly [line: string, path: string, expected: unknown])[] = [
  ["", "anonymous.home", "."],
  ["DIR", "anonymous.home", "DIR"],
  ["-d DIR", "anonymous.home", "DIR"],
  ["", "anonymous.permissions", "elr"],
  ["", "anonymous.forceWrite", false],
  ["-w --force-anonymous-write", "anonymous.permissions", "elradfmwMT"],
  ["-w --force-anonymous-write", "anonymous.forceWrite", true],
  ["-u me -P secret", "users[0].name", "me"],
  ["-u me -P secret", "users[0].password", "secret"],
  ["-u me -P secret", "anonymous", undefined],
  ["", "listen", [{ host: "127.0.0.1", port: 2121, tls: "explicit" }]],
  ["-i 0.0.0.0 -p 0", "listen", [{ host: "0.0.0.0", port: 0, tls: "explicit" }]],
  ["-i ::1 -p 65535", "listen", [{ host: "::1", port: 65535, tls: "explicit" }]],
  ["-i :: -p 0 --implicit-port 0", "listen[1]", { host: "::", port: 0, tls: "implicit" }],
  ["--implicit-port 990", "listen[0]", { host: "127.0.0.1", port: 2121, tls: "explicit" }],
  ["--implicit-port 990", "listen[1]", { host: "127.0.0.1", port: 990, tls: "implicit" }],
  ["-p 0 -r 1-65535", "passive.ports", { from: 1, to: 65535 }],
  ["-r 50000-50000", "passive.ports", { from: 50000, to: 50000 }],
  ["--permit-foreign-addresses", "passive.foreignAddresses", true],
  ["-n 203.0.113.7", "passive.address", "203.0.113.7"],
  ["--tls off", "tls.policy", "off"],
  ["--tls optional", "tls.policy", "optional"],
  ["--tls control", "tls.policy", "control"],
  ["--tls required --implicit-port 990", "tls.policy", "required"],
  ["--tls-session-reuse require", "tls.sessionReuse", "require"],
  ["--tls-session-reuse allow", "tls.sessionReuse", "allow"],
  ["--certfile C --keyfile K", "tls.certificate", "C"],
  ["--certfile C --keyfile K", "tls.key", "K"],
  ["--timeout 0.25", "timeouts.idle", 0.25],
  ["--timeout 0", "timeouts.idle", 0],
  ["--max-cons 9", "limits.connections", 9],
  ["--max-cons 9", "limits.connectionsBeforeLogin", 5],
  ["--max-cons-per-ip 2", "limits.connectionsPerAddress", 2],
  ["--max-login-attempts 1", "limits.loginAttempts", 1],
  ["", "active.enabled", false],
  [
    "--active --permit-foreign-addresses --permit-privileged-ports",
    "active",
    { enabled: true, foreignAddresses: true, privilegedPorts: true },
  ],
  ["--banner Hello", "banner", "Hello"],
  ["--banner=", "banner", ""],
  ["--banner 2027", "banner", "2027"],
  ["", "times", "utc"],
  ["--use-localtime", "times", "local"],
  ["--log-format json", "log.format", "json"],
  ["--workers 3", "workers", 3],
  ["--workers auto", "workers", "auto"],
];

for (const [line, path, expected] of GOOD) {
  Deno.test(`loadConfiguration() reads "${line}": ${path} ${JSON.stringify(expected)}`, async () => {
    assertEquals(valueAt(await read(line), parsePath(path)), expected);
  });
}

/** Risks that the command line accepts, beside that of a password in a file. */
const ACCEPTED: readonly (readonly [line: string, risks: readonly string[]])[] = [
  ["", []],
  ["--tls required", []],
  ["--tls off", ["clear-text-control", "clear-text-data"]],
  ["--tls control", ["clear-text-data"]],
  [
    "--accept-risk excess-permissions --accept-risk no-close-notify",
    ["excess-permissions", "no-close-notify"],
  ],
  ["--permit-foreign-addresses", ["foreign-data-address"]],
  ["--active --permit-privileged-ports", ["privileged-data-port"]],
];

for (const [line, risks] of ACCEPTED) {
  Deno.test(`loadConfiguration() accepts with "${line}" no risk but ${risks.join(", ") || "that of a password"}`, async () => {
    const { acceptRisks } = await read(line);
    assertEquals(acceptRisks.map(({ risk }) => risk).filter((risk) => risk !== "plaintext-password"), risks);
  });
}

Deno.test("readGivenOptions() tells where the settings are that options give", () => {
  const { paths } = readGivenOptions(parse("--tls off -p 0 --permit-foreign-addresses"));
  assertEquals(paths.map(formatPath).sort(), [
    "active.foreignAddresses",
    "listen[0].port",
    "passive.foreignAddresses",
    "tls.policy",
  ]);
});

const BAD: readonly (readonly [line: string, message: string])[] = [
  ["ONE TWO", "one folder can be shared, not 2: ONE TWO"],
  ["-d ONE TWO", "the folder is given twice: TWO and --directory ONE"],
  ["-P secret", "a password without a user (--password)"],
  ["--password-file FILE", "a password without a user (--password-file)"],
  ["-u me", 'user "me" has no password (--username)'],
  ["-u me -P secret --password-file FILE", "the password is given twice (--password-file)"],
  ["-i localhost", '"localhost" is not a numeric IPv4 or IPv6 address, not of a link (fe80::) (--interface)'],
  ["-i 1.2.3", '"1.2.3" is not a numeric IPv4 or IPv6 address, not of a link (fe80::) (--interface)'],
  ["-p ftp", '"ftp" is not a port, 0 to 65535 (--port)'],
  ["-p 65536", "65536 is not a port, 0 to 65535 (--port)"],
  ["-p 21.5", "21.5 is not a port, 0 to 65535 (--port)"],
  ["--implicit-port 1e3", '"1e3" is not a port, 0 to 65535 (--implicit-port)'],
  ["-p 990 --implicit-port 990", "127.0.0.1 port 990 is taken by --port (--implicit-port)"],
  ["--implicit-port 2121", "127.0.0.1 port 2121 is taken by --port (--implicit-port)"],
  ["-r 50000", "50000 is not a range of ports such as 50000-50100, 1 to 65535 (--range)"],
  ["-r 0-10", '"0-10" is not a range of ports such as 50000-50100, 1 to 65535 (--range)'],
  ["-r 50001-50000", '"50001-50000" is not a range of ports such as 50000-50100, 1 to 65535 (--range)'],
  ["-r 50000-65536", '"50000-65536" is not a range of ports such as 50000-50100, 1 to 65535 (--range)'],
  [
    "-n ftp_example",
    '"ftp_example" is not a numeric IPv4 address of a host, or its name such as ftp.example.org (--nat-address)',
  ],
  [
    "-n 2001:db8::1",
    '"2001:db8::1" is not a numeric IPv4 address of a host, or its name such as ftp.example.org (--nat-address)',
  ],
  [
    "-n 0.0.0.0",
    '"0.0.0.0" is not a numeric IPv4 address of a host, or its name such as ftp.example.org (--nat-address)',
  ],
  ["-u anonymous -P secret", 'user "anonymous" takes any password (--username)'],
  ["--tls yes", '"yes" is not one of required, control, optional, off (--tls)'],
  ["--tls-session-reuse maybe", '"maybe" is not one of '],
  ["--tls off --implicit-port 990", "--implicit-port is implicit, but --tls is off"],
  ["--tls off --certfile C --keyfile K", "--certfile is given, but --tls is off"],
  ["--tls off --keyfile K", "a key without its certificate (--keyfile)"],
  ["--tls off --tls-session-reuse require", "--tls-session-reuse is given, but --tls is off"],
  ["--certfile C", "a certificate without its key (--certfile)"],
  ["--keyfile K", "a key without its certificate (--keyfile)"],
  ["--timeout soon", '"soon" is not a number of seconds, 0 to 2147482 (--timeout)'],
  ["--timeout 1e3", '"1e3" is not a number of seconds, 0 to 2147482 (--timeout)'],
  ["--timeout 0x10", '"0x10" is not a number of seconds, 0 to 2147482 (--timeout)'],
  ["--timeout 2147483", "2147483 is not a number of seconds, 0 to 2147482 (--timeout)"],
  ["--timeout -1", '"-1" is not a number of seconds'],
  ["-p 0x10", '"0x10" is not a port, 0 to 65535 (--port)'],
  ["-p 9007199254740993", '"9007199254740993" is not a port, 0 to 65535 (--port)'],
  ["--max-cons 9007199254740993", '"9007199254740993" is not a whole number, 0 or more (--max-cons)'],
  ["--workers 0", "0 is not auto, or a whole number, 1 to 64 (--workers)"],
  ["--workers AUTO", '"AUTO" is not auto, or a whole number, 1 to 64 (--workers)'],
  ["--max-cons many", '"many" is not a whole number, 0 or more (--max-cons)'],
  ["--max-cons-per-ip 1.5", "1.5 is not a whole number, 0 or more (--max-cons-per-ip)"],
  ["--max-login-attempts x", '"x" is not a whole number, 0 or more (--max-login-attempts)'],
  ["--log-format xml", '"xml" is not one of pretty, json (--log-format)'],
];

for (const [line, message] of BAD) {
  Deno.test(`loadConfiguration() refuses "${line}"`, async () => {
    const error = await assertRejects(() => read(line), UsageError, message);
    assertEquals([error.status, error.hint === ""], [2, false]);
  });
}

for (
  const name of ["port", "implicit-port", "max-cons", "max-cons-per-ip", "max-login-attempts", "workers", "timeout"]
) {
  Deno.test(`readGivenOptions() takes digits alone for --${name}`, () => {
    for (const text of [" 5", "5 ", "+5", "-5", "5e0", "0x5", "5_0", "\u0665", "5\n", "NaN", "Infinity"]) {
      const read = () => readGivenOptions(parseArguments([`--${name}=${text}`]));
      assertEquals(assertThrows(read, UsageError, `(--${name})`).status, 2);
    }
  });
}
