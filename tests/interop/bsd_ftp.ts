/**
 * The language of the BSD `ftp` program and its descendants.
 *
 * @module
 */

import { USER } from "../helpers/test_server.ts";
import type { FilePair, RealClient, Step, Target } from "./real_client.ts";
import { type ClientRun, linesOf, runClient } from "./run_client.ts";

/** One of the family. */
export interface BsdFtp {
  readonly program: string;
  readonly args: (target: Target) => readonly string[];
  readonly env?: (target: Target) => Readonly<Record<string, string>>;
  /** Commands before those of a test. */
  readonly setup: (target: Target) => readonly string[];
  /** How it says that something has failed, beside error replies. */
  readonly complaint?: RegExp;
}

/** Replies of failure, as verbose clients show them. */
export const ERROR_REPLY = /^(?:<--- )?[45]\d\d[ -]/m;

/** Makes what an adapter does of a description. */
export function bsdFtp(description: BsdFtp): Required<Pick<RealClient, "run" | "abort">> {
  const { program } = description;
  const start = (target: Target, commands: readonly string[], options: Pick<ClientRun, "interruption"> = {}) => {
    const { host, port } = target;
    const opening = [`open ${host} ${port}`, `user ${USER.name} ${USER.password}`, ...description.setup(target)];
    const complaint = options.interruption === undefined
      ? new RegExp(
        [ERROR_REPLY, ...description.complaint ? [description.complaint] : []].map((r) => r.source).join("|"),
        "m",
      )
      : /^(?:421|530)/m;
    return runClient(target, program, description.args(target), {
      input: `${[...opening, "binary", ...commands].join("\n")}\n`,
      env: description.env?.(target) ?? {},
      complaint,
      ...options,
    });
  };
  const listing = ({ scratch }: Target) => `${scratch}/listing`;
  const listed = async (target: Target) => linesOf(await Deno.readTextFile(listing(target)));
  const commandOf = async (target: Target, { operation, remote, other }: Step): Promise<string> => {
    const [there, here] = [quoted(remote === "" ? "." : remote), quoted(other)];
    switch (operation) {
      case "list":
        return `nlist ${there} ${listing(target)}`;
      case "get":
        return `get ${there} ${here}`;
      case "put":
        return `put ${here} ${there}`;
      case "resumeGet":
        return `reget ${there} ${here}`;
      case "resumePut": {
        const size = /^213 (\d+)|\t(\d+)$/m.exec(await start(target, [`quote SIZE ${remote}`]));
        return `restart ${size?.[1] ?? size?.[2]}\nput ${here} ${there}`;
      }
      case "getMatching":
        // Names were to be taken as they are, so far.
        return `lcd ${here}\nglob\nmget ${remote}\nglob`;
      case "rename":
        return `rename ${there} ${here}`;
      case "mkdir":
      case "rmdir":
      case "delete":
        return `${operation} ${there}`;
      default:
        throw new TypeError(`Cannot do "${operation}"`);
    }
  };
  return {
    async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
      const commands = await Promise.all(steps.map((step) => commandOf(target, step)));
      await start(target, [...commands, "bye"]);
      return steps.some(({ operation }) => operation === "list") ? await listed(target) : [];
    },
    async abort(target: Target, { local, remote }: FilePair, started: Promise<unknown>): Promise<readonly string[]> {
      const interruption = { when: started, by: "SIGINT", then: `nlist . ${listing(target)}\nbye\n` } as const;
      await start(target, [`get ${quoted(remote)} ${quoted(local)}`], { interruption });
      return await listed(target);
    },
  };
}

/** A word as it is typed. Backslashes hold within quotes no more. */
function quoted(word: string): string {
  return word.replace(/[\s"'\\]/g, "\\$&");
}
