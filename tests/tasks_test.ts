/** Each test file is run by one task: none is forgotten, and none runs twice. */

import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

Deno.test("Each test file belongs to one of the tasks test and test:…, which .ci/run runs with its permissions", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
    tasks: Record<string, { command: string }>;
  };
  const ci = Deno.readTextFileSync(new URL(".ci/run", ROOT)).split("\n");
  const suites = Object.entries(tasks).filter(([name]) => name === "test" || name.startsWith("test:"));

  const misplaced = [...testFiles("tests")]
    .map((file) => ({ file, tasks: suites.filter(([, { command }]) => runs(command, file)).map(([name]) => name) }))
    .filter((placed) => placed.tasks.length !== 1);
  const missing = suites.filter(([name, { command }]) =>
    !ci.some((line) => line.startsWith(`run_task ${name} `)) || !command.startsWith("deno test -P=test ")
  );

  assertEquals(misplaced, []);
  assertEquals(missing, []);
});

function runs(command: string, file: string): boolean {
  const words = command.split(" ").slice(2);
  const ignored = words.find((word) => word.startsWith("--ignore="))?.slice("--ignore=".length).split(",") ?? [];
  const named = words.filter((word) => !word.startsWith("-"));
  const covers = (path: string) => file === path || file.startsWith(`${path}/`);
  return named.some(covers) && !ignored.some(covers);
}

function* testFiles(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory && name !== "node_modules") yield* testFiles(`${folder}/${name}`);
    if (/(?:^|[._])test\.[cm]?[jt]sx?$/.test(name)) yield `${folder}/${name}`;
  }
}
