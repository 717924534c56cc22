/**
 * Lets a process swap a folder and a link out of the home while clients use paths through it, and counts what got out.
 *
 * ```sh
 * deno run -P=test tests/soak/containment.ts                                # all commands, 100,000 swaps each
 * deno run -P=test tests/soak/containment.ts --pattern=rare --operations=20000 DELE RMD
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { mountRefusal } from "../helpers/small_disk.ts";
import { TestServer } from "../helpers/test_server.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { type Attack, ATTACKS } from "./containment_attacks.ts";
import { ContainmentScene, type Pattern, PATTERNS, Swapper } from "./containment_scene.ts";

/** How long an attack lasts: until there were as many operations and swaps, or the time is over. */
export interface AttackOptions {
  readonly pattern: Pattern;
  readonly operations: number;
  readonly swaps: number;
  readonly deadlineMs: number;
  /** For pauses of the swapper. */
  readonly seed: number;
}

/** What an attack has brought. */
export interface AttackResult {
  readonly operations: number;
  readonly swaps: number;
  /** Operations that the server did, wherever. */
  readonly done: number;
  /** Files outside whose content was sent or changed. */
  readonly contents: number;
  /** Operations that told or changed something else outside. */
  readonly effects: number;
}

/** Most operations between two resets of what is there; each needs files of its own. */
const ROUND = 500;

/** Runs one attack on a server of its own. */
export async function runAttack(attack: Attack, options: AttackOptions): Promise<AttackResult> {
  await using scene = await ContainmentScene.create({ otherDevice: attack.otherDevice ?? false });
  await using server = await TestServer.start({
    home: scene.home,
    protection: "clear",
    server: { upload: { atomic: attack.atomic ?? false } },
  });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  const total = { operations: 0, swaps: 0, done: 0, contents: 0, effects: 0 };
  const end = performance.now() + options.deadlineMs;
  for (let round = 0; total.operations < options.operations || total.swaps < options.swaps; round++) {
    if (performance.now() > end) break;
    const result = await playRound(attack, { ...options, scene, client, end, seed: options.seed + round });
    for (const key of Object.keys(total) as (keyof AttackResult)[]) total[key] += result[key];
  }
  return total;
}

interface Round extends AttackOptions {
  readonly scene: ContainmentScene;
  readonly client: RawClient;
  readonly end: number;
}

async function playRound(attack: Attack, round: Round): Promise<AttackResult> {
  const { scene, client, end } = round;
  scene.reset();
  const operations = Math.min(ROUND, round.operations);
  for (let index = 0; index < operations; index++) attack.prepare?.(scene, index);
  await using swapper = await Swapper.start(scene, round.pattern, round.seed);
  const counts = { operations: 0, done: 0, contents: 0, effects: 0 };
  for (; counts.operations < operations && performance.now() < end; counts.operations++) {
    const { done, text } = await attack.attempt(client, counts.operations);
    if (done) counts.done++;
    if (attack.readsContent?.(text)) counts.contents++;
    if (attack.tells?.(text, scene)) counts.effects++;
  }
  const swaps = await swapper.stop();
  for (let index = 0; index < counts.operations; index++) if (attack.changes?.(scene, index)) counts.effects++;
  counts.contents += scene.changedOutside().length;
  return { ...counts, swaps };
}

async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: ["pattern", "operations", "swaps", "seconds", "seed"],
    default: { pattern: "constant", operations: "2000", swaps: "100000", seconds: "600", seed: "1" },
  });
  const pattern = PATTERNS.find((known) => known === options.pattern);
  if (pattern === undefined) throw new Error(`No pattern "${options.pattern}"; use one of ${PATTERNS.join(", ")}`);
  const wanted = options._.map(String);
  const refusal = await mountRefusal();
  // deno-lint-ignore no-console -- it is a program
  const print = console.log;

  print("attack                    swaps  operations     done  contents  other effects");
  for (const attack of ATTACKS) {
    if (wanted.length > 0 && !wanted.some((name) => attack.name.startsWith(name))) continue;
    if (attack.otherDevice && refusal !== undefined) continue;
    const { swaps, operations, done, contents, effects } = await runAttack(attack, {
      pattern,
      operations: Number(options.operations),
      swaps: Number(options.swaps),
      deadlineMs: 1000 * Number(options.seconds),
      seed: Number(options.seed),
    });
    const columns = [swaps, operations, done, contents, effects].map((count, index) =>
      `${count}`.padStart([9, 12, 9, 10, 15][index] ?? 0)
    );

    print(`${attack.name.padEnd(22)}${columns.join("")}`);
  }
}

if (import.meta.main) await main(Deno.args);
