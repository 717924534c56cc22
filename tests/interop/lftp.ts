/**
 * How lftp is run.
 *
 * @module
 */

import { USER } from "../helpers/test_server.ts";
import { realClient } from "./clients.ts";
import type { FilePair, RealClient, Step, Target } from "./real_client.ts";
import { authorityOf, commandFor, type Commands, linesOf, runClient } from "./run_client.ts";

/** lftp. */
export const LFTP: RealClient = realClient("lftp", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    return linesOf(await lftp(target, steps.map((step) => commandFor(COMMANDS, step, quoted))));
  },

  async abort(target: Target, { local, remote }: FilePair, started: Promise<unknown>): Promise<readonly string[]> {
    const first = [...openingOf(target), `get ${quoted(remote)} -o ${quoted(local)} &`].join("\n");
    return linesOf(
      await runClient(target, "lftp", ["--norc"], {
        input: `${first}\n`,
        interruption: { when: started, then: "kill all\ncls -1\nexit\n" },
      }),
    );
  },
});

/** Runs commands of lftp behind those that open the connection, and returns what it printed. */
export function lftp(target: Target, commands: readonly string[]): Promise<string> {
  return runClient(target, "lftp", ["--norc", "-c", [...openingOf(target), ...commands].join("\n")]);
}

function openingOf(target: Target): string[] {
  const { protection, caFile, active } = target;
  const settings = [
    "cmd:fail-exit yes",
    "net:max-retries 1",
    "net:timeout 20",
    "file:charset utf-8",
    "ftp:ssl-force yes",
    "ftp:ssl-protect-data yes",
    ...caFile === undefined ? [] : [`ssl:ca-file ${quoted(caFile)}`],
    ...active ? ["ftp:passive-mode no"] : [],
  ];
  const url = `${protection === "implicit" ? "ftps" : "ftp"}://${authorityOf(target)}`;
  return [...settings.map((setting) => `set ${setting}`), `open -u ${USER.name},${USER.password} ${quoted(url)}`];
}

const COMMANDS: Commands = {
  list: (there) => `cls -1 --sort=name ${there}`,
  get: (there, here) => `get ${there} -o ${here}`,
  put: (there, here) => `put ${here} -o ${there}`,
  resumeGet: (there, here) => `get -c ${there} -o ${here}`,
  resumePut: (there, here) => `put -c ${here} -o ${there}`,
  rename: (there, here) => `mv ${there} ${here}`,
  mkdir: (there) => `mkdir ${there}`,
  rmdir: (there) => `rmdir ${there}`,
  delete: (there) => `rm ${there}`,
  getMatching: (_there, here, { remote }) => `mget -O ${here} ${remote}`,
  mirrorGet: (there, here) => `mirror ${there} ${here}`,
  mirrorPut: (there, here) => `mirror --reverse ${here} ${there}`,
  parallel: (there, here) => `mirror --parallel=4 ${there} ${here}`,
};

/** Quotes a word for lftp's command language. */
export function quoted(word: string): string {
  return `"${word.replace(/["\\]/g, "\\$&")}"`;
}
