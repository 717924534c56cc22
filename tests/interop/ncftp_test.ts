import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { FilePair, Step, Target } from "./real_client.ts";
import { type ClientRun, commandFor, type Commands, linesOf, runClient } from "./run_client.ts";

testClient(realClient("NcFTP", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    return listed(await ncftp(target, [...steps.map((step) => commandFor(COMMANDS, step, quoted)), "quit"]));
  },

  async abort(target: Target, { local, remote }: FilePair, started: Promise<unknown>): Promise<readonly string[]> {
    const interruption = { when: started, by: "SIGINT", then: "ls -1\nquit\n" } as const;
    return listed(await ncftp(target, [`get -f -z ${quoted(remote)} ${quoted(local)}`], { interruption }));
  },
}));

/** Names of a listing: what stands behind the welcome, without its thanks, which are indented, and interruptions. */
function listed(output: string): string[] {
  const lines = linesOf(output).filter((line) => !/^\t|aborted by local user/.test(line));
  return lines.slice(lines.findIndex((line) => line.includes("Logged in to")) + 1);
}

async function ncftp(
  target: Target,
  commands: readonly string[],
  options: Pick<ClientRun, "interruption"> = {},
): Promise<string> {
  const { host, port, active } = target;
  // It takes no options of the connection from the command line in a script.
  const script = [
    `set passive ${active ? "off" : "on"}`,
    "set confirm-close no",
    "set show-status-in-xterm-titlebar no",
    ...commands,
  ];
  const args = ["-u", USER.name, "-p", USER.password, "-P", String(port), host];
  return await runClient(target, "ncftp", args, { input: `${script.join("\n")}\n`, ...options });
}

const COMMANDS: Commands = {
  list: (there, _here, { remote }) => `ls -1 ${remote === "" ? "" : there}`,
  get: (there, here) => `get -f -z ${there} ${here}`,
  put: (there, here) => `put -f -z ${here} ${there}`,
  resumeGet: (there, here) => `get -z ${there} ${here}`,
  resumePut: (there, here) => `put -z ${here} ${there}`,
  rename: (there, here) => `rename ${there} ${here}`,
  mkdir: (there) => `mkdir ${there}`,
  rmdir: (there) => `rmdir ${there}`,
  delete: (there) => `rm ${there}`,
  getMatching: (_there, here, { remote }) => `lcd ${here}\nget -f ${remote}`,
  mirrorGet: (there, _here, { other }) => `lcd ${quoted(other.replace(/\/[^/]*$/, ""))}\nget -R -T ${there}`,
  mirrorPut: (_there, here) => `put -R ${here}`,
};

function quoted(word: string): string {
  return word.replace(/[^\w./-]/gu, (character) => character < "\x80" ? `\\${character}` : character);
}
