import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/check/exit_error.ts";
import { parseArguments } from "../../lib/cli/option_table.ts";
import { readServeSettings, type ServeSettings } from "../../lib/cli/serve_settings.ts";

function read(line: string): ServeSettings {
  return readServeSettings(parseArguments(line.split(" ").filter((word) => word !== "")));
}

const GOOD: readonly (readonly [line: string, of: (settings: ServeSettings) => unknown, expected: unknown])[] = [
  ["", ({ directory }) => directory, "."],
  ["DIR", ({ directory }) => directory, "DIR"],
  ["-d DIR", ({ directory }) => directory, "DIR"],
  ["", ({ write, user, forceAnonymousWrite }) => [write, user, forceAnonymousWrite], [false, undefined, false]],
  ["-w --force-anonymous-write", ({ write, forceAnonymousWrite }) => [write, forceAnonymousWrite], [true, true]],
  ["-u me -P secret", ({ user }) => user, { name: "me", password: { text: "secret" } }],
  ["-u me --password-file FILE", ({ user }) => user, { name: "me", password: { file: "FILE" } }],
  ["", ({ listen }) => listen, [{ host: "127.0.0.1", port: 2121 }]],
  ["-i 0.0.0.0 -p 0", ({ listen }) => listen, [{ host: "0.0.0.0", port: 0 }]],
  ["-i ::1 -p 65535", ({ listen }) => listen, [{ host: "::1", port: 65535 }]],
  ["-p 0 --implicit-port 0", ({ listen }) => listen[1], { host: "127.0.0.1", port: 0, tls: "implicit" }],
  ["--implicit-port 990", ({ listen }) => listen[1], { host: "127.0.0.1", port: 990, tls: "implicit" }],
  ["-r 1-65535", ({ server }) => server.passive?.ports, { from: 1, to: 65535 }],
  ["-r 50000-50000", ({ server }) => server.passive?.ports, { from: 50000, to: 50000 }],
  ["--permit-foreign-addresses", ({ server }) => server.passive, { foreignAddresses: true }],
  ["-n 203.0.113.7", ({ server }) => server.passive?.address, "203.0.113.7"],
  ["", ({ server }) => server.tls, {}],
  ["--tls off", ({ server }) => server.tls, { policy: "off" }],
  ["--tls optional", ({ server }) => server.tls, { policy: "optional" }],
  ["--tls control", ({ server }) => server.tls, { policy: "control" }],
  ["--tls required --implicit-port 990", ({ server }) => server.tls, { policy: "required" }],
  ["--tls-session-reuse require", ({ server }) => server.tls, { sessionReuse: "require" }],
  ["--tls-session-reuse allow", ({ server }) => server.tls, { sessionReuse: "allow" }],
  ["--certfile C --keyfile K", ({ certificateFiles }) => certificateFiles, { certificate: "C", key: "K" }],
  ["--timeout 0.25", ({ server }) => server.timeouts, { idle: 0.25 }],
  ["--timeout 0", ({ server }) => server.timeouts, { idle: 0 }],
  [
    "--max-cons 9 --max-cons-per-ip 2 --max-login-attempts 1",
    ({ server }) => server.limits,
    { connections: 9, connectionsPerAddress: 2, loginAttempts: 1 },
  ],
  ["", ({ server }) => server.active, {}],
  [
    "--active --permit-foreign-addresses --permit-privileged-ports",
    ({ server }) => server.active,
    { enabled: true, foreignAddresses: true, privilegedPorts: true },
  ],
  ["--banner Hello", ({ server }) => server.banner, "Hello"],
  ["--banner=", ({ server }) => server.banner, ""],
  ["", ({ server }) => server.times, undefined],
  ["", ({ acceptedRisks }) => acceptedRisks, []],
  ["--tls off", ({ acceptedRisks }) => acceptedRisks, ["clear-text-control", "clear-text-data"]],
  ["--tls control", ({ acceptedRisks }) => acceptedRisks, ["clear-text-data"]],
  [
    "--accept-risk excess-permissions --accept-risk no-close-notify",
    ({ acceptedRisks }) => acceptedRisks,
    ["excess-permissions", "no-close-notify"],
  ],
  ["--active --permit-foreign-addresses", ({ acceptedRisks }) => acceptedRisks, ["foreign-data-address"]],
  ["--use-localtime", ({ server }) => server.times, "local"],
  ["", ({ log }) => log, { format: "pretty", dialogue: false, stacks: false }],
  ["--log-format json -V", ({ log }) => log, { format: "json", dialogue: true, stacks: false }],
  ["-D", ({ log, server }) => [log.dialogue, log.stacks, server.dialogue], [true, true, true]],
];

for (const [line, of, expected] of GOOD) {
  Deno.test(`readServeSettings() understands "${line}": ${JSON.stringify(expected)}`, () => {
    assertEquals(of(read(line)), expected);
  });
}

