import { X509Certificate } from "node:crypto";
import { assertEquals, assertMatch } from "@std/assert";
import { AccountRules } from "../../lib/accounts/account_rules.ts";
import { CertificateDemand, type CertificateDemandOptions } from "../../lib/accounts/certificate_demand.ts";
import { deriveDigest } from "../../lib/accounts/password_digest.ts";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { PasswordAuthorizer } from "../../lib/accounts/password_authorizer.ts";
import { VirtualAccounts } from "../../lib/accounts/virtual_accounts.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import { toServerOptions } from "../../lib/server/configured_options.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer } from "../helpers/test_server.ts";
import { issue, type Issued } from "../transport/client_pki.ts";

const PASSWORD = "12345";
const HASH = await hashPassword(PASSWORD, { ln: 10 });
const CA = await issue("CA", { isAuthority: true });
const ALICE = await issue("alice", {
  issuer: CA,
  alternativeNames: [{ type: "email", value: "alice@example.org" }],
});
const BOB = await issue("bob", { issuer: CA });
/** A certificate of the CA that tries to look like one of alice. */
const LOOKALIKE = await issue("x", {
  issuer: CA,
  subject: [{ CN: ["bob, CN=alice"] }],
  alternativeNames: [{ type: "dns", value: "email:alice@example.org" }],
});
const AUTHORIZED = "232 User logged in, authorized by security data exchange.";
const NEEDED = "331 Username ok, send password.";
const FAILED = "530 Authentication failed.";

interface Scene extends AsyncDisposable {
  readonly server: TestServer;
  readonly accounts: VirtualAccounts;
  /** Costs of the digests that were computed. */
  readonly computed: number[];
  connect(shown?: Issued): Promise<RawClient>;
}

