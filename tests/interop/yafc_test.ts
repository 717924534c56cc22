import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { packageVersion } from "./package_version.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, linesOf, runClient } from "./run_client.ts";

testClient({
  name: "Yafc",
  origin: "Debian: yafc",
  needs: ["yafc"],
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
    "mirrorGet",
    "mirrorPut",
  ],
  also: ["active mode", "UTF-8 names"],
  defects: {
    "odd names": { reason: "ends by SIGABRT at a quoted quote", evidence: /status 134/ },
  },
  remark: "takes the port for a part of an IPv6 address, now and then",
  version: () => packageVersion("yafc"),

  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const rcFile = `${target.scratch}/yafcrc`;
    await Deno.writeTextFile(
      rcFile,
      `use_passive_mode ${target.active ? "no" : "yes"}\nauto_bookmark no\nload_taglist no\nquit_on_eof yes\n`,
    );
    const url = `ftp://${USER.name}:${USER.password}@${authorityOf(target)}/`;
    const input = `${[...steps.map(commandOf), "exit"].join("\n")}\n`;
    const output = await runClient(target, "yafc", ["--quiet", `--rcfile=${rcFile}`, url], {
      input,
      complaint: /connect\(\): /,
    });
    if (!steps.some(({ operation }) => operation === "list")) return [];
    return linesOf(output).filter((line) => !/GSSAPI/.test(line));
  },
});

function commandOf({ operation, remote, other }: Step): string {
  const [there, here] = [quoted(remote), quoted(other)];
  switch (operation) {
    case "list":
      return `nlist ${remote === "" ? "" : there}`;
    case "get":
      return `get --force ${there} -o ${here}`;
    case "put":
      return `put --force ${here} -o ${there}`;
    case "resumeGet":
      return `get --resume ${there} -o ${here}`;
    case "resumePut":
      return `put --resume ${here} -o ${there}`;
    case "rename":
      return `mv ${there} ${here}`;
    case "mkdir":
    case "rmdir":
      return `${operation} ${there}`;
    case "delete":
      return `rm --force ${there}`;
    case "mirrorGet":
      return `get --recursive ${there} -o ${quoted(other.replace(/\/[^/]*$/, "/"))}`;
    case "mirrorPut":
      return `put --recursive ${here}`;
    default:
      throw new TypeError(`Cannot do "${operation}"`);
  }
}

function quoted(word: string): string {
  return word.replace(/[^\w./-]/gu, (character) => character < "\x80" ? `\\${character}` : character);
}
