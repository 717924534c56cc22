import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { InsecureConfigurationError } from "../../lib/accounts/permission.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { type AcceptedRisk, holdsOn, RISK_IDS, type RiskId, RISKS } from "../../lib/settings/risks.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { TestServer } from "../helpers/test_server.ts";

/** Options that have a risk, with those that cannot be without it. */
const RISKY: readonly (readonly [risk: RiskId, options: Partial<FtpServerOptions>, others?: readonly RiskId[]])[] = [
  ["clear-text-control", { tls: { policy: "off" } }, ["clear-text-data"]],
  ["clear-text-control", { tls: { policy: "optional" } }, ["clear-text-data"]],
  ["clear-text-data", { tls: { policy: "control" } }],
  ["foreign-data-address", { active: { enabled: true, foreignAddresses: true } }],
  ["foreign-data-address", { passive: { foreignAddresses: true } }],
  ...["0.0.0.0/0", "::/0", "0.0.0.0/1", "10.0.0.0/7", "2000::/3", "::ffff:0:0/96", "::/80"].map((network) =>
    ["proxy-from-anywhere", { listen: [{ proxyProtocol: ["10.0.0.1", network] }] }] as const
  ),
  ["privileged-data-port", { active: { enabled: true, privilegedPorts: true } }],
  ["no-close-notify", { tls: { requireCloseNotify: false } }],
];

for (const [risk, options, others = []] of RISKY) {
  const authorizer = new VirtualAuthorizer();
  const given = JSON.stringify(options);

  Deno.test(`FtpServer refuses ${given}, which is the risk ${risk}, and takes it once it is accepted`, () => {
    const error = assertThrows(
      () => new FtpServer({ authorizer, ...options, acceptRisks: others }),
      InsecureConfigurationError,
    );
    assertEquals(error.risk, risk);
    assertStringIncludes(error.message, RISKS[risk].title);
    assertInstanceOf(new FtpServer({ authorizer, ...options, acceptRisks: [...others, risk] }), FtpServer);
  });

  Deno.test(`FtpServer.reconfigure() refuses ${given}, and changes nothing then`, async () => {
    await using server = await TestServer.start({ server: { banner: "before" } });
    const error = await assertRejects(
      () => server.server.reconfigure({ authorizer, banner: "after", ...options, acceptRisks: others }),
      InsecureConfigurationError,
    );
    assertEquals(error.risk, risk);
    await using client = await server.connect();
    await client.login("anonymous", "guest");
    assertEquals((await client.command("PROT C")).code, 534);
  });
}

Deno.test("FtpServer does not mind risks of active mode while it is off", () => {
  const active = { enabled: false, foreignAddresses: true, privilegedPorts: true };
  assertInstanceOf(new FtpServer({ authorizer: new VirtualAuthorizer(), active }), FtpServer);
});

Deno.test("VirtualAuthorizer refuses that anonymous writes, at once and by a later override, unless it is forced", () => {
  const home = new MemoryFileSystem();
  const authorizer = new VirtualAuthorizer();
  for (const permissions of ["a", "d", "f", "m", "w", "M", "T"]) {
    const error = assertThrows(() => authorizer.addAnonymous(home, { permissions }), InsecureConfigurationError);
    assertEquals(error.risk, "anonymous-write");
  }
  authorizer.addAnonymous(home);
  assertThrows(() => authorizer.overridePermissions("anonymous", "/in", "w"), InsecureConfigurationError);
  authorizer.removeUser("anonymous");
  authorizer.addAnonymous(home, { permissions: "elrw", forceWrite: true });
});

/** Reconfigurations with something that cannot be used beside much that can. */
const UNUSABLE: readonly (readonly [
  what: string,
  options: Partial<FtpServerOptions>,
  error: typeof RangeError | typeof TypeError,
])[] = [
  ["a time out of range", { timeouts: { idle: -1 } }, RangeError],
  ["a ban out of range", { ban: { duration: 0 } }, RangeError],
  ["a pair that is none", { tls: { certificate: "none", key: "none" } }, TypeError],
  ["a CA that is none", { tls: { clientCertificates: { mode: "require", ca: "none" } } }, TypeError],
];

for (const [what, options, kind] of UNUSABLE) {
  Deno.test(`FtpServer.reconfigure() with ${what} changes nothing`, async () => {
    await using server = await TestServer.start({ server: { banner: "before" } });
    const fingerprint = server.server.certificate?.fingerprint;
    const pair = await createEphemeralCertificate({ names: ["another"] });
    const changed = { authorizer: new VirtualAuthorizer(), banner: "after", limits: { connections: 1 } };
    const tls = { ...pair, ...options.tls };
    await assertRejects(() => server.server.reconfigure({ ...changed, ...options, tls }), kind);
    assertEquals(server.server.certificate?.fingerprint, fingerprint);
    await using first = await server.login();
    await using _second = await server.login();
    await first.expect(200, "NOOP");
  });
}

Deno.test("holdsOn() includes the last day of an acceptance, and no moment after it", () => {
  const accepted: AcceptedRisk = { risk: "no-close-notify", reason: "a test", until: new Date("2027-01-31") };
  const rows: readonly (readonly [time: string, holds: boolean])[] = [
    ["2026-01-01T00:00:00Z", true],
    ["2027-01-31T23:59:59.999Z", true],
    ["2027-02-01T00:00:00Z", false],
  ];
  for (const [time, holds] of rows) {
    assertEquals(holdsOn(accepted, new Date(time)), holds, time);
  }
});

Deno.test("RISKS says of each what can happen and what to do instead", () => {
  for (const id of RISK_IDS) {
    for (const text of [RISKS[id].danger, RISKS[id].instead]) {
      assertMatch(text, /^[A-Za-z].*[a-z)0-9]\.$/);
    }
  }
});
