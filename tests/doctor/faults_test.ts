import { assert, assertEquals, assertMatch } from "@std/assert";
import { ExtendedKeyUsage } from "@peculiar/x509";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { TestServer, type TestServerOptions, USER } from "../helpers/test_server.ts";
import { issue } from "../transport/client_pki.ts";
import { examine, type ExamineOptions, type Findings, idsOf } from "./examine.ts";
import { type Lies, LyingRelay } from "./lying_relay.ts";

/** Certificates of test servers are self-signed; this trusts the one that there is. */
async function examineServer(
  options: TestServerOptions & { readonly examination?: Partial<ExamineOptions> } = {},
): Promise<Findings> {
  await using server = await TestServer.start(options);
  return await examine({ port: server.port, ca: server.caCert, ...options.examination });
}

/** Looks at a server in clear, whose words are changed on the way. */
async function examineLies(lies: Lies, options: Partial<ExamineOptions> = {}): Promise<Findings> {
  await using server = await TestServer.start({ protection: "clear" });
  await using relay = new LyingRelay(server.port, lies);
  return await examine({ port: relay.port, ...options });
}

const UPLOADS = { examination: { mayUpload: true } } as const;

/** What is wrong with every server in clear. */
const CLEAR_FAULTS = ["tls-offered", "clear-text-login"];

function assertFinding(findings: Findings, id: string, severity: string, text: RegExp): void {
  assertEquals(findings[id]?.severity, severity, Deno.inspect(findings[id]));
  assertMatch(findings[id]?.finding ?? "", text);
}

Deno.test("doctor finds nothing wrong with a server as it starts", async () => {
  const findings = await examineServer(UPLOADS);
  assertEquals(idsOf(findings, "error"), []);
  assertEquals(idsOf(findings, "warning"), []);
  assertEquals(idsOf(findings, "note"), ["close-notify"]);
  assertEquals(idsOf(findings, "skipped"), ["anonymous-write"]);
  assertEquals(findings["round-trip"]?.finding, "5 files of 0 to 1048577 bytes come back as they were");
});

Deno.test("doctor looks at implicit TLS, and over IPv6", async () => {
  for (const options of [{ protection: "implicit" }, { host: "::1" }] as const) {
    const { host = "127.0.0.1" } = { host: undefined, ...options };
    const mode = "protection" in options ? options.protection : "explicit";
    const findings = await examineServer({ ...options, examination: { mode, host, name: host } });
    assertEquals([...idsOf(findings, "error"), ...idsOf(findings, "warning")], []);
  }
});

Deno.test("doctor removes what it has stored, and leaves nothing behind", async () => {
  const home = new MemoryFileSystem();
  await using server = await TestServer.start({ home });
  await examine({ port: server.port, mayUpload: true });
  await using client = await server.login();
  assertEquals(await client.list("NLST"), "");
});

Deno.test("doctor finds the wrong address of PASV behind NAT", async () => {
  const findings = await examineServer({ server: { passive: { address: "10.1.2.3" } } });
  assertFinding(
    findings,
    "passive-address",
    "error",
    /announces 10\.1\.2\.3, which is private, to clients that come to 127/,
  );
  const other = await examineServer({ server: { passive: { address: "203.0.113.7" } } });
  assertFinding(other, "passive-address", "warning", /announces 203\.0\.113\.7/);
  const expected = await examineServer({
    server: { passive: { address: "203.0.113.7" } },
    examination: { expectedAddresses: ["203.0.113.7"] },
  });
  assertFinding(expected, "passive-address", "ok", /as the configuration says/);
});

