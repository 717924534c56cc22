/**
 * How rclone is run.
 *
 * @module
 */

import { requireProgram } from "../helpers/run_program.ts";
import { USER } from "../helpers/test_server.ts";
import { realClient } from "./clients.ts";
import type { RealClient, Step, Target } from "./real_client.ts";
import { linesOf, runClient } from "./run_client.ts";

/** rclone. */
export const RCLONE: RealClient = realClient("rclone", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const { host, port, protection, caFile, scratch } = target;
    const env = {
      RCLONE_CONFIG: `${scratch}/rclone.conf`,
      RCLONE_FTP_HOST: host.includes(":") ? `[${host}]` : host,
      RCLONE_FTP_PORT: String(port),
      RCLONE_FTP_USER: USER.name,
      RCLONE_FTP_PASS: (await requireProgram("rclone", ["obscure", USER.password])).trim(),
      RCLONE_FTP_TLS: String(protection === "implicit"),
      RCLONE_FTP_EXPLICIT_TLS: String(protection === "explicit"),
      RCLONE_RETRIES: "1",
      RCLONE_LOW_LEVEL_RETRIES: "1",
      ...caFile === undefined ? {} : { SSL_CERT_FILE: caFile },
    };
    await Deno.writeTextFile(env.RCLONE_CONFIG, "");
    const names: string[] = [];
    for (const step of steps) {
      const output = await runClient(target, "rclone", argsOf(step), { env });
      if (step.operation === "list") names.push(...linesOf(output));
    }
    return names;
  },
});

function argsOf({ operation, remote, other }: Step): readonly string[] {
  const there = `:ftp:${remote}`;
  switch (operation) {
    case "list":
      return ["lsf", there];
    case "get":
      return ["copyto", "--ignore-times", there, other];
    case "put":
      return ["copyto", "--ignore-times", other, there];
    case "rename":
      return ["moveto", there, `:ftp:${other}`];
    case "mkdir":
    case "rmdir":
      return [operation, there];
    case "delete":
      return ["deletefile", there];
    case "mirrorGet":
      return ["sync", there, other];
    case "mirrorPut":
      return ["sync", other, there];
    case "parallel":
      return ["copy", "--transfers", "4", there, other];
    default:
      throw new TypeError(`Cannot do "${operation}"`);
  }
}
