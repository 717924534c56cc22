import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { AcmeClient } from "../../lib/acme/acme_client.ts";
import { AcmeError } from "../../lib/acme/acme_error.ts";
import { AcmeTransport } from "../../lib/acme/acme_transport.ts";
import { ChallengeListener } from "../../lib/acme/challenge_listener.ts";
import { createAccountKey, type ExternalAccount, readAccountKey } from "../../lib/acme/jws.ts";
import { obtainCertificate, type ObtainedCertificate, type PendingOrder } from "../../lib/acme/obtain_certificate.ts";
import { readPair } from "../../lib/transport/certificate_pair.ts";
import { IS_PEBBLE_ABSENT, Pebble } from "../helpers/acme/pebble.ts";

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_PEBBLE_ABSENT, fn: run });
}

interface TryOptions {
  readonly names?: readonly string[];
  readonly external?: ExternalAccount;
  readonly pending?: PendingOrder;
  readonly accountKey?: string;
  readonly answerWith?: (text: string) => string;
  readonly kept?: (PendingOrder | undefined)[];
  readonly progress?: string[];
  readonly signal?: AbortSignal;
}

/** Makes an account and an order, with a listener where the CA asks. */
async function obtain(pebble: Pebble, options: TryOptions = {}): Promise<ObtainedCertificate> {
  const { names = ["ftp.example.org"], external, pending, answerWith = (text) => text } = options;
  const { kept = [], progress = [], signal = AbortSignal.timeout(30_000) } = options;
  using transport = new AcmeTransport({ ca: pebble.ca });
  const key = await readAccountKey(options.accountKey ?? await createAccountKey());
  const client = new AcmeClient(transport, pebble.directory, { key });
  await using listener = new ChallengeListener(pebble.http);
  await client.register({ email: "admin@example.org", external }, signal);
  return await obtainCertificate(client, {
    names,
    answers: {
      use: (answers) => listener.use(new Map([...answers].map(([token, text]) => [token, answerWith(text)]))),
    },
    signal,
    pending,
    keep: (order) => Promise.resolve(void kept.push(order)),
    onProgress: (text) => progress.push(text),
  });
}