Deno.test("doctor finds passive ports that are closed", async () => {
  const findings = await examineLies({ change: (line) => line.startsWith("229 ") ? "229 Entering (|||1|)" : line }, {
    mayUpload: true,
  });
  assertFinding(
    findings,
    "passive-ports",
    "error",
    /^3 of \d ports cannot be reached|^1 of 1 ports cannot be reached \(1: /,
  );
  assertFinding(findings, "round-trip", "error", /data connection to port 1: connection refused/);
});

Deno.test("doctor finds a certificate that has expired, or does soon, or begins later", async () => {
  const names = ["127.0.0.1"];
  const expired = await createEphemeralCertificate({ names, now: new Date("2020-01-01"), validForDays: 10 });
  const findings = await examineServer({ server: { tls: expired }, examination: { ca: expired.certificate } });
  assertFinding(findings, "certificate-dates", "error", /^expired on 2020-01-11/);
  const soon = await createEphemeralCertificate({ names, validForDays: 5 });
  assertFinding(
    await examineServer({ server: { tls: soon } }),
    "certificate-dates",
    "warning",
    /^expires on .*: in 4 days/,
  );
  const later = await createEphemeralCertificate({ names, now: new Date(Date.now() + 1e10) });
  assertFinding(await examineServer({ server: { tls: later } }), "certificate-dates", "error", /^is valid only from/);
});

Deno.test("doctor finds a certificate for another name", async () => {
  const tls = await createEphemeralCertificate({ names: ["ftp.example.org", "*.example.net"] });
  const options = { server: { tls }, examination: { ca: tls.certificate, isInsecure: false } };
  const findings = await examineServer(options);
  assertFinding(
    findings,
    "certificate-name",
    "error",
    /^the certificate is not for 127\.0\.0\.1, but for DNS:ftp\.example\.org/,
  );
  assertFinding(findings, "login", "skipped", /the password is not sent, because the certificate is for another name/);
  const examination = { ...options.examination, name: "a.example.net" };
  assertFinding(await examineServer({ ...options, examination }), "certificate-name", "ok", /a\.example\.net/);
});

Deno.test("doctor finds an incomplete chain, and an authority that nobody knows", async () => {
  const root = await issue("Root", { isAuthority: true });
  const middle = await issue("Middle", { issuer: root, isAuthority: true });
  const { certificate, chain, key } = await issue("Server", { issuer: middle, usage: ExtendedKeyUsage.serverAuth });
  const alone = await examineServer({ server: { tls: { certificate, key } }, examination: { ca: root.certificate } });
  assertFinding(alone, "certificate-chain", "error", /^the certificate of its issuer is not sent: Middle$/);
  assertEquals(alone["certificate-trust"], undefined);
  const whole = { server: { tls: { certificate: chain, key } } };
  const trusted = await examineServer({ ...whole, examination: { ca: root.certificate } });
  assertEquals([trusted["certificate-chain"]?.severity, trusted["certificate-trust"]?.severity], ["ok", "ok"]);
  const unknown = await examineServer({ ...whole, examination: { ca: undefined } });
  assertFinding(unknown, "certificate-trust", "error", /^the certificate cannot be verified/);
});

Deno.test("doctor sends no password to a server that cannot prove who it is", async () => {
  await using server = await TestServer.start();
  const findings = await examine({ port: server.port, isInsecure: false });
  assertFinding(findings, "certificate-trust", "error", /self-signed/);
  assertFinding(findings, "login", "skipped", /the password is not sent, because the certificate cannot be verified/);
  await using clear = await TestServer.start({ protection: "clear" });
  await using relay = new LyingRelay(clear.port, {});
  const inClear = await examine({ port: relay.port, isInsecure: false });
  assertFinding(inClear, "login", "skipped", /the password is not sent, because there is no TLS/);
  assertEquals(relay.commands.filter((line) => /^PASS|USER user/.test(line)), []);
});

Deno.test("doctor finds a server without TLS 1.3", async () => {
  const findings = await examineServer({ server: { tls: { maxVersion: "TLSv1.2" } } });
  assertEquals(idsOf(findings, "warning"), ["tls-1.3"]);
  const only = await examineServer({ server: { tls: { minVersion: "TLSv1.3" } } });
  assertEquals([...idsOf(only, "warning"), ...idsOf(only, "error")], []);
});

Deno.test("doctor finds that session reuse is demanded", async () => {
  const findings = await examineServer({ server: { tls: { sessionReuse: "require" } } });
  assertFinding(findings, "session-reuse", "warning", /else LIST ends with "522 /);
  assertEquals(idsOf(findings, "error"), []);
});

Deno.test("doctor finds that logins, and data, may go in clear", async () => {
  const optional = await examineServer({ server: { tls: { policy: "optional" } } });
  assertFinding(optional, "clear-text-login", "error", /^USER gets 331 without TLS/);
  assertFinding(optional, "clear-text-data", "warning", /came in clear/);
  const control = await examineServer({ server: { tls: { policy: "control" } } });
  assertFinding(control, "clear-text-login", "ok", /550/);
  assertFinding(control, "clear-text-data", "warning", /came in clear/);
});

Deno.test("doctor finds a clock that is off, and times that are local", async () => {
  const shiftedBy = (ms: number): Lies => ({
    change: (line) => line.replace(/^213 \d{14}.*/, `213 ${stamp(Date.now() + ms)}`),
  });
  const options = { mayUpload: true };
  assertFinding(await examineLies(shiftedBy(7 * 60_000), options), "clock", "error", /^the clock is 7 min ahead$/);
  assertFinding(
    await examineLies(shiftedBy(-2 * 3_600_000), options),
    "clock",
    "warning",
    /^times are 2 h behind: as local time/,
  );
});

function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\D/g, "").slice(0, 14);
}

