import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { packageVersion } from "./package_version.ts";
import type { FilePair, Step, Target } from "./real_client.ts";
import { type ClientRun, linesOf, runClient } from "./run_client.ts";

testClient({
  name: "NcFTP",
  origin: "Debian: ncftp",
  needs: ["ncftp"],
  protections: [],
  operations: [
    "list",
    "get",
    "put",
    "resumeGet",
    "resumePut",
    "rename",
    "mkdir",
    "rmdir",
    "delete",
    "getMatching",
    "mirrorGet",
    "mirrorPut",
  ],
  also: ["active mode", "UTF-8 names", "odd names"],
  version: () => packageVersion("ncftp"),

  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    return listed(await ncftp(target, [...steps.map(commandOf), "quit"]));
  },

  async abort(target: Target, { local, remote }: FilePair, started: Promise<unknown>): Promise<readonly string[]> {
    const interruption = { when: started, by: "SIGINT", then: "ls -1\nquit\n" } as const;
    return listed(await ncftp(target, [`get -f -z ${quoted(remote)} ${quoted(local)}`], { interruption }));
  },
});

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

function commandOf({ operation, remote, other }: Step): string {
  const [there, here] = [quoted(remote), quoted(other)];
  switch (operation) {
    case "list":
      return `ls -1 ${remote === "" ? "" : there}`;
    case "get":
      return `get -f -z ${there} ${here}`;
    case "put":
      return `put -f -z ${here} ${there}`;
    case "resumeGet":
      return `get -z ${there} ${here}`;
    case "resumePut":
      return `put -z ${here} ${there}`;
    case "rename":
      return `rename ${there} ${here}`;
    case "mkdir":
      return `mkdir ${there}`;
    case "rmdir":
      return `rmdir ${there}`;
    case "delete":
      return `rm ${there}`;
    case "getMatching":
      return `lcd ${here}\nget -f ${remote}`;
    case "mirrorGet":
      return `lcd ${quoted(other.replace(/\/[^/]*$/, ""))}\nget -R -T ${there}`;
    case "mirrorPut":
      return `put -R ${here}`;
    default:
      throw new TypeError(`Cannot do "${operation}"`);
  }
}

function quoted(word: string): string {
  return word.replace(/[^\w./-]/gu, (character) => character < "\x80" ? `\\${character}` : character);
}
