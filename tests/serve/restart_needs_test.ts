import { assert, assertEquals } from "@std/assert";
import { applyReload } from "../../lib/serve/restart_needs.ts";
import type { ServerPlan } from "../../lib/serve/worker_messages.ts";
import { toServerOptions } from "../../lib/server/configured_options.ts";
import { checkOptions, withFixedSettings } from "../../lib/server/options.ts";
import type { Settings } from "../../lib/settings/settings.ts";
import { RISK_IDS } from "../../lib/settings/risks.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { fileWith, read, SOMEBODY, valueAt } from "../settings/configuration_text.ts";
import { KEYS } from "../settings/key_cases.ts";

const [PAIR, OTHER] = await Promise.all([
  createEphemeralCertificate({ names: ["one.example"] }),
  createEphemeralCertificate({ names: ["other.example"] }),
]);

/** A plan as a file makes it, with the same pair for every certificate that it names. */
function planOf(text: string, pair = PAIR): ServerPlan {
  const configuration = read(text);
  const { certificate, clientCertificates: { mode } } = configuration.tls;
  return {
    configuration,
    files: {
      ...certificate === undefined ? {} : { certificate: pair },
      ...mode === "none" ? {} : { clientCa: OTHER.certificate },
    },
  };
}

/** The settings of the server that a plan makes. */
function settingsOf({ configuration, files }: ServerPlan): Settings {
  // Accounts are another matter.
  const { anonymous: _, ...others } = configuration;
  return checkOptions({ ...toServerOptions({ ...others, users: [] }, files, new Date()), acceptRisks: RISK_IDS })
    .settings;
}

/** Keys that wait for a restart, each as the log names it. */
const FIXED: readonly string[] = [
  "listen",
  "encoding",
  "passive.ports",
  "passive.announced",
  "tls.acme",
  "tls.minVersion",
  "tls.maxVersion",
  "tls.sessionReuse",
  "state",
  "accounts",
  "workers",
  "log",
  "metrics",
  "admin",
  "hooks",
];

for (const { key, good, beside } of KEYS) {
  Deno.test(`A reload with another ${key} applies it, or names it and leaves it as it was`, () => {
    const running = planOf(SOMEBODY);
    const next = planOf(`${fileWith(key, good).text}${beside === undefined ? "" : `${beside}\n`}`);
    const { plan, needs } = applyReload(running, next);
    const isBeside = (name: string) =>
      (name === "passive.ports" && key === "passive.announced") || (name === "state" && key === "tls.acme.secretFile");
    const fixed = FIXED.filter((name) => key.startsWith(name) || isBeside(name));
    assertEquals(needs.map((line) => line.split(":", 1)[0]), fixed);
    if (fixed.length === 0) assertEquals(plan, next);
    for (const name of fixed) {
      assertEquals(valueAt(plan.configuration, name), valueAt(running.configuration, name));
    }
    // The server keeps nothing more back than what was told.
    assertEquals(withFixedSettings(settingsOf(running), settingsOf(plan)), settingsOf(plan));
    // And what stays is named again at the next reload, until the file has it no more.
    assertEquals(applyReload(plan, next).needs, needs);
    // A certificate of files alone cannot be taken back.
    const isPair = key === "tls.certificate" || key === "tls.key";
    assertEquals(applyReload(plan, running).needs.length, isPair ? 1 : 0);
  });
}

Deno.test("A reload changes no certificate that is ordered for one of files, nor the other way round", () => {
  const ordered = { ...planOf(`${SOMEBODY}tls: { acme: { domains: ftp.example.org, storage: acme } }\n`) };
  const running = { ...ordered, files: { certificate: OTHER } };
  const ofFiles = planOf(`${SOMEBODY}tls: { certificate: a.crt, key: a.key }\n`);
  const stays = applyReload(running, ofFiles);
  assertEquals(stays.needs.map((line) => line.split(":", 1)[0]), ["tls.acme", "tls.certificate"]);
  assertEquals(stays.plan.files.certificate, OTHER);
  assertEquals(stays.plan.configuration.tls, running.configuration.tls);
  const back = applyReload(ofFiles, ordered);
  assertEquals(back.needs.map((line) => line.split(":", 1)[0]), ["tls.acme", "tls.certificate"]);
  assertEquals(back.plan.files.certificate, PAIR);
  assertEquals(back.plan.configuration.tls.acme, undefined);
});

