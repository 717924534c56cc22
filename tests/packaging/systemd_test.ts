import { assertEquals, assertGreaterOrEqual, assertMatch, assertNotMatch } from "@std/assert";
import { formatSystemdUnit } from "../../lib/cli/service_files.ts";
import { findPermissionNeeds } from "../../lib/check/permissions.ts";
import { programTest } from "../helpers/client_program.ts";
import { makeClusterUnit, makeSystemdUnit } from "../helpers/packaged_service.ts";
import { requireProgram, runProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { read } from "../settings/configuration_text.ts";

/** Exposure as `systemd-analyze security` counts it, from 0 to 10. */
const MAX_EXPOSURE = 1.1;

const USER = "users: [{ name: alice, password: x, home: HOME, permissions: elrw }]\n";

/** Units for configurations that ask for something special, and a line that each has then. */
const SPECIAL: readonly {
  readonly what: string;
  readonly text: string;
  readonly line: string;
  readonly exposure: number;
}[] = [
  {
    what: "a privileged port",
    text: `listen: [{ port: 21 }]\n${USER.replace("HOME", "/srv/ftp")}`,
    line: "AmbientCapabilities=CAP_NET_BIND_SERVICE",
    exposure: 1.6,
  },
  {
    what: "a home below /home",
    text: USER.replace("HOME", "/home/alice/in"),
    line: "ProtectHome=read-only",
    exposure: 1.2,
  },
  {
    what: "a home with special characters",
    text: USER.replace("HOME", "'/srv/50% of $it'"),
    line: 'ReadWritePaths="/srv/50%% of $it"',
    exposure: MAX_EXPOSURE,
  },
  {
    what: "no limit of connections",
    text: `limits: { connections: 0 }\n${USER.replace("HOME", "/srv/ftp")}`,
    line: "LimitNOFILE=65536",
    exposure: MAX_EXPOSURE,
  },
];

function unitOf(text: string): string {
  const configuration = read(text);
  const needs = findPermissionNeeds(configuration);
  return formatSystemdUnit(configuration, { needs, command: ["/usr/bin/deno", "run", "main.ts"], usesDeno: true });
}

/** Writes a unit whose program is there, as systemd asks. */
async function withUnit(text: string, run: (path: string) => Promise<void>): Promise<void> {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/ftpsd.service`;
  await Deno.writeTextFile(path, text.replace("/usr/bin/deno", Deno.execPath()));
  await run(path);
}

function exposureOf(output: string): number {
  return Number(/exposure level for ftpsd\.service: (\d+\.\d+)/.exec(output)?.[1] ?? NaN);
}

for (
  const { what, make, most } of [
    { what: "the packaged unit", make: makeSystemdUnit, most: MAX_EXPOSURE },
    { what: "the unit of the nodes of a cluster", make: makeClusterUnit, most: MAX_EXPOSURE },
    ...SPECIAL.map(({ what, text, exposure }) => ({
      what: `a unit with ${what}`,
      make: () => Promise.resolve(unitOf(text)),
      most: exposure,
    })),
  ]
) {
  Deno.test(programTest({
    program: "systemd-analyze",
    name: `systemd finds nothing wrong with ${what}, and an exposure of ${most} at most`,
    fn: () =>
      make().then((text) =>
        withUnit(text, async (path) => {
          const { code, stdout, stderr } = await runProgram("systemd-analyze", ["verify", path]);
          assertEquals([code, stdout, stderr], [0, "", ""]);
          const security = await requireProgram("systemd-analyze", ["security", "--offline=yes", "--no-pager", path]);
          assertGreaterOrEqual(most, exposureOf(security), security);
        })
      ),
  }));
}

Deno.test("formatSystemdUnit() lets a server that needs a database try again until that is there", () => {
  const state = "state: { type: postgres, urlFile: db.url }\n";
  const accounts = "accounts: [{ type: postgres, urlFile: db.url, homes: /srv }]\n";
  for (const text of [state + USER, accounts]) {
    assertMatch(unitOf(text), /^\[Unit\]\n(?:.+\n)*StartLimitIntervalSec=0$/m);
    assertMatch(unitOf(text), /^RestartSec=2$/m);
  }
  assertNotMatch(unitOf(USER), /StartLimit|RestartSec/);
});

Deno.test("formatSystemdUnit() leaves no variable and no specifier of a command to systemd", () => {
  const options = { needs: { net: [], read: [], write: [] }, usesDeno: true };
  const unit = formatSystemdUnit(read(USER), { ...options, command: ["/usr/bin/deno", "a $HOME %h"] });
  assertMatch(unit, /^ExecStart=\/usr\/bin\/deno "a \$\$HOME %%h"$/m);
});

Deno.test(programTest({
  program: "systemd-analyze",
  name: "systemd finds what is wrong with a unit, and what a bare one exposes",
  fn: () =>
    withUnit("[Service]\nExecStart=/usr/bin/deno\nProtectSystem=perhaps\n", async (path) => {
      assertMatch((await runProgram("systemd-analyze", ["verify", path])).stderr, /protect system value/);
      const { stdout } = await runProgram("systemd-analyze", ["security", "--offline=yes", "--no-pager", path]);
      assertGreaterOrEqual(exposureOf(stdout), 9);
    }),
}));

for (const { what, text, line } of SPECIAL) {
  Deno.test(`formatSystemdUnit() of a configuration with ${what} has ${line}`, () => {
    assertEquals(unitOf(text).split("\n").filter((it) => it.split("=")[0] === line.split("=")[0]), [line]);
  });
}
