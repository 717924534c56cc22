import { assertEquals } from "@std/assert";
import { inspectStores } from "../../lib/check/store_findings.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/** What is found about a store with the given files. */
async function inspect(
  files: Readonly<Record<string, string>>,
  { endpoint = "https://s3.example.org", more = "", mode = 0o600 } = {},
): Promise<{ findings: string[]; authorities: Readonly<Record<string, string>> }> {
  await using folder = await TemporaryFolder.create();
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder.path}/${name}`, text, { mode });
  const store = `{ type: s3, endpoint: "${endpoint}", bucket: files, accessKeyFile: id, secretKeyFile: secret${more} }`;
  const text = `stores:\n  s: ${store}\nanonymous: { home: { store: s, path: / } }\n`;
  const resolve = (path: string) => `${folder.path}/${path}`;
  const { findings, storeAuthorities } = await inspectStores(readConfiguration(text, { file: "f.yaml", resolve }));
  const lines = findings.map(({ severity, risk, path, message }) =>
    `${risk ?? severity} ${path.join(".")}: ${message.replaceAll(folder.path, "DIR")}`
  );
  return { findings: lines, authorities: storeAuthorities };
}

Deno.test("inspectStores() finds nothing wrong with keys that only the server reads", async () => {
  const { findings, authorities } = await inspect({ id: "AKIA\n", secret: "word\n", "ca.pem": CERTIFICATE }, {
    more: ", ca: ca.pem",
  });
  assertEquals(findings, []);
  assertEquals(authorities, { s: CERTIFICATE });
});

Deno.test("inspectStores() finds keys that are missing, or none", async () => {
  const { findings } = await inspect({ id: "two words", "ca.pem": "nothing" }, { more: ", ca: ca.pem" });
  assertEquals(findings, [
    "error stores.s.accessKeyFile: DIR/id has to hold one word, and nothing else",
    "error stores.s.secretKeyFile: no such file: DIR/secret",
    "error stores.s.ca: DIR/ca.pem holds no certificate in PEM",
  ]);
});

Deno.test({
  name: "inspectStores() finds secrets that others can read",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const files = { id: "AKIA", secret: "word", token: "word" };
    const { findings } = await inspect(files, { mode: 0o644, more: ", sessionTokenFile: token" });
    const told = (key: string, file: string) =>
      `key-readable-by-others stores.s.${key}: DIR/${file} has mode 0644, which lets others on this host read it; use chmod 600`;
    assertEquals(findings, [told("secretKeyFile", "secret"), told("sessionTokenFile", "token")]);
  },
});

Deno.test("inspectStores() finds stores that are spoken to in clear, also on this host", async () => {
  const { findings } = await inspect({ id: "AKIA", secret: "word" }, { endpoint: "http://127.0.0.1:9000" });
  assertEquals(findings, [
    "clear-text-store stores.s.endpoint: files cross the network to an object store in clear. " +
    "Use an endpoint with https:, with stores.*.ca for a CA of your own.",
  ]);
});
