import { assertEquals, assertMatch } from "@std/assert";
import { examineCertificate } from "../../lib/check/certificate_findings.ts";
import { formatFinding } from "../../lib/settings/finding.ts";
import { type CertificateContents, readCertificateFiles } from "../../lib/check/host_files.ts";
import { CertificateWatcher, type RenewedCertificate } from "../../lib/serve/certificate_watcher.ts";
import type { CertificatePair } from "../../lib/transport/certificate_pair.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const NEVER_MS = 1_000_000;
const [FIRST, SECOND, THIRD, EXPIRED] = await Promise.all([
  createEphemeralCertificate({ names: ["first.example"] }),
  createEphemeralCertificate({ names: ["second.example"] }),
  createEphemeralCertificate({ names: ["third.example"] }),
  createEphemeralCertificate({ names: ["expired.example"], now: new Date(0) }),
]);

/** A folder with the first pair, watched, and what the watcher has told. */
interface Watched {
  readonly folder: TemporaryFolder;
  readonly watcher: CertificateWatcher;
  readonly changes: RenewedCertificate[];
  readonly problems: string[];
}

async function withWatched(
  run: (watched: Watched) => Promise<void>,
  options: { readonly intervalMs?: number; readonly onChange?: () => void } = {},
): Promise<void> {
  await using folder = await TemporaryFolder.create();
  await write(folder, FIRST);
  const files = filesIn(folder);
  const current: CertificateContents = await readCertificateFiles(files);
  const changes: RenewedCertificate[] = [];
  const problems: string[] = [];
  await using watcher = new CertificateWatcher(files, {
    current,
    judge: async (contents) => {
      const examined = await examineCertificate(contents, { now: new Date(), listenHosts: ["192.0.2.1"] });
      const obstacles = examined.findings.filter(({ severity }) => severity !== "warning").map(formatFinding);
      return { examined, obstacles };
    },
    intervalMs: options.intervalMs ?? NEVER_MS,
    onChange: (renewed) => {
      changes.push(renewed);
      options.onChange?.();
    },
    onProblem: (reason) => problems.push(reason),
  });
  await run({ folder, watcher, changes, problems });
}

function filesIn({ path }: TemporaryFolder): { readonly certificate: string; readonly key: string } {
  return { certificate: `${path}/server.crt`, key: `${path}/server.key` };
}

async function write(folder: TemporaryFolder, pair: Partial<CertificatePair>): Promise<void> {
  const files = filesIn(folder);
  if (pair.certificate !== undefined) await Deno.writeTextFile(files.certificate, pair.certificate);
  if (pair.key !== undefined) await Deno.writeTextFile(files.key, pair.key, { mode: 0o600 });
}

Deno.test("CertificateWatcher tells of a new pair once, when it was seen twice", () =>
  withWatched(async ({ folder, watcher, changes, problems }) => {
    await watcher.look();
    await watcher.look();
    await write(folder, SECOND);
    await watcher.look();
    assertEquals(changes.length, 0);
    await watcher.look();
    await watcher.look();
    assertEquals([changes.length, problems], [1, []]);
    assertEquals(changes[0]?.certificate, SECOND.certificate);
    assertEquals(changes[0]?.examined.info?.names, ["second.example"]);
    assertEquals(changes[0]?.examined.findings.map(({ severity }) => severity), ["warning"]);
  }));

Deno.test("CertificateWatcher judges a pair again when others may no longer read the key, and tells of one in use", () =>
  withWatched(async ({ folder, watcher, changes, problems }) => {
    const { key } = filesIn(folder);
    const look = async () => {
      for (const _ of [1, 2, 3]) await watcher.look();
    };
    await write(folder, SECOND);
    await Deno.chmod(key, 0o644);
    await look();
    assertEquals(changes.length, 0);
    assertMatch(problems.splice(0).join("\n"), /^tls\.key: has mode 0644.*\(risk key-readable-by-others\)$/);
    await Deno.chmod(key, 0o600);
    await look();
    assertEquals([changes.length, problems], [1, []]);
    await Deno.chmod(key, 0o640);
    await look();
    assertEquals([changes.length, problems], [1, []]);
    await Deno.chmod(key, 0o604);
    await look();
    assertMatch(problems.join("\n"), /^tls\.key: has mode 0604/);
    assertEquals(changes.length, 1);
  }));

