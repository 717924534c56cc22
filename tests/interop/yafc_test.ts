import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, commandFor, type Commands, linesOf, runClient } from "./run_client.ts";

testClient(realClient("Yafc", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const rcFile = `${target.scratch}/yafcrc`;
    await Deno.writeTextFile(
      rcFile,
      `use_passive_mode ${target.active ? "no" : "yes"}\nauto_bookmark no\nload_taglist no\nquit_on_eof yes\n`,
    );
    const url = `ftp://${USER.name}:${USER.password}@${authorityOf(target)}/`;
    const input = `${[...steps.map((step) => commandFor(COMMANDS, step, quoted)), "exit"].join("\n")}\n`;
    const output = await runClient(target, "yafc", ["--quiet", `--rcfile=${rcFile}`, url], {
      input,
      complaint: /connect\(\): /,
    });
    if (!steps.some(({ operation }) => operation === "list")) return [];
    return linesOf(output).filter((line) => !/GSSAPI/.test(line));
  },
}));

const COMMANDS: Commands = {
  list: (there, _here, { remote }) => `nlist ${remote === "" ? "" : there}`,
  get: (there, here) => `get --force ${there} -o ${here}`,
  put: (there, here) => `put --force ${here} -o ${there}`,
  resumeGet: (there, here) => `get --resume ${there} -o ${here}`,
  resumePut: (there, here) => `put --resume ${here} -o ${there}`,
  rename: (there, here) => `mv ${there} ${here}`,
  mkdir: (there) => `mkdir ${there}`,
  rmdir: (there) => `rmdir ${there}`,
  delete: (there) => `rm --force ${there}`,
  mirrorGet: (there, _here, { other }) => `get --recursive ${there} -o ${quoted(other.replace(/\/[^/]*$/, "/"))}`,
  mirrorPut: (_there, here) => `put --recursive ${here}`,
};

function quoted(word: string): string {
  return word.replace(/[^\w./-]/gu, (character) => character < "\x80" ? `\\${character}` : character);
}
