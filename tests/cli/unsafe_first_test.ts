import { assertEquals, assertStringIncludes } from "@std/assert";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { HASH, Installation, USER } from "./installation.ts";
import { readFlags, runMain } from "./spawned_server.ts";

const WRITER = `${USER}    permissions: elrw\n`;

/** Starts that lack the permission to write, each with the status and what is said. */
const STARTS: readonly {
  readonly what: string;
  readonly file?: string;
  readonly args?: readonly string[];
  readonly code: 1 | 2;
  readonly error: string;
  readonly prepare?: (installation: Installation) => Promise<void>;
}[] = [
  { what: "writing by anybody, by the command line", args: ["-w"], code: 2, error: "(risk anonymous-write)" },
  {
    what: "writing by anybody, by the file",
    file: "anonymous: { home: home, permissions: elrw }\n",
    code: 2,
    error: "(risk anonymous-write)",
  },
  {
    what: "an acceptance that has ended",
    file: `${
      WRITER.replace(HASH, "secret")
    }acceptRisks: [{ risk: plaintext-password, reason: a test, until: 2020-01-31 }]\n`,
    code: 2,
    error: "its acceptance ended on 2020-01-31",
  },
  { what: "TLS that is off", file: `tls: { policy: "off" }\n${WRITER}`, code: 2, error: "(risk clear-text-control)" },
  {
    what: "a key that others may read",
    file: `tls: { certificate: server.crt, key: server.key }\n${WRITER}`,
    code: 2,
    error: "(risk key-readable-by-others)",
    prepare: async (installation) =>
      await installation.install(await createEphemeralCertificate({ names: ["127.0.0.1"] }), 0o644),
  },
  {
    what: "a home that others may write in",
    file: WRITER,
    code: 2,
    error: "(risk home-writable-by-others)",
    prepare: ({ home }) => Deno.chmod(home, 0o777),
  },
  { what: "a ban that never ends", file: `ban: { duration: 0 }\n${WRITER}`, code: 2, error: "ban.duration: 0 is not" },
  {
    what: "a home that is not there",
    file: WRITER.replace("home: home", "home: none"),
    code: 2,
    error: "none does not exist",
  },
  { what: "nothing else", file: WRITER, code: 1, error: "Deno does not permit what this needs (--allow-write=" },
];

for (const { what, file, args = [], code, error, prepare } of STARTS) {
  Deno.test(`run() without a permission tells of ${what}: status ${code}`, async () => {
    await using installation = await Installation.create(file ?? "");
    await prepare?.(installation);
    const words = file === undefined ? [installation.home, ...args] : ["--config", installation.file, ...args];
    const ended = await runMain({ flags: readFlags(installation.path), args: ["--port", "0", ...words] });
    assertEquals(ended.code, code, ended.stderr);
    assertStringIncludes(ended.stderr, error);
    // Permissions are what is told where nothing else is wrong.
    assertEquals(ended.stderr.includes("does not permit"), code === 1, ended.stderr);
  });
}