const OFF = `${SOMEBODY}tls: { policy: "off" }\nacceptRisks:\n` +
  ["clear-text-control", "clear-text-data"].map((risk) => `  - { risk: ${risk}, reason: a test }\n`).join("");
const REQUIRED =
  `${SOMEBODY}tls: { certificate: a.crt, key: a.key, clientCertificates: { mode: require, ca: b.crt } }\n`;
const NEEDS_ALL = "tls.policy: the change needs a restart; until then all of tls stays as it was";

for (const [what, before, after] of [["off to required", OFF, REQUIRED], ["required to off", REQUIRED, OFF]] as const) {
  Deno.test(`A reload that changes tls.policy from ${what} leaves all of tls as it was, and says so`, () => {
    const running = planOf(before);
    const next = planOf(after);
    const { plan, needs } = applyReload(running, next);
    assertEquals(needs, [NEEDS_ALL]);
    const { tls, acceptRisks } = plan.configuration;
    assertEquals(tls, running.configuration.tls);
    assertEquals(plan.files, running.files);
    // What the server was started with stays accepted, so that the rest of the reload is not refused for it.
    assert(acceptRisks.some(({ risk }) => risk === "clear-text-control"));
    assertEquals(withFixedSettings(settingsOf(running), settingsOf(plan)), settingsOf(plan));
  });
}

Deno.test("A reload that requires session reuse waits for a restart where several event loops may run", () => {
  const reuse = (value: string, workers: string) =>
    planOf(`tls: { sessionReuse: ${value} }\nworkers: ${workers}\n${SOMEBODY}`);
  const needsOf = (workers: string) => applyReload(reuse("allow", workers), reuse("require", workers)).needs;
  assertEquals(needsOf("auto").map((line) => line.split(":", 1)[0]), ["tls.sessionReuse"]);
  assertEquals([needsOf("1"), applyReload(reuse("require", "auto"), reuse("allow", "auto")).needs], [[], []]);
});

Deno.test("A reload that names no certificate any more keeps the one in use, and says so", () => {
  const files = `${SOMEBODY}tls: { certificate: a.crt, key: a.key }\n`;
  const started = planOf(SOMEBODY);
  const { plan: running, needs: none } = applyReload(started, planOf(files, OTHER));
  assertEquals([none, running.files.certificate], [[], OTHER]);
  const { plan, needs } = applyReload(running, started);
  assertEquals(needs, ["tls.certificate: the change needs a restart; until then all stays as it was"]);
  assertEquals(plan.files.certificate, OTHER);
  assertEquals(plan.configuration.tls, running.configuration.tls);
});

Deno.test("A reload with another policy that has TLS applies it", () => {
  const control = `${SOMEBODY}tls: { policy: control }\n`;
  assertEquals(applyReload(planOf(SOMEBODY), planOf(control)).needs, []);
});

Deno.test("A reload that makes a Unix socket of the admin listener keeps it, and its token", () => {
  const withToken = (admin: string, adminToken?: string): ServerPlan => {
    const { configuration, files } = planOf(`${SOMEBODY}admin: ${admin}\n`);
    return { configuration, files: { ...files, ...adminToken !== undefined && { adminToken } } };
  };
  const port = withToken("{ port: 8021, tokenFile: a.token }", "a");
  const { plan, needs } = applyReload(port, withToken("{ unix: admin.sock }"));
  assertEquals(needs, ["admin: the change needs a restart; until then all stays as it was"]);
  assertEquals([plan.configuration.admin, plan.files.adminToken], [port.configuration.admin, "a"]);
  const socket = withToken("{ unix: admin.sock, tokenFile: b.token }", "b");
  const { plan: rotated, needs: others } = applyReload(port, socket);
  assertEquals(others, ["admin: the change needs a restart; until then all but the token stays as it was"]);
  const { port: kept, unix, tokenFile } = rotated.configuration.admin ?? {};
  assertEquals([kept, unix, tokenFile, rotated.files.adminToken], [8021, undefined, "/etc/ftpsd/b.token", "b"]);
  // Its mode is what protects a socket, which may lose its token.
  assertEquals(applyReload(socket, withToken("{ unix: admin.sock }")).needs, []);
  assertEquals(applyReload(socket, withToken("{ unix: admin.sock }")).plan.files.adminToken, undefined);
});
