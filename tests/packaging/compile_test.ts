import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import {
  checksumLine,
  compileArguments,
  pathOf,
  PERMISSION_FLAGS,
  readTargets,
  TARGETS,
} from "../../packaging/compile.ts";
import { runMain } from "../cli/spawned_server.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Deno in the place of the runtime for executables, which is not at hand everywhere: the result cannot be run. */
const ENV = { DENORT_BIN: Deno.execPath(), NO_COLOR: "1" };
const HOST_TARGET = TARGETS.find((target) => target === Deno.build.target);

Deno.test("compileArguments() give the network and files to every executable, and nothing that runs other code", () => {
  for (const target of TARGETS) {
    const args = compileArguments(target);
    const granted = args.filter((argument) => /^-(-allow|-no-prompt|-permission|A|P)/.test(argument));
    assertEquals(granted, [...PERMISSION_FLAGS]);
    assertEquals(granted, ["--no-prompt", "--allow-net", "--allow-read", "--allow-write"]);
    assertEquals([args[0], args.at(-1)], ["compile", "main.ts"]);
    assertStringIncludes(args.join(" "), ` --target=${target} --output=${pathOf(target)} `);
  }
});

Deno.test("compileArguments() build a release from the published package, without what the clone puts in its place", () => {
  const args = compileArguments("x86_64-unknown-linux-gnu", { isPublished: true });
  assertEquals([args[1], args.at(-1)], ["--no-config", `jsr:${project.name}@${project.version}/cli`]);
});

Deno.test("pathOf() names the version and the target, and ends as Windows wants it", () => {
  assertEquals(TARGETS.map(pathOf), [
    `dist/ftpsd-${project.version}-x86_64-unknown-linux-gnu`,
    `dist/ftpsd-${project.version}-aarch64-unknown-linux-gnu`,
    `dist/ftpsd-${project.version}-x86_64-apple-darwin`,
    `dist/ftpsd-${project.version}-aarch64-apple-darwin`,
    `dist/ftpsd-${project.version}-x86_64-pc-windows-msvc.exe`,
  ]);
});

Deno.test("readTargets() takes all where none is named, and none that is not there", () => {
  assertEquals(readTargets([]), TARGETS);
  assertEquals(readTargets(["x86_64-apple-darwin"]), ["x86_64-apple-darwin"]);
  assertThrows(() => readTargets(["x86_64-apple-darwin", "linux"]), TypeError, 'Cannot compile for "linux"');
});

Deno.test("checksumLine() is what sha256sum --check reads", () => {
  assertEquals(checksumLine(new Uint8Array([0, 255]), "dist/ftpsd"), "00ff  ftpsd");
});

Deno.test({
  name: "deno compile takes the arguments, and finds all modules of the program and no others",
  ignore: HOST_TARGET === undefined,
  fn: async () => {
    assert(HOST_TARGET !== undefined);
    await using folder = await TemporaryFolder.create();
    const output = `${folder.path}/ftpsd`;
    const args = compileArguments(HOST_TARGET, { output }).join("' '");
    const tree = await requireProgram("sh", ["-c", `cd '${ROOT}' && '${Deno.execPath()}' '${args}' 2>&1`], {
      env: ENV,
    });
    // Those that are loaded by a name at run time stand for all.
    for (const name of ["worker_program.ts", "hash-wasm", "iconv-lite", "@peculiar", "lib", "valibot"]) {
      assertStringIncludes(tree, name);
    }
    for (const name of ["fast-check", "basic-ftp", "_test.ts", "helpers"]) assert(!tree.includes(name), name);
    assert((await Deno.stat(output)).size > (await Deno.stat(Deno.execPath())).size);
  },
});

Deno.test("ftpsd permissions --compile prints a line that builds an executable with what its configuration needs", async () => {
  await using folder = await TemporaryFolder.create();
  const file = `${folder.path}/ftpsd.yaml`;
  await Deno.writeTextFile(file, "listen: [{ port: 0 }]\nanonymous: { home: . }\n");
  const printed = await runMain({ flags: [`--allow-read=${file}`], args: ["permissions", "-c", file, "--compile"] });
  assertEquals([printed.code, printed.stderr], [0, ""]);
  const line = printed.stdout.trimEnd();
  assertStringIncludes(
    line,
    `deno compile --exclude-unused-npm --no-prompt --allow-net=127.0.0.1 --allow-read=${file},${folder.path} `,
  );
  const tree = await requireProgram("sh", ["-c", `cd '${folder.path}' && ${line} 2>&1`], { env: ENV });
  assertStringIncludes(tree, "worker_program.ts");
  assert(!tree.includes("fast-check"), tree);
  assert((await Deno.stat(`${folder.path}/ftpsd`)).isFile);
});
