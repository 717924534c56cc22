import { assert, assertEquals, assertExists, assertGreater } from "@std/assert";
import { parse } from "@std/yaml";
import { Ajv } from "ajv";
import { VirtualAccounts } from "../../lib/accounts/virtual_accounts.ts";
import { findNetworkWarnings } from "../../lib/check/network_findings.ts";
import { acceptedRisks } from "../../lib/server/configured_options.ts";
import { findLine, type PositionNode, readPositions } from "../../lib/settings/yaml_position.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { findSettingRisks } from "../../lib/settings/setting_risks.ts";
import { fileWith, problemsOf, read } from "../settings/configuration_text.ts";

const FOLDER = new URL("../../docs/examples/", import.meta.url);
const EXAMPLES = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
const SCHEMA = JSON.parse(Deno.readTextFileSync(new URL("../ftpsd.schema.json", FOLDER)));
const isValid = new Ajv({ strict: true }).compile(SCHEMA);

function textOf(example: string): Promise<string> {
  return Deno.readTextFile(new URL(example, FOLDER));
}

Deno.test("docs/examples holds the examples", () => {
  assertEquals(EXAMPLES, [
    "acme.yaml",
    "behind-nat.yaml",
    "client-certificates.yaml",
    "explicit-and-implicit.yaml",
    "minimal.yaml",
    "one-old-device.yaml",
    "public-mirror.yaml",
    "scanner-drop-box.yaml",
  ]);
});

for (const example of EXAMPLES) {
  Deno.test(`docs/examples/${example} is sound, accepts its risks, and has nothing doubtful`, async () => {
    const configuration = read(await textOf(example));
    const accepted = acceptedRisks(configuration.acceptRisks, new Date());
    assertEquals(findSettingRisks(configuration).filter(({ risk }) => !accepted.includes(risk)), []);
    assertEquals(findNetworkWarnings(configuration), []);
  });

  Deno.test(`docs/examples/${example} fits the JSON Schema that it names`, async () => {
    const text = await textOf(example);
    assert(text.startsWith("# yaml-language-server: $schema=../ftpsd.schema.json\n"));
    isValid(parse(text, { schema: "core" }));
    assertEquals(isValid.errors, null);
  });

  Deno.test(`findLine() finds every value of docs/examples/${example}`, async () => {
    const text = await textOf(example);
    assertSameKeys(parse(text, { schema: "core" }), readPositions(text));
  });
}

function assertSameKeys(value: unknown, node: PositionNode | undefined): void {
  assertExists(node);
  if (typeof value !== "object" || value === null) return;
  const isList = Array.isArray(value);
  assertEquals([...node.parts.keys()].map(String), Object.keys(value));
  for (const [key, part] of Object.entries(value)) {
    assertSameKeys(part, node.parts.get(isList ? Number(key) : key));
  }
}

Deno.test("docs/examples has hashes of the default cost for the passwords that it names", async () => {
  const pairs = new Map<string, string>();
  for (const example of EXAMPLES) {
    for (const [, password, hash] of (await textOf(example)).matchAll(/# Hash of "(.*?)".*\n *password: (.*)\n/g)) {
      pairs.set(hash as string, password as string);
    }
    const users = read(await textOf(example)).users.map(({ password }) => password);
    assertEquals(users.filter((hash) => !pairs.has(hash)), []);
  }
  assertGreater(pairs.size, 1);
  const accounts = new VirtualAccounts({ openHome: () => new MemoryFileSystem() });
  const { signal } = new AbortController();
  for (const [hash, password] of pairs) {
    assert(hash.startsWith("$scrypt$ln=17,r=8,p=1$"), hash);
    accounts.addUser(password, hash, "/srv");
    assertExists(
      await accounts.authenticate({ username: password, password, remoteHost: "::1" }, { signal }),
      password,
    );
  }
});

Deno.test("the JSON Schema refuses what the server refuses, as far as it has words for it", () => {
  const refused: readonly (readonly [key: string, value: string])[] = [
    ["tsl", "{}"],
    ["tls", "[]"],
    ["tls.polic", "off"],
    ["tls.policy", "strict"],
    ["listen", "[]"],
    ["listen[0].port", "65536"],
    ["timeouts.idle", "-1"],
    ["passive.ports", "50000"],
    ["transfer.bandwidth.upload", "10MB"],
    ["users[0].permissions", "elx"],
    ["users[0].overrides[0].path", "in"],
    ["users", "[{ name: alice, home: /srv }]"],
    ["acceptRisks[0].risk", "everything"],
    ["acceptRisks[0].until", "tomorrow"],
    ["anonymous.forceWrite", "'true'"],
  ];
  for (const [key, value] of refused) {
    const { text, line } = fileWith(key, value);
    assert(!isValid(parse(text, { schema: "core" })), text);
    assert(problemsOf(text).every((problem) => problem.startsWith(`ftpsd.yaml:${line}: `)), text);
    assertGreater(problemsOf(text).length, 0, text);
  }
});

Deno.test("findLine() finds every line of a block of an example", async () => {
  const text = await textOf("public-mirror.yaml");
  const line = findLine(readPositions(text), ["anonymous", "messages", "login"]) ?? 0;
  assertEquals(text.split("\n")[line - 1]?.trim(), "login: |");
});