Deno.test("CertificateWatcher passes over a certificate whose key comes a moment later", () =>
  withWatched(async ({ folder, watcher, changes, problems }) => {
    await write(folder, { certificate: SECOND.certificate });
    await watcher.look();
    await write(folder, { key: SECOND.key });
    await watcher.look();
    await watcher.look();
    assertEquals([changes.length, problems], [1, []]);
  }));

Deno.test("CertificateWatcher tells once why a pair cannot be used, and of the next one that can", () =>
  withWatched(async ({ folder, watcher, changes, problems }) => {
    const cases: readonly (readonly [Partial<CertificatePair>, RegExp])[] = [
      [{ certificate: SECOND.certificate }, /^tls\.certificate: .*key is not that of the certificate$/],
      [{ certificate: "half-written" }, /^tls\.certificate: .*no CERTIFICATE block/],
      [{ certificate: FIRST.certificate, key: "" }, /^tls\.key: .*no PRIVATE KEY block/],
      [EXPIRED, /^tls\.certificate: expired on 1970-01-31/],
    ];
    for (const [pair, reason] of cases) {
      await write(folder, pair);
      for (const _ of [1, 2, 3]) await watcher.look();
      assertMatch(problems.splice(0).join("\n"), reason);
    }
    assertEquals(changes.length, 0);
    await write(folder, SECOND);
    for (const _ of [1, 2, 3]) await watcher.look();
    assertEquals([changes.length, problems], [1, []]);
  }));

Deno.test("CertificateWatcher goes on after a pair that its owner could not use", () => {
  const onChange = () => {
    throw new TypeError("Cannot use this one");
  };
  return withWatched(async ({ folder, watcher, changes, problems }) => {
    for (const pair of [SECOND, THIRD]) {
      await write(folder, pair);
      for (const _ of [1, 2, 3]) await watcher.look();
    }
    assertEquals([changes.length, problems], [2, ["Cannot use this one", "Cannot use this one"]]);
    // What it uses still is no change.
    await write(folder, FIRST);
    for (const _ of [1, 2, 3]) await watcher.look();
    assertEquals([changes.length, problems.length], [2, 2]);
  }, { onChange });
});

Deno.test("CertificateWatcher says nothing of files that come back as they were", () =>
  withWatched(async ({ folder, watcher, changes, problems }) => {
    await Deno.remove(filesIn(folder).certificate);
    await watcher.look();
    await write(folder, FIRST);
    for (const _ of [1, 2, 3]) await watcher.look();
    assertEquals([changes.length, problems], [0, []]);
  }));

Deno.test("CertificateWatcher tells of files that stay away", () =>
  withWatched(async ({ folder, watcher, problems }) => {
    await Deno.remove(filesIn(folder).key);
    for (const _ of [1, 2, 3]) await watcher.look();
    assertMatch(problems.join("\n"), /^tls\.key: no such file: .*server\.key$/);
  }));

Deno.test({
  name: "CertificateWatcher notices symbolic links that are led elsewhere",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withWatched(async ({ folder, watcher, changes }) => {
      const files = filesIn(folder);
      for (const [name, pair] of [["1", FIRST], ["2", SECOND]] as const) {
        await Deno.writeTextFile(`${folder.path}/cert${name}.pem`, pair.certificate);
        await Deno.writeTextFile(`${folder.path}/key${name}.pem`, pair.key, { mode: 0o600 });
      }
      for (const name of ["1", "2"]) {
        for (const [link, kind] of [[files.certificate, "cert"], [files.key, "key"]] as const) {
          await Deno.remove(link);
          await Deno.symlink(`${kind}${name}.pem`, link);
        }
        for (const _ of [1, 2, 3]) await watcher.look();
      }
      assertEquals(changes.map(({ certificate }) => certificate), [SECOND.certificate]);
    }),
});

Deno.test("CertificateWatcher looks by itself, and no more once it is disposed of", async () => {
  const { promise: changed, resolve: onChange } = Promise.withResolvers<void>();
  await withWatched(async ({ folder, watcher, changes }) => {
    await write(folder, SECOND);
    await changed;
    await watcher[Symbol.asyncDispose]();
    await write(folder, FIRST);
    await watcher.look();
    await watcher.look();
    assertEquals(changes.length, 1);
  }, { intervalMs: 1, onChange });
});
