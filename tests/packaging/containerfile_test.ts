import { assert, assertEquals } from "@std/assert";
import { DENO_IMAGE } from "../../lib/cli/service_files.ts";
import { packagedArguments, readPackagedConfiguration } from "../helpers/packaged_service.ts";
import { requireProgram } from "../helpers/run_program.ts";

const ROOT = new URL("../../", import.meta.url);
const FILE = new URL("packaging/Containerfile", ROOT);
const PROGRAM_FOLDER = "/app";

/** One instruction with what stands behind it. */
interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Reads a Containerfile: comments are left out, lines that end in a backslash go on. */
function parse(text: string): Instruction[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.join("\n").replaceAll(/\\\n/g, " ").split("\n").map((line) => {
    const [name = "", ...rest] = line.trim().split(/\s+/);
    return { name: name.toUpperCase(), rest: rest.join(" ") };
  });
}

function allOf(instructions: readonly Instruction[], name: string): string[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
}

/** What makes an image unsafe or unlike itself from one day to the next. */
function findFaults(instructions: readonly Instruction[]): string[] {
  const users = allOf(instructions, "USER");
  const lastUser = instructions.findLastIndex(({ name }) => name === "USER");
  const faults: readonly (readonly [isFault: boolean, what: string])[] = [
    [
      !allOf(instructions, "FROM").every((image) => /:\d+\.\d+\.\d+$|@sha256:[\da-f]{64}$/.test(image)),
      "base not pinned",
    ],
    [allOf(instructions, "ADD").length > 0, "ADD"],
    [allOf(instructions, "RUN").some((command) => /https?:|curl|wget/.test(command)), "fetches by itself"],
    [users.length === 0 || /^(root|0)\b/.test(users.at(-1) ?? ""), "runs as root"],
    [instructions.slice(lastUser + 1).some(({ name }) => name === "RUN" || name === "COPY"), "builds as the last user"],
    [allOf(instructions, "ENTRYPOINT").some((entrypoint) => !entrypoint.startsWith("[")), "starts a shell"],
  ];
  return faults.filter(([isFault]) => isFault).map(([, what]) => what);
}

const instructions = parse(await Deno.readTextFile(FILE));

Deno.test("Containerfile is pinned, fetches nothing by itself and does not run as root", () => {
  assertEquals(findFaults(instructions), []);
  assertEquals(allOf(instructions, "FROM"), [`docker.io/${DENO_IMAGE}`]);
});

Deno.test("the checks of the Containerfile find what they are for", () => {
  const faults: readonly (readonly [text: string, faults: readonly string[]])[] = [
    ["FROM denoland/deno\nUSER deno", ["base not pinned"]],
    ["FROM denoland/deno:latest\nUSER deno", ["base not pinned"]],
    ["FROM deno:2.9.6\nADD https://example.org/x /x\nUSER deno", ["ADD"]],
    ["FROM deno:2.9.6\nRUN apt-get update && \\\n  curl example.org\nUSER deno", ["fetches by itself"]],
    ["FROM deno:2.9.6\n# USER deno", ["runs as root"]],
    ["FROM deno:2.9.6\nUSER deno\nUSER root", ["runs as root"]],
    ["FROM deno:2.9.6\nUSER deno\nRUN true", ["builds as the last user"]],
    ["FROM deno:2.9.6\nUSER deno\nENTRYPOINT deno run", ["starts a shell"]],
  ];
  for (const [text, wanted] of faults) assertEquals(findFaults(parse(text)), wanted, text);
});

Deno.test("Containerfile starts with what ftpsd permissions prints for its configuration, and no more", async () => {
  const [entrypoint = "", ...others] = allOf(instructions, "ENTRYPOINT");
  assertEquals(others, []);
  assertEquals(JSON.parse(entrypoint), ["deno", ...await packagedArguments(`${PROGRAM_FOLDER}/main.ts`)]);
});

Deno.test("Containerfile exposes the ports of its configuration", async () => {
  const configuration = await readPackagedConfiguration();
  const { from, to } = configuration.passive.ports ?? {};
  const ports = configuration.listen.map(({ port }) => `${port}`);
  assertEquals(allOf(instructions, "EXPOSE"), [[...ports, `${from}-${to}`].join(" ")]);
});

Deno.test("Containerfile copies every module that the program loads, and its configuration", async () => {
  const copied = allOf(instructions, "COPY").flatMap((rest) => rest.split(" ").slice(0, -1));
  for (const path of copied) assert((await Deno.stat(new URL(path, ROOT))).isFile || !path.includes("."), path);
  const output = await requireProgram(Deno.execPath(), ["info", "--json", new URL("main.ts", ROOT).pathname]);
  const modules: readonly { readonly specifier: string }[] = JSON.parse(output).modules;
  const local = modules.map(({ specifier }) => specifier).filter((specifier) => specifier.startsWith(ROOT.href));
  const missing = local.map((specifier) => specifier.slice(ROOT.href.length))
    .filter((path) => !copied.some((from) => path === from || path.startsWith(`${from}/`)));
  assertEquals([missing, copied.includes("packaging/ftpsd.yaml")], [[], true]);
  assert(local.length > 50);
  assertEquals(allOf(instructions, "WORKDIR"), [PROGRAM_FOLDER]);
});
