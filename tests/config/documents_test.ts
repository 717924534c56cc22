import { assert, assertEquals, assertGreater } from "@std/assert";
import * as v from "valibot";
import { CONFIGURATION_SCHEMA } from "../../lib/config/schema.ts";
import { structureOf } from "../../lib/config/unknown_keys.ts";
import type { FormMetadata } from "../../lib/config/value_forms.ts";
import { resolveSettings } from "../../lib/server/resolve_settings.ts";
import { RISK_IDS, RISKS } from "../../lib/settings/risks.ts";
import { DOCUMENTS } from "../helpers/documents.ts";
import { problemsOf, read, valueAt } from "./configuration_text.ts";

for (const [path, { url, make }] of DOCUMENTS) {
  Deno.test(`${path} is current; "deno task docs" writes it anew`, async () => {
    assertEquals(await Deno.readTextFile(url), await make());
  });
}

/** Every key that may be left out, in a list without its index, and what is said to hold then. */
function* defaultsOf(schema: v.GenericSchema, path = ""): Generator<readonly [path: string, value: unknown]> {
  const { entries, item } = structureOf(schema);
  if (item !== undefined) return yield* defaultsOf(item, path);
  for (const [name, form] of Object.entries(entries ?? {})) {
    const at = path === "" ? name : `${path}.${name}`;
    if ("wrapped" in form) {
      const metadata: FormMetadata = v.getMetadata(form.wrapped as v.SchemaWithPipe<readonly [v.GenericSchema]>);
      if (metadata.default !== undefined) yield [at, metadata.default];
    }
    yield* defaultsOf(form, at);
  }
}

Deno.test("CONFIGURATION_SCHEMA tells the defaults that hold", () => {
  const configuration = read("anonymous: { home: pub }\nusers: [{ name: alice, password: x, home: /srv }]\n");
  const settings = resolveSettings({ ...configuration.server, authorizer: { authenticate: () => Promise.reject() } });
  const actual = (path: string) => {
    const milliseconds = valueAt(settings, `${path}Ms`);
    if (typeof milliseconds === "number") return milliseconds / 1000;
    return valueAt(settings, path) ?? valueAt(configuration, path.replace(/^users/, "$&[0]"));
  };
  const told = [...defaultsOf(CONFIGURATION_SCHEMA)];
  const known = told.filter(([path]) => actual(path) !== undefined);
  assertEquals(known.map(([path]) => [path, actual(path)]), known.map(([path, value]) => [path, value]));
  assertGreater(known.length, 20);
});

Deno.test("CONFIGURATION_SCHEMA takes the defaults that it tells", () => {
  for (const [path, value] of defaultsOf(CONFIGURATION_SCHEMA)) {
    if (path.startsWith("users") || path.startsWith("anonymous") || path.startsWith("listen.")) continue;
    const whole = path.split(".").reduceRight<unknown>((part, key) => ({ [key]: part }), value);
    assertEquals(problemsOf(JSON.stringify({ anonymous: { home: "pub" }, ...whole as object })), [], path);
  }
});

Deno.test("RISKS says of each risk in whole sentences what can happen and what to do", () => {
  assertEquals(Object.keys(RISKS), [...RISK_IDS]);
  for (const [id, { title, danger, instead }] of Object.entries(RISKS)) {
    assert(/^[a-z]+(?:-[a-z]+)+$/.test(id), id);
    // The title goes on in a sentence: "Cannot use …: anybody may write (risk anonymous-write)".
    assert(!title.endsWith("."), id);
    for (const text of [danger, instead]) assert(/^\p{L}.*[.]$/u.test(text) && !text.includes("  "), `${id}: ${text}`);
  }
});