test("obtainCertificate() gets one certificate for several names, of a key of ECDSA", async () => {
  await using pebble = await Pebble.start();
  const names = ["ftp.example.org", "files.example.org", "ftp.example.com"];
  const progress: string[] = [];
  const pair = await obtain(pebble, { names, progress });
  const { chain } = readPair(pair);
  assertEquals(chain[0].subjectAltName?.split(", ").toSorted(), names.toSorted().map((name) => `DNS:${name}`));
  assertEquals(chain[0].publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  assert(chain.length > 1);
  assert(chain.at(-1)?.checkIssued(new X509Certificate(await pebble.root())));
  assertEquals(pebble.issued, 1);
  assertEquals(progress.length, 3);
});

test("obtainCertificate() bears a CA that refuses each second nonce", async () => {
  await using pebble = await Pebble.start({ refusedNonces: 50 });
  const { certificate } = await obtain(pebble);
  assertMatch(certificate, /^-----BEGIN CERTIFICATE-----/);
});

test("obtainCertificate() says that something else answers on port 80", async () => {
  await using pebble = await Pebble.start();
  const kept: (PendingOrder | undefined)[] = [];
  const error = await assertRejects(() => obtain(pebble, { answerWith: () => "another", kept }), AcmeError);
  assertEquals([error.kind, error.type], ["refusedValidation", "unauthorized"]);
  assertMatch(error.message, /^ftp\.example\.org: what answers on port 80 is not this server: /);
  assertMatch(error.hint, /forward \/\.well-known\/acme-challenge\//);
  assertEquals(kept.at(-1), undefined); // nothing to go on with
  assertEquals(pebble.issued, 0);
});

test("obtainCertificate() says that nobody answers on port 80", async () => {
  await using pebble = await Pebble.start();
  await pebble.names("set-default-ipv4", { ip: `${pebble.http.host}1` }); // where nobody listens
  const error = await assertRejects(() => obtain(pebble), AcmeError);
  assertEquals([error.kind, error.type], ["refusedValidation", "connection"]);
  assertMatch(error.message, /the CA could not reach this server on port 80/);
});

test("obtainCertificate() says that a name has no address", async () => {
  await using pebble = await Pebble.start();
  await pebble.names("set-default-ipv4", { ip: "" });
  const error = await assertRejects(() => obtain(pebble), AcmeError);
  assertEquals(error.kind, "refusedValidation");
  assertMatch(error.hint, /A or AAAA record|port 80/);
});

test("obtainCertificate() says that the CA gives no certificate for a name", async () => {
  await using pebble = await Pebble.start({ refusedNames: ["blocked.example.org"] });
  const names = ["ftp.example.org", "blocked.example.org"];
  const error = await assertRejects(() => obtain(pebble, { names }), AcmeError);
  assertEquals([error.kind, error.type], ["refusedOrder", "rejectedIdentifier"]);
});

test("obtainCertificate() binds an external account where the CA wants one", async () => {
  const key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
  await using pebble = await Pebble.start({ externalAccounts: { "kid-1": key } });
  const { certificate } = await obtain(pebble, { external: { keyId: "kid-1", key } });
  assertMatch(certificate, /^-----BEGIN CERTIFICATE-----/);
  const without = await assertRejects(() => obtain(pebble), AcmeError);
  assertEquals([without.kind, without.type], ["refusedAccount", "externalAccountRequired"]);
  assertMatch(without.hint, /tls\.acme\.externalAccount/);
  await assertRejects(() => obtain(pebble, { external: { keyId: "kid-2", key } }), AcmeError);
});

test("obtainCertificate() goes on with an order that was cut off, and makes no second certificate", async () => {
  await using pebble = await Pebble.start();
  const kept: (PendingOrder | undefined)[] = [];
  const progress: string[] = [];
  const accountKey = await createAccountKey();
  const cut = new AbortController();
  // The signal comes between the order and its proofs.
  const cutting = {
    push: (text: string) => {
      if (/on port 80/.test(text)) cut.abort(new Error("killed"));
      return 0;
    },
  } as unknown as string[];
  await assertRejects(
    () => obtain(pebble, { accountKey, kept, progress: cutting, signal: cut.signal }),
    Error,
    "killed",
  );
  const [pending] = kept;
  assert(pending !== undefined);
  const { certificate, key } = await obtain(pebble, { accountKey, pending, progress, kept });
  assertMatch(progress[0] ?? "", /^going on with the order/);
  assertEquals(key, pending.key);
  assertEquals(pebble.issued, 1);
  // Whoever is killed behind the last step finds the same certificate, and not another one.
  const again = await obtain(pebble, { accountKey, pending });
  assertEquals(again.certificate, certificate);
  assertEquals(pebble.issued, 1);
});

test("obtainCertificate() says that the CA is away", async () => {
  await using pebble = await Pebble.start();
  await pebble.stop();
  const error = await assertRejects(() => obtain(pebble), AcmeError);
  assertEquals(error.kind, "unreachable");
});

test("obtainCertificate() trusts no CA whose certificate it does not know", async () => {
  await using pebble = await Pebble.start();
  const stranger = { ...pebble, ca: undefined, directory: pebble.directory, http: pebble.http } as unknown as Pebble;
  const error = await assertRejects(() => obtain(stranger), AcmeError);
  assertEquals(error.kind, "unreachable");
  assertMatch(error.message, /certificate/i);
});

Deno.test("obtainCertificate() asks a CA again after a moment, also where that wants to be asked at once", async () => {
  const waits: (number | undefined)[] = [];
  let looks = 0;
  const order = { url: "o", authorizations: [], finalize: "f", certificate: "c", error: undefined, retryAfterMs: 0 };
  const client = {
    order: () => Promise.resolve({ ...order, status: "processing" }),
    lookUp: () => Promise.resolve({ ...order, status: ++looks < 5 ? "processing" : "valid" }),
    certificate: () => Promise.resolve("chain"),
  };
  await obtainCertificate(client as unknown as AcmeClient, {
    names: ["ftp.example.org"],
    answers: { use: () => Promise.resolve() },
    signal: new AbortController().signal,
    keep: () => Promise.resolve(),
    onProgress: () => {},
    wait: (ms) => Promise.resolve(void waits.push(ms)),
  });
  assertEquals(waits, [250, 250, 250, 250, 250]);
});
