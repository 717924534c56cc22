import { assertEquals, assertGreater } from "@std/assert";
import { findViolations, mayUseHost, type ModuleGraph } from "./helpers/architecture.ts";
import { TemporaryFolder } from "./helpers/temporary_folder.ts";

const ROOT = new URL("../", import.meta.url);

/** The part of `deno info --json` that is used here. */
interface ModuleInfo {
  readonly specifier: string;
  readonly error?: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

/** Paths of all modules of the project that are published, from the root, sorted. */
async function listModules(): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
      if (entry.isDirectory) await walk(`${folder}${entry.name}/`);
      else if (entry.name.endsWith(".ts")) found.push(folder + entry.name);
    }
  };
  await walk("lib/");
  for (const name of ["main.ts", "mod.ts"]) {
    for await (const entry of Deno.readDir(ROOT)) if (entry.name === name) found.push(name);
  }
  return found.sort();
}

/** Asks the runtime what imports what, types included; through a module that imports all, so that none is left out. */
async function readGraph(modules: readonly string[]): Promise<ModuleGraph> {
  await using folder = await TemporaryFolder.create();
  const all = `${folder.path}/all.ts`;
  await Deno.writeTextFile(all, modules.map((path) => `import "${new URL(path, ROOT)}";\n`).join(""));
  const config = new URL("deno.json", ROOT).pathname;
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json", "--no-lock", "--config", config, all] });
  const { stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  if (!text.startsWith("{")) throw new Error(`"deno info" failed: ${new TextDecoder().decode(stderr)}`);
  const infos: readonly ModuleInfo[] = JSON.parse(text).modules;
  const graph = new Map<string, readonly string[]>();
  for (const { specifier, dependencies = [], error } of infos) {
    if (!specifier.startsWith(ROOT.href) || !modules.includes(localPath(specifier))) continue;
    if (error !== undefined) throw new Error(error);
    const resolved = dependencies.map((it) => it.code?.specifier ?? it.type?.specifier ?? it.specifier);
    graph.set(
      localPath(specifier),
      resolved.map((it) => it.startsWith(`${ROOT.href}std/`) ? "jsr:@std" : localPath(it)),
    );
  }
  return graph;
}

function localPath(specifier: string): string {
  return specifier.startsWith(ROOT.href) ? specifier.slice(ROOT.href.length) : specifier;
}

/** Names that belong to the runtime, and default exports, in a module's code; not in its comments and texts. */
function findInSource(path: string, source: string): string[] {
  const report = (context: Deno.lint.RuleContext, node: Deno.lint.Node, what: string) =>
    context.report({ node, message: `${path} ${what}` });
  const rule: Deno.lint.Rule = {
    create: (context) => ({
      Identifier(node) {
        if (!mayUseHost(path) && isHostName(node)) report(context, node, `uses ${node.name}`);
      },
      ExportDefaultDeclaration: (node) => report(context, node, "has a default export"),
      ExportSpecifier(node) {
        const { exported } = node;
        if (exported.type === "Identifier" && exported.name === "default") {
          report(context, node, "has a default export");
        }
      },
    }),
  };
  const plugin: Deno.lint.Plugin = { name: "architecture", rules: { "host-names": rule } };
  return Deno.lint.runPlugin(plugin, path, source).map((diagnostic) => diagnostic.message);
}

function isHostName(node: Deno.lint.Identifier): boolean {
  if (!["Deno", "Buffer", "process"].includes(node.name)) return false;
  const { parent } = node;
  if (parent.type === "MemberExpression") {
    return parent.object === node || (parent.object.type === "Identifier" && parent.object.name === "globalThis");
  }
  return parent.type !== "Property" && parent.type !== "MethodDefinition" && parent.type !== "PropertyDefinition" &&
    parent.type !== "TSPropertySignature" && parent.type !== "TSMethodSignature";
}

Deno.test("lib/ keeps to the import rule", async () => {
  const modules = await listModules();
  const graph = await readGraph(modules);
  assertEquals([...graph.keys()].sort(), modules);
  assertGreater([...graph.values()].flat().length, 0);
  assertEquals(findViolations(graph), []);
});

Deno.test("lib/ leaves the runtime to adapters and has no default exports", async () => {
  const found: string[] = [];
  for (const path of await listModules()) {
    found.push(...findInSource(path, await Deno.readTextFile(new URL(path, ROOT))));
  }
  assertEquals(found, []);
});

Deno.test("lib/ has no barrel files and no drawers for odds and ends", async () => {
  const names = /\/(index|mod|utils?|helpers?|common|misc)\.ts$/;
  assertEquals((await listModules()).filter((path) => names.test(path)), []);
});

Deno.test("lib/ loads the database only where a state is in one", async () => {
  const isStatic = /^(?:import|export) (?!type)[^;]*from "(?:node:sqlite|[^"]*\/sqlite\/[^"]*)"/m;
  const modules = (await listModules()).filter((path) => !path.startsWith("lib/state/sqlite/"));
  const sources = await Promise.all(modules.map((path) => Deno.readTextFile(new URL(path, ROOT))));
  assertEquals(modules.filter((_, index) => isStatic.test(sources[index] ?? "")), []);
});

/** Paths that a module imports where it is loaded: not types, nor what it loads later. */
function importsOf(path: string, source: string): string[] {
  const statements = source.matchAll(/^(?:import|export) (?!type)([^;"]*?)from "(\.[^"]+)";/gm);
  const loaded = [...statements].filter(([, names = ""]) => {
    const [, inBraces] = /^\s*\{([^}]*)\}\s*$/.exec(names) ?? [];
    return inBraces?.split(",").every((name) => name.trim() === "" || name.trim().startsWith("type ")) !== true;
  });
  return loaded.map(([, , specifier = ""]) => localPath(new URL(specifier, new URL(path, ROOT)).href));
}

Deno.test("A plain server loads nothing of ACME, metrics, admin, hooks, doctor, stores and databases but how they are named", async () => {
  const loaded = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (loaded.has(path)) return;
    loaded.add(path);
    const source = await Deno.readTextFile(new URL(path, ROOT));
    for (const imported of importsOf(path, source)) if (imported.endsWith(".ts")) await visit(imported);
  };
  const parts = [
    "main.ts",
    "lib/cli/run.ts",
    "lib/cli/serve.ts",
    "lib/serve/service.ts",
    "lib/serve/worker_program.ts",
  ];
  for (const path of parts) await visit(path);
  const optional = /^lib\/(?:acme|admin|doctor|hooks|filesystem\/object|state\/postgres|state\/sqlite)\//;
  assertEquals([...loaded].filter((path) => optional.test(path)).sort(), [
    "lib/filesystem/object/s3_address.ts",
    "lib/hooks/hook_message.ts",
    "lib/state/postgres/database_address.ts",
    "lib/state/postgres/node_term.ts",
  ]);
  assertGreater(loaded.size, 150);
});

Deno.test("findViolations() accepts imports that go down", () => {
  const graph = new Map([
    ["main.ts", ["lib/cli/run.ts"]],
    ["lib/cli/run.ts", ["lib/serve/load.ts", "node:process", "jsr:@std"]],
    ["lib/serve/load.ts", ["lib/server/ftp_server.ts", "lib/accounts/virtual_authorizer.ts"]],
    ["lib/server/ftp_server.ts", ["lib/transport/deno_tcp.ts", "lib/events.ts"]],
    ["lib/transport/deno_tcp.ts", ["lib/transport/connection.ts", "lib/transport/address.ts", "node:net"]],
    ["lib/accounts/authorizer.ts", ["lib/filesystem/filesystem.ts", "lib/accounts/permission.ts"]],
    ["lib/logger.ts", ["lib/events.ts"]],
    ["mod.ts", ["lib/filesystem/local/local_filesystem.ts", "lib/server/ftp_server.ts"]],
  ]);
  assertEquals(findViolations(graph), []);
});

Deno.test("findViolations() reports an import that breaks the rule", () => {
  const planted: readonly (readonly [string, string, string])[] = [
    ["lib/commands/file_transfer.ts", "lib/control/gate.ts", '"control" is above "commands"'],
    ["lib/protocol/reply.ts", "mod.ts", '"mod.ts" is above "protocol"'],
    ["lib/protocol/reply.ts", "lib/events.ts", '"lib" is beside "protocol"'],
    ["lib/events.ts", "lib/protocol/reply.ts", '"protocol" is beside "lib"'],
    [
      "lib/accounts/virtual_authorizer.ts",
      "lib/filesystem/read_only.ts",
      '"filesystem adapters" is beside "accounts adapters"',
    ],
    ["lib/accounts/authorizer.ts", "lib/accounts/password_hash.ts", '"accounts adapters" is above "interfaces"'],
    ["lib/data/passive.ts", "lib/transport/deno_tcp.ts", '"data" may know the interface only'],
    ["lib/cli/hash_password.ts", "lib/accounts/password_hash.ts", '"cli" may know the interface only'],
    ["lib/session/session.ts", "node:crypto", "only adapters and the command line know the host"],
    ["lib/transport/connection.ts", "node:net", "only adapters and the command line know the host"],
    ["lib/extra/thing.ts", "lib/events.ts", '"extra" has no place in the layers'],
    [
      "lib/server/ftp_server.ts",
      "tests/helpers/raw_client.ts",
      '"tests/helpers/raw_client.ts" has no place in the layers',
    ],
  ];
  for (const [from, to, reason] of planted) {
    assertEquals(findViolations(new Map([[from, [to]]])), [`${from} imports ${to}: ${reason}`]);
  }
});

Deno.test("findViolations() reports a cycle", () => {
  const graph = new Map([
    ["lib/data/a.ts", ["lib/data/b.ts"]],
    ["lib/data/b.ts", ["lib/data/c.ts"]],
    ["lib/data/c.ts", ["lib/data/b.ts"]],
  ]);
  assertEquals(findViolations(graph), ["Cycle: lib/data/b.ts → lib/data/c.ts → lib/data/b.ts"]);
});

Deno.test("the search for names of the runtime reads code, not comments and texts", () => {
  const innocent = '// Deno.x\nconst r = /["`]Deno/; "process"; b.process; ({ Buffer: r }); class A { process() {} }';
  assertEquals(findInSource("lib/data/a.ts", innocent), []);
  const uses = ["Deno.args", "let a: Deno.Conn", "`${Deno.pid}`", "globalThis.Deno", "typeof process", "new Buffer(1)"];
  for (const source of uses) {
    assertEquals(findInSource("lib/data/a.ts", source).length, 1, source);
    assertEquals(findInSource("lib/transport/deno_tcp.ts", source), []);
  }
  for (const source of ["export default 1", "const a = 1; export { a as default }"]) {
    assertEquals(findInSource("lib/transport/deno_tcp.ts", source).length, 1, source);
  }
});
