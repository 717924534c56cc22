import { assertEquals, assertThrows } from "@std/assert";
import { inspectStateDatabase } from "../../lib/check/state_database.ts";
import { findPermissionNeeds } from "../../lib/check/permissions.ts";
import { resolveConfiguration } from "../../lib/settings/validate.ts";
import { ConfigurationError } from "../../lib/settings/finding.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const CA = "-----BEGIN CERTIFICATE-----\n";

/** What is found about files with these texts. */
async function inspect(
  url: string,
  options: { readonly mode?: number; readonly ca?: string; readonly direct?: string } = {},
) {
  await using folder = await TemporaryFolder.create();
  const file = async (name: string, text: string, mode = 0o600) => {
    await Deno.writeTextFile(`${folder.path}/${name}`, text);
    if (Deno.build.os !== "windows") await Deno.chmod(`${folder.path}/${name}`, mode);
    return `${folder.path}/${name}`;
  };
  const { mode, ca, direct } = options;
  const state = {
    ...{ type: "postgres", urlFile: await file("url", url, mode) },
    ...ca && { ca: await file("ca", ca) },
    ...direct && { directUrlFile: await file("direct", direct) },
  };
  const configuration = resolveConfiguration({
    anonymous: { home: "/srv" },
    listen: [{ host: "127.0.0.1", port: 2121 }],
    passive: { ports: "6000-6000" },
    state,
  });
  const { findings, database } = await inspectStateDatabase(configuration);
  const { net } = findPermissionNeeds(configuration, undefined, undefined, { ...database && { database } });
  const found = findings.map(({ severity, risk, path, message }) =>
    `${risk ?? severity} ${path.join(".")}: ${message.replaceAll(folder.path, "")}`
  );
  return { found, net: net.slice(2), authorities: database?.authorities };
}

Deno.test("inspectStateDatabase() finds nothing against a database with TLS, and names what Deno has to permit", async () => {
  assertEquals(await inspect("postgres://u:p@db.example.org/d", { ca: CA, direct: "postgres://u:p@[::1]:6432/d" }), {
    ...{ found: [], net: ["db.example.org:5432", "[::1]:6432"], authorities: [CA] },
  });
});

Deno.test("inspectStateDatabase() finds clear text, on the loopback interface, too, and a file that others can read", async () => {
  const { found } = await inspect("postgres://u:p@127.0.0.1/d?sslmode=disable", { mode: 0o644 });
  assertEquals(found.map((text) => text.split(" ")[0]), [
    "clear-text-state",
    ...Deno.build.os === "windows" ? [] : ["key-readable-by-others"],
  ]);
});

Deno.test("inspectStateDatabase() finds a URL and an authority that cannot be used, and says no password", async () => {
  assertEquals((await inspect("postgres://u:secret@db/d?sslmode=prefer")).found, [
    "error state.urlFile: /url: Cannot use the URL of the database: sslmode has to be verify-full or disable",
  ]);
  assertEquals((await inspect("postgres://u:p@db/d", { ca: "nothing" })).found, [
    "error state.ca: /ca holds no certificate in PEM",
  ]);
});

Deno.test("resolveConfiguration() refuses a database without its URL, and a URL without a database", () => {
  for (
    const [state, where] of [[{ type: "postgres" }, "state.urlFile"], [{ urlFile: "/url" }, "state.urlFile"], [{
      type: "sqlite",
      file: "/f",
      ca: "/ca",
    }, "state.ca"]] as const
  ) {
    const error = assertThrows(() => resolveConfiguration({ anonymous: { home: "/srv" }, state }), ConfigurationError);
    assertEquals(error.findings.map(({ path }) => path.join(".")), [where]);
  }
});
