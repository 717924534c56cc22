import { USER } from "../helpers/test_server.ts";
import { PARALLEL_FILES, testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, runClient } from "./run_client.ts";

testClient(realClient("aria2", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    for (const { operation, remote, other } of steps) {
      const names = operation === "parallel" ? PARALLEL_FILES : [""];
      const list = names.map((name) => {
        const [, folder = "", file = ""] = /^(.*)\/([^/]*)$/.exec(name === "" ? other : `${other}/${name}`) ?? [];
        const path = [...remote.split("/"), ...name === "" ? [] : [name]].map(encodeURIComponent).join("/");
        return `ftp://${authorityOf(target)}/${path}\n  dir=${folder}\n  out=${file}\n`;
      });
      await Deno.writeTextFile(`${target.scratch}/list`, list.join(""));
      await runClient(target, "aria2c", [
        `--input-file=${target.scratch}/list`,
        `--ftp-user=${USER.name}`,
        `--ftp-passwd=${USER.password}`,
        `--ftp-pasv=${!target.active}`,
        "--allow-overwrite=true",
        "--timeout=3",
        "--max-tries=1",
        ...operation === "resumeGet" ? ["--continue=true"] : [],
        ...operation === "parallel" ? ["--split=4", "--max-connection-per-server=4", "--min-split-size=1M"] : [],
      ]);
    }
    return [];
  },
}));
