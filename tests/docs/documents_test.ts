import { assert, assertEquals } from "@std/assert";
import * as v from "valibot";
import { CONFIGURATION } from "../../lib/settings/table.ts";
import { structureOf } from "../../lib/settings/unknown_keys.ts";
import { RISK_IDS, RISKS } from "../../lib/settings/risks.ts";
import { DOCUMENTS } from "../helpers/documents.ts";
import { problemsOf } from "../settings/configuration_text.ts";

for (const [path, { url, make }] of DOCUMENTS) {
  Deno.test(`${path} is current; "deno task docs" writes it anew`, async () => {
    assertEquals(await Deno.readTextFile(url), await make());
  });
}

/** Every setting that may be left out, in a list without its index, and what is said to hold then. */
function* defaultsOf(schema: v.GenericSchema, path = ""): Generator<readonly [path: string, value: unknown]> {
  const { entries, item } = structureOf(schema);
  if (item !== undefined) return yield* defaultsOf(item, path);
  for (const [name, form] of Object.entries(entries ?? {})) {
    const at = path === "" ? name : `${path}.${name}`;
    const fallback: unknown = v.getDefault(form);
    if (fallback !== undefined) yield [at, fallback];
    yield* defaultsOf(form, at);
  }
}

Deno.test("CONFIGURATION takes the defaults that it tells", () => {
  for (const [path, value] of defaultsOf(CONFIGURATION)) {
    if (path.startsWith("users") || path.startsWith("anonymous") || path.startsWith("listen.")) continue;
    const whole = path.split(".").reduceRight<unknown>((part, key) => ({ [key]: part }), value);
    const { admin, hooks, tls, ...others } = whole as {
      readonly admin?: object;
      readonly hooks?: object;
      readonly tls?: { readonly acme?: object };
    };
    const acme = tls?.acme && { domains: ["ftp.example.org"], storage: "acme", ...tls.acme };
    const given = {
      anonymous: { home: "pub" },
      ...others,
      ...tls && { tls: { ...tls, ...acme && { acme } } },
      ...admin && { admin: { tokenFile: "token", ...admin } },
      ...hooks && { hooks: withRequired(hooks) },
    };
    assertEquals(problemsOf(JSON.stringify(given)), [], path);
  }
});

/** Hooks with what each must have, and a queue. */
function withRequired(hooks: object): object {
  const hook = { url: "https://example.org", tokenFile: "token" };
  const given = Object.entries(hooks)
    .map(([name, value]) => [name, typeof value === "object" ? { ...hook, ...value } : value]);
  return { queue: "hooks.db", banned: hook, ...Object.fromEntries(given) };
}

Deno.test("RISKS says of each risk in whole sentences what can happen and what to do", () => {
  assertEquals(Object.keys(RISKS), [...RISK_IDS]);
  for (const [id, { title, danger, instead }] of Object.entries(RISKS)) {
    assert(/^[a-z]+(?:-[a-z]+)+$/.test(id), id);
    // The title goes on in a sentence: "Cannot use …: anybody may write (risk anonymous-write)".
    assert(!title.endsWith("."), id);
    for (const text of [danger, instead]) assert(/^\p{L}.*[.]$/u.test(text) && !text.includes("  "), `${id}: ${text}`);
  }
});