Deno.test("doctor tells what becomes of uploads without close_notify", async () => {
  assertFinding(await examineServer(UPLOADS), "close-notify", "note", /^an upload without it gets "426 /);
  const lax = await examineServer({ server: { tls: { requireCloseNotify: false } }, ...UPLOADS });
  assertFinding(lax, "close-notify", "warning", /^an upload without it gets 226: a cut upload looks whole$/);
});

Deno.test("doctor finds uploads that come back different", async () => {
  const findings = await examineLies({ answer: (line) => line === "TYPE I" ? "200 Type set to binary." : undefined }, {
    mayUpload: true,
  });
  assertFinding(findings, "round-trip", "error", /^a file of 16385 bytes: \d+ bytes come back$/);
});

Deno.test("doctor finds missing commands", async () => {
  const findings = await examineLies({
    answer: (line) => line === "EPSV" ? "500 What?" : undefined,
    change: (line) => /^ (?:MLST|UTF8|REST)/.test(line) ? undefined : line,
  });
  assertEquals(idsOf(findings, "warning"), ["utf8", "mlsd", "rest", "epsv"]);
  assertEquals(idsOf(findings, "error"), CLEAR_FAULTS);
});

Deno.test("doctor finds that explicit and implicit TLS are mixed up, and goes on", async () => {
  const implicit = await examineServer({ protection: "implicit", examination: { timeoutMs: 1000, mayUpload: true } });
  assertFinding(implicit, "tls-mode", "error", /begins with TLS \(implicit\)/);
  assertEquals(implicit["round-trip"]?.severity, "ok");
  const explicit = await examineServer({ examination: { mode: "implicit", mayUpload: true } });
  assertFinding(explicit, "tls-mode", "error", /greets in clear/);
  assertEquals(explicit["round-trip"]?.severity, "ok");
});

Deno.test("doctor finds a greeting that tells the version, and shows it without what terminals obey", async () => {
  const findings = await examineServer({ server: { banner: "ProFTPD 1.3.8 ready" } });
  assertFinding(findings, "greeting-version", "warning", /^the greeting is "ProFTPD 1\.3\.8 ready"$/);
  const address = await examineServer({ server: { banner: "ProFTPD Server [::ffff:127.0.0.1]" } });
  assertEquals(address["greeting-version"]?.severity, "ok");
  const escapes = await examineLies({ change: (line) => line.replace(/^220 .*/, "220 x 1.2 \x1b[31mred\x9b0m") });
  assertFinding(escapes, "greeting-version", "warning", /^the greeting is "x 1\.2 {2}\[31mred 0m"$/);
});

Deno.test("doctor finds a server that greets with 421, or another way, or nobody at all", async () => {
  const findings = await examineLies({ change: () => "421 Too many connections." });
  assertFinding(findings, "greeting", "error", /"421 Too many connections\."/);
  const other = await examineLies({ change: () => "HTTP/1.1 400 Bad Request" });
  assertFinding(other, "greeting", "error", /none of FTP: "HTTP/);
  const nobody = await examine({ port: 1 });
  assertFinding(nobody, "connection", "error", /^connection refused$/);
  assertEquals(idsOf(nobody, "error"), ["connection"]);
});

Deno.test("doctor finds that anybody may write, only where it may try", async () => {
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser(USER.name, USER.password, new MemoryFileSystem(), { permissions: "elradfmwMT" });
  authorizer.addAnonymous(new MemoryFileSystem(), { permissions: "elradfmwMT", forceWrite: true });
  const server = { authorizer };
  const findings = await examineServer({ server, examination: { triesAnonymous: true, mayUpload: true } });
  assertFinding(findings, "anonymous-write", "error", /^anonymous has stored a file$/);
  assertFinding(await examineServer({ server }), "anonymous-write", "skipped", /--anonymous/);
  const readOnly = await examineServer({ examination: { triesAnonymous: true, mayUpload: true } });
  assertFinding(readOnly, "anonymous-write", "ok", /^its upload ends with "550 /);
});

Deno.test("doctor finds that the server would connect to others", async () => {
  const findings = await examineServer({ server: { active: { enabled: true, foreignAddresses: true } } });
  assertFinding(findings, "bounce", "error", /FTP bounce/);
  const own = await examineServer({ server: { active: { enabled: true } } });
  assertEquals(own["bounce"]?.severity, "ok");
});

Deno.test("doctor stores nothing where it may not, and files where it is told", async () => {
  const without = await examineServer();
  assertFinding(without, "round-trip", "skipped", /--no-upload/);
  const missing = await examineServer({ examination: { folder: "/none", mayUpload: true } });
  assertFinding(missing, "session", "error", /CWD to the folder gets "550 /);
});

Deno.test("doctor finds a login that fails", async () => {
  const findings = await examineServer({ examination: { account: { user: "user", password: "wrong-password" } } });
  assertFinding(findings, "login", "error", /^the login as user gets "530 /);
  assert(!JSON.stringify(findings).includes("wrong-password"));
});