const BAD: readonly (readonly [line: string, message: string])[] = [
  ["ONE TWO", "one folder can be shared, not 2: ONE TWO"],
  ["-d ONE TWO", "the folder is given twice: TWO and --directory ONE"],
  ["-P secret", "a password without a user (--password)"],
  ["--password-file FILE", "a password without a user (--password-file)"],
  ["-u me", 'user "me" has no password (--username)'],
  ["-u me -P secret --password-file FILE", "the password is given twice (--password-file)"],
  ["-i localhost", '"localhost" is not a numeric address (--interface)'],
  ["-i 1.2.3", '"1.2.3" is not a numeric address (--interface)'],
  ["-p ftp", '"ftp" is not a whole number, 0 to 65535 (--port)'],
  ["-p 65536", '"65536" is not a whole number, 0 to 65535 (--port)'],
  ["-p 21.5", '"21.5" is not a whole number, 0 to 65535 (--port)'],
  ["--implicit-port 1e3", '"1e3" is not a whole number, 0 to 65535 (--implicit-port)'],
  ["-p 990 --implicit-port 990", "port 990 is given twice (--implicit-port)"],
  ["--implicit-port 2121", "port 2121 is given twice (--implicit-port)"],
  ["-r 50000", '"50000" is not a range of ports 1 to 65535 (--range)'],
  ["-r 0-10", '"0-10" is not a range of ports 1 to 65535 (--range)'],
  ["-r 50001-50000", '"50001-50000" is not a range of ports 1 to 65535 (--range)'],
  ["-r 50000-65536", '"50000-65536" is not a range of ports 1 to 65535 (--range)'],
  ["-n ftp.example", '"ftp.example" is not a numeric IPv4 address of a host (--nat-address)'],
  ["-n 2001:db8::1", '"2001:db8::1" is not a numeric IPv4 address of a host (--nat-address)'],
  ["-n 0.0.0.0", '"0.0.0.0" is not a numeric IPv4 address of a host (--nat-address)'],
  ["-u anonymous -P secret", 'user "anonymous" takes any password (--username)'],
  ["--tls yes", '"yes" is none of required, control, optional, off (--tls)'],
  ["--tls-session-reuse maybe", '"maybe" is none of '],
  ["--tls off --implicit-port 990", "--implicit-port without TLS (--tls off)"],
  ["--tls off --certfile C --keyfile K", "--certfile without TLS (--tls off)"],
  ["--tls off --keyfile K", "--keyfile without TLS (--tls off)"],
  ["--tls off --tls-session-reuse require", "--tls-session-reuse without TLS (--tls off)"],
  ["--certfile C", "a certificate without its key (--certfile)"],
  ["--keyfile K", "a key without its certificate (--keyfile)"],
  ["--timeout soon", '"soon" is not a number of seconds, 0 to 2147482 (--timeout)'],
  ["--timeout 1e3", '"1e3" is not a number of seconds, 0 to 2147482 (--timeout)'],
  ["--timeout 0x10", '"0x10" is not a number of seconds, 0 to 2147482 (--timeout)'],
  ["--timeout 2147483", '"2147483" is not a number of seconds, 0 to 2147482 (--timeout)'],
  ["--timeout -1", '"-1" is not a number of seconds'],
  ["-p 0x10", '"0x10" is not a whole number, 0 to 65535 (--port)'],
  ["-p 9007199254740993", '"9007199254740993" is not a whole number, 0 to 65535 (--port)'],
  ["--max-cons 9007199254740993", '"9007199254740993" is not a whole number, 0 or more (--max-cons)'],
  ["--workers 0", '"0" is not a whole number, 1 to 64 (--workers)'],
  ["--workers AUTO", '"AUTO" is not a whole number, 1 to 64 (--workers)'],
  ["--max-cons many", '"many" is not a whole number, 0 or more (--max-cons)'],
  ["--max-cons-per-ip 1.5", '"1.5" is not a whole number, 0 or more (--max-cons-per-ip)'],
  ["--max-login-attempts x", '"x" is not a whole number, 0 or more (--max-login-attempts)'],
  ["--log-format xml", '"xml" is none of pretty, json (--log-format)'],
];

for (
  const name of ["port", "implicit-port", "max-cons", "max-cons-per-ip", "max-login-attempts", "workers", "timeout"]
) {
  Deno.test(`readServeSettings() takes digits alone for --${name}`, () => {
    for (const text of [" 5", "5 ", "+5", "-5", "5e0", "0x5", "5_0", "\u0665", "5\n", "NaN", "Infinity"]) {
      const error = assertThrows(
        () => readServeSettings(parseArguments([`--${name}=${text}`])),
        UsageError,
        `(--${name})`,
      );
      assertEquals(error.status, 2);
    }
  });
}

for (const [line, message] of BAD) {
  Deno.test(`readServeSettings() refuses "${line}"`, () => {
    const error = assertThrows(() => read(line), UsageError, message);
    assertEquals([error.status, error.hint === ""], [2, false]);
  });
}
