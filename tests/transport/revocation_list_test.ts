import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readIdentity } from "../../lib/protocol/certificate_identity.ts";
import { RevocationLists, revocationListsAsPem } from "../../lib/transport/revocation_list.ts";
import { programTest } from "../helpers/client_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { issue, type Issued, revoke, toPemList } from "./client_pki.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW = new Date();
const CA = await issue("CA", { isAuthority: true });
const OTHER_CA = await issue("other CA", { isAuthority: true });
const ALICE = await issue("alice", { issuer: CA });
const BOB = await issue("bob", { issuer: CA });
const MALLORY = await issue("mallory", { issuer: OTHER_CA });
const LIST = toPemList(await revoke(CA, [ALICE]));

function identityOf({ certificate }: Issued) {
  return readIdentity(new X509Certificate(certificate).raw);
}

Deno.test("RevocationLists tells the revoked from the others, and refuses whose CA has no list", () => {
  const lists = new RevocationLists(LIST, CA.certificate);
  assertEquals(lists.findReason(identityOf(ALICE), NOW), "it was revoked");
  assertEquals(lists.findReason(identityOf(BOB), NOW), undefined);
  assertMatch(lists.findReason(identityOf(MALLORY), NOW) ?? "", /no revocation list/);
  assertEquals(lists.info.map(({ issuer, count }) => ({ issuer, count })), [{ issuer: "CN=CA", count: 1 }]);
});

Deno.test("RevocationLists refuses everybody of a CA whose list is overdue", async () => {
  const nextUpdate = new Date(NOW.getTime() - 1000);
  const lists = new RevocationLists(toPemList(await revoke(CA, [ALICE], { nextUpdate })), CA.certificate);
  assertEquals(lists.findReason(identityOf(ALICE), NOW), "it was revoked");
  assertMatch(lists.findReason(identityOf(BOB), NOW) ?? "", /should have been renewed by \d{4}-/);
  assertEquals([ALICE, BOB].map((it) => lists.findRevoked(identityOf(it))), ["it was revoked", undefined]);
});

Deno.test("RevocationLists uses the list of each CA, and of two of one CA the later one", async () => {
  const earlier = await revoke(CA, [BOB], { thisUpdate: new Date(NOW.getTime() - 2 * DAY_MS) });
  const text = LIST + toPemList(earlier) + toPemList(await revoke(OTHER_CA, [MALLORY]));
  const lists = new RevocationLists(text, CA.certificate + "\n" + OTHER_CA.certificate);
  assertEquals([ALICE, BOB, MALLORY].map((it) => lists.findRevoked(identityOf(it)) !== undefined), [true, false, true]);
});

Deno.test("RevocationLists refuses texts without a list, and damaged ones", () => {
  const [begin = "", first = ""] = LIST.split("\n");
  const damaged = LIST.replace(first, first.replaceAll("M", "N"));
  for (const text of ["", CA.certificate, begin, LIST.slice(0, 300), damaged]) {
    assertThrows(() => new RevocationLists(text, CA.certificate), TypeError);
  }
});

Deno.test("RevocationLists refuses lists of others than the CAs", async () => {
  const unsigned = /was not signed by one of ca$/;
  const message = (pem: string) => assertThrows(() => new RevocationLists(pem, CA.certificate), TypeError).message;
  assertMatch(message(toPemList(await revoke(OTHER_CA, []))), unsigned);
  assertMatch(message(toPemList(await revoke(CA, [], { signer: OTHER_CA }))), unsigned);
  const changed = await revoke(CA, [ALICE]);
  const at = changed.length - 300; // within what is signed
  assertThrows(
    () => new RevocationLists(toPemList(changed.with(at, (changed[at] ?? 0) ^ 1)), CA.certificate),
    TypeError,
  );
  const signature = changed.length - 1;
  assertMatch(message(toPemList(changed.with(signature, (changed[signature] ?? 0) ^ 1))), unsigned);
});

Deno.test("RevocationLists refuses kinds of lists that it does not know, and not what is not critical", async () => {
  const partial = async (kind: "critical" | "other") => {
    const isCritical = kind === "critical";
    const extension = new x509.Extension("2.5.29.28", isCritical, new Uint8Array([0x30, 0]));
    return toPemList(await revoke(CA, [], { extensions: [extension] }));
  };
  const critical = await partial("critical");
  assertMatch(
    assertThrows(() => new RevocationLists(critical, CA.certificate), TypeError).message,
    /of a kind that is not known \(2\.5\.29\.28\)/,
  );
  assertEquals(new RevocationLists(await partial("other"), CA.certificate).info.length, 1);
});

Deno.test("revocationListsAsPem() turns DER into PEM, and leaves all else", async () => {
  const pem = revocationListsAsPem(await revoke(CA, [ALICE]));
  assertEquals(new RevocationLists(pem, CA.certificate).findRevoked(identityOf(ALICE)), "it was revoked");
  for (const text of [LIST, "", "0 is no list", "0\u0080"]) {
    assertEquals(revocationListsAsPem(new TextEncoder().encode(text)), text);
  }
});

Deno.test(programTest({
  program: "openssl",
  name: "RevocationLists takes lists of openssl with each kind of key",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    for (
      const [key, digest] of [
        [["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "sha256"],
        [["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "sha384"],
        [["ed25519"], "sha256"],
        [["rsa:2048"], "sha512"],
      ] as const
    ) {
      const { ca, pem } = await makeByOpenssl(folder.path, key, digest);
      assertEquals(new RevocationLists(pem, ca).info[0]?.issuer, "C=DE, CN=CA");
    }
  },
}));

async function makeByOpenssl(
  folder: string,
  key: readonly string[],
  digest: string,
): Promise<{ readonly ca: string; readonly pem: string }> {
  const run = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command("openssl", {
      args,
      cwd: folder,
      stdout: "null",
      stderr: "piped",
    })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  await run(
    "req",
    "-x509",
    "-newkey",
    ...key,
    "-nodes",
    "-keyout",
    "k",
    "-out",
    "c",
    "-subj",
    "/C=DE/CN=CA",
    "-days",
    "3",
  );
  await Deno.writeTextFile(`${folder}/cnf`, "[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_crl_days=7\n");
  await Deno.writeTextFile(`${folder}/index`, "");
  await run("ca", "-config", "cnf", "-md", digest, "-keyfile", "k", "-cert", "c", "-gencrl", "-out", "l");
  return { ca: await Deno.readTextFile(`${folder}/c`), pem: await Deno.readTextFile(`${folder}/l`) };
}