/** A server that asks for certificates, with alice, whose own they are, and bob. */
async function openScene(
  certificates: CertificateDemandOptions,
  options: { readonly expires?: Date; readonly server?: Partial<FtpServerOptions>; readonly connections?: number } = {},
): Promise<Scene> {
  const computed: number[] = [];
  const accounts = new VirtualAccounts({
    openHome: () => new MemoryFileSystem(),
    derive: (password, parameters) => {
      computed.push(parameters.cost.ln);
      return deriveDigest(password, parameters);
    },
  });
  const rules = new AccountRules({ certificates: new CertificateDemand(certificates), expires: options.expires });
  const { connections = 0 } = options;
  accounts.addUser("alice", HASH, "/home", { rules, permissions: "elrw", limits: { connections } });
  accounts.addUser("bob", HASH, "/home");
  const tls = { clientCertificates: { mode: "request", ca: CA.certificate } } as const;
  const server = await TestServer.start({ server: { authorizer: accounts, ...options.server, tls } });
  return {
    server,
    accounts,
    computed,
    connect: (shown) =>
      server.connect(shown === undefined ? {} : { tlsOptions: { cert: shown.chain, key: shown.key } }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const BY_EMAIL = { login: "alone", match: [{ san: "email:alice@example.org" }] } as const;
const BY_SUBJECT = { login: "alone", match: [{ subject: "CN=alice" }] } as const;

for (
  const certificates of [
    BY_EMAIL,
    BY_SUBJECT,
    { login: "alone", match: [{ fingerprint: new X509Certificate(ALICE.certificate).fingerprint256 }] } as const,
  ]
) {
  const [by = ""] = Object.keys(certificates.match[0] ?? {});
  Deno.test(`USER logs in by certificate alone, matched by ${by}, and transfers files`, async () => {
    await using scene = await openScene(certificates);
    await using client = await scene.connect(ALICE);
    await client.expect(200, "PBSZ 0");
    await client.expect(200, "PROT P");
    assertEquals((await client.command("USER alice")).text, AUTHORIZED);
    await client.store("a", new TextEncoder().encode("hello"));
    assertEquals(await client.retrieve("a"), new TextEncoder().encode("hello"));
    assertEquals((await scene.server.event("loginSucceeded")).username, "alice");
    assertEquals(scene.computed, []);
  });

  Deno.test(`USER asks others for their password, matched by ${by}`, async () => {
    await using scene = await openScene(certificates);
    for (const shown of [BOB, LOOKALIKE, undefined]) {
      await using client = await scene.connect(shown);
      assertEquals((await client.command("USER alice")).text, NEEDED);
      assertEquals((await client.command("PASS wrong")).text, FAILED);
      await client.expect(331, "USER alice");
      await client.expect(230, `PASS ${PASSWORD}`);
    }
    await using alice = await scene.connect(ALICE);
    for (const name of ["bob", "nobody", "anonymous", "Alice", "alice "]) {
      assertEquals((await alice.command(`USER ${name}`)).text, NEEDED, name);
    }
  });
}

Deno.test("PASS after a login by certificate is answered by 230 whatever it says, and after one by password refused", async () => {
  await using scene = await openScene(BY_EMAIL);
  await using client = await scene.connect(ALICE);
  await client.expect(232, "USER alice");
  assertEquals((await client.command("PASS wrong")).text, "230 No password is needed.");
  await client.expect(230, "PASS");
  await client.expect(257, "PWD");
  await client.expect(331, "USER bob");
  await client.expect(230, `PASS ${PASSWORD}`);
  await client.expect(503, `PASS ${PASSWORD}`);
  await client.expect(232, "USER alice");
  await client.expect(230, "REIN");
  await client.expect(503, "PASS");
  assertEquals(scene.server.events.filter(({ event }) => event === "loginFailed"), []);
});

Deno.test("a certificate beside the password: without it, replies and work are those of a wrong password", async () => {
  await using scene = await openScene({ ...BY_EMAIL, login: "withPassword" });
  const heard = async (shown: Issued | undefined, username: string, password: string) => {
    scene.computed.length = 0;
    await using client = await scene.connect(shown);
    const replies = [(await client.command(`USER ${username}`)).text, (await client.command(`PASS ${password}`)).text];
    return { replies, work: [...scene.computed] };
  };
  assertEquals(await heard(ALICE, "alice", PASSWORD), { replies: [NEEDED, "230 Login successful."], work: [10] });
  const unknown = await heard(ALICE, "nobody", PASSWORD);
  assertEquals(unknown, { replies: [NEEDED, FAILED], work: [10] });
  assertEquals(await heard(ALICE, "alice", "wrong"), unknown);
  await heard(ALICE, "alice", PASSWORD); // remembered from here on
  for (const shown of [BOB, LOOKALIKE, undefined]) {
    for (const password of [PASSWORD, "wrong"]) assertEquals(await heard(shown, "alice", password), unknown);
  }
  const reasons = scene.server.events.flatMap((event) => event.event === "loginFailed" ? [event.reason ?? ""] : []);
  assertMatch(reasons[2] ?? "", /^the certificate "CN=bob" \(..:.*\) is not one of the account$/);
  assertMatch(reasons.at(-1) ?? "", /has shown no certificate/);
});

Deno.test("a certificate of an account that has expired looks like a wrong one, and the log says why", async () => {
  await using scene = await openScene(BY_EMAIL, { expires: new Date(Date.now() - 1000) });
  await using client = await scene.connect(ALICE);
  assertEquals((await client.command("USER alice")).text, NEEDED);
  assertEquals((await scene.server.event("loginFailed")).reason, "the account has expired");
  assertEquals((await client.command(`PASS ${PASSWORD}`)).text, FAILED);
});

Deno.test("a login by certificate takes a place of the account, and ends with the ban of its address", async () => {
  await using scene = await openScene(BY_EMAIL, { connections: 1, server: { ban: { failures: 2 } } });
  await using first = await scene.connect(ALICE);
  await first.expect(232, "USER alice");
  await using second = await scene.connect(ALICE);
  assertEquals((await second.command("USER alice")).text, "421 Too many sessions of this user.");
  await using waiting = await scene.connect(ALICE);
  await using guessing = await scene.connect(BOB);
  for (const code of [530, 421]) {
    await guessing.expect(331, "USER alice");
    await guessing.expect(code, "PASS wrong");
  }
  assertEquals((await waiting.command("USER alice")).text, "421 Too many failed logins, try again later.");
});

Deno.test("logins by certificate that do not succeed are no failures of their address", async () => {
  await using scene = await openScene(BY_EMAIL, { server: { ban: { failures: 2 } } });
  await using client = await scene.connect(BOB);
  for (let times = 0; times < 5; times++) await client.expect(331, "USER alice");
  await client.expect(331, "USER bob");
  await client.expect(230, `PASS ${PASSWORD}`);
});

Deno.test("a user that was removed does not log in by certificate any more", async () => {
  await using scene = await openScene(BY_EMAIL);
  scene.accounts.removeUser("alice");
  await using client = await scene.connect(ALICE);
  assertEquals((await client.command("USER alice")).text, NEEDED);
});

Deno.test("{name} in the certificates of a group is the name of each member", async () => {
  const odd = "d, CN=alice";
  const text = `
listen: [{ port: 0 }]
tls: { clientCertificates: { mode: request, ca: ca.crt } }
groups: { staff: { certificates: { login: alone, match: [{ subject: "CN={name}" }] } } }
users:
  - { name: alice, password: "${HASH}", home: /srv, groups: [staff] }
  - { name: bob, password: "${HASH}", home: /srv, groups: [staff] }
  - { name: "${odd}", password: "${HASH}", home: /srv, groups: [staff] }
`;
  const configuration = readConfiguration(text, { file: "ftpsd.yaml", resolve: (path) => path });
  const openHome = () => new MemoryFileSystem();
  const { authorizer } = toServerOptions(configuration, {}, new Date(), { openHome });
  const tls = { clientCertificates: { mode: "request", ca: CA.certificate } } as const;
  await using server = await TestServer.start({ server: { authorizer, tls } });
  const withOddName = await issue("x", { issuer: CA, subject: [{ CN: [odd] }] });
  for (const [shown, owner] of [[ALICE, "alice"], [BOB, "bob"], [withOddName, odd]] as const) {
    await using client = await server.connect({ tlsOptions: { cert: shown.chain, key: shown.key } });
    for (const name of ["alice", "bob", odd]) {
      assertEquals((await client.command(`USER ${name}`)).code, name === owner ? 232 : 331, `${owner} as ${name}`);
    }
  }
});

Deno.test("an account from elsewhere logs in by certificate as one of the file does, and not once its entry is another", async () => {
  const configuration = readConfiguration(
    "accounts: [{ type: postgres, urlFile: db.url }]\nstores:\n  s: { type: s3, endpoint: 'https://s3.example.org', bucket: files, " +
      "accessKeyFile: a, secretKeyFile: b }\n",
    { file: "ftpsd.yaml", resolve: (path) => path },
  );
  const entry = {
    ...{ name: "alice", password: HASH, home: { store: "s", path: "/" } },
    certificates: { login: "alone", match: [{ subject: "CN={name}" }] },
  };
  const problems: string[] = [];
  let enabled: boolean | string = true;
  let certificates: unknown = entry.certificates;
  const { authorizer } = toServerOptions(configuration, {}, new Date(), {
    openHome: () => new MemoryFileSystem(),
    entries: {
      find: (_source, name) => name === "alice" ? { ...entry, certificates, enabled } : undefined,
      login: () => undefined,
    },
    onAccountProblem: (_account, reason) => problems.push(reason),
  });
  const tls = { clientCertificates: { mode: "request", ca: CA.certificate } } as const;
  await using server = await TestServer.start({ server: { authorizer, tls } });
  await using client = await server.connect({ tlsOptions: { cert: ALICE.chain, key: ALICE.key } });
  assertEquals((await client.command("USER alice")).text, AUTHORIZED);
  assertEquals((await client.command("USER nobody")).code, 331);
  certificates = { login: "alone", match: [{ subject: "CN=bob" }] };
  assertEquals((await client.command("USER alice")).text, NEEDED);
  certificates = { login: "alone", match: "CN=alice" };
  assertEquals((await client.command("USER alice")).text, NEEDED);
  certificates = entry.certificates;
  enabled = false;
  assertEquals((await client.command("USER alice")).text, NEEDED);
  assertEquals(problems, []);
});

Deno.test("a certificate that the account has no more once it is opened logs nobody in", async () => {
  const own = new AccountRules({ certificates: new CertificateDemand(BY_EMAIL) });
  const others = new AccountRules({
    certificates: new CertificateDemand({ login: "alone", match: [{ subject: "CN=bob" }] }),
  });
  const account = { password: HASH, home: new MemoryFileSystem() };
  for (const [rules, code] of [[others, 331], [own, 232], [undefined, 232]] as const) {
    const find = () => ({ ...account, rules: own, complete: () => ({ ...account, rules }) });
    const tls = { clientCertificates: { mode: "request", ca: CA.certificate } } as const;
    await using server = await TestServer.start({ server: { authorizer: new PasswordAuthorizer({ find }), tls } });
    await using client = await server.connect({ tlsOptions: { cert: ALICE.chain, key: ALICE.key } });
    assertEquals((await client.command("USER alice")).code, code);
  }
});
