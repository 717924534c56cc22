/**
 * The import rule of `lib/`: which module may know which.
 *
 * @module
 */

/** Each module's path from the project's root, with what it imports: such paths, or specifiers as `node:tls`. */
export type ModuleGraph = ReadonlyMap<string, readonly string[]>;

/** From the top down: a module imports from lines below its own. What stands on one line is apart from its neighbours. */
const LAYERS: readonly (readonly string[])[] = [
  ["mod.ts", "main.ts"],
  ["cli"],
  ["serve"],
  ["admin"],
  ["check", "doctor"],
  ["hooks", "acme"],
  ["server"],
  ["control"],
  ["commands"],
  ["session"],
  ["data"],
  ["transport adapters", "filesystem adapters", "accounts adapters", "state adapters"],
  ["settings"],
  ["interfaces"],
  ["protocol", "lib", "deno.json"],
];

/** The ports, and what callers need to know of them, in the folders of the adapters. */
const INTERFACES: ReadonlySet<string> = new Set([
  "lib/transport/connection.ts",
  "lib/filesystem/checked_values.ts",
  "lib/filesystem/entry_batches.ts",
  "lib/filesystem/file_claims.ts",
  "lib/filesystem/filesystem.ts",
  "lib/filesystem/guarded_filesystem.ts",
  "lib/filesystem/pending_calls.ts",
  "lib/accounts/authorizer.ts",
  "lib/accounts/permission.ts",
  "lib/accounts/second_factor.ts",
  "lib/state/bans.ts",
  "lib/state/duties.ts",
  "lib/state/hook_queue.ts",
  "lib/state/offenders.ts",
  "lib/state/quotas.ts",
  "lib/state/records.ts",
  "lib/state/session_selector.ts",
  "lib/state/state.ts",
]);

/** What may name concrete adapters. */
const COMPOSERS: ReadonlySet<string> = new Set(["mod.ts", "serve", "check", "server"]);

/** What may use the runtime's own interfaces. */
const HOST_USERS: ReadonlySet<string> = new Set([
  "main.ts",
  "cli",
  "serve",
  "admin",
  "check",
  "doctor",
  "hooks",
  "acme",
]);

/** Finds what breaks the rule: one sentence each, empty when nothing does. */
export function findViolations(graph: ModuleGraph): string[] {
  const violations: string[] = [];
  for (const [path, imports] of graph) {
    for (const imported of imports) {
      const reason = imported.includes(":") ? refuseHostModule(path, imported) : refuseImport(path, imported);
      if (reason !== undefined) violations.push(`${path} imports ${imported}: ${reason}`);
    }
  }
  return [...violations, ...findCycles(graph).map((cycle) => `Cycle: ${cycle.join(" → ")}`)];
}

/** Returns whether a module may use `Deno`, `node:*` and other interfaces of the runtime. */
export function mayUseHost(path: string): boolean {
  const group = groupOf(path);
  return group.endsWith(" adapters") || HOST_USERS.has(group);
}

function refuseHostModule(path: string, specifier: string): string | undefined {
  return specifier.startsWith("node:") && !mayUseHost(path)
    ? "only adapters and the command line know the host"
    : undefined;
}

function refuseImport(path: string, imported: string): string | undefined {
  const [from, to] = [groupOf(path), groupOf(imported)];
  const [fromLayer, toLayer] = [layerOf(from), layerOf(to)];
  if (fromLayer < 0) return `"${from}" has no place in the layers`;
  if (toLayer < 0) return `"${to}" has no place in the layers`;
  if (from === to) return undefined;
  if (toLayer < fromLayer) return `"${to}" is above "${from}"`;
  if (toLayer === fromLayer) return `"${to}" is beside "${from}"`;
  if (to.endsWith(" adapters") && !COMPOSERS.has(from)) return `"${from}" may know the interface only`;
  return undefined;
}

/** The folder, or the part of it, that stands in the layers. */
function groupOf(path: string): string {
  const [top, folder, ...rest] = path.split("/");
  if (top !== "lib" || folder === undefined) return path;
  if (rest.length === 0) return "lib";
  if (INTERFACES.has(path)) return "interfaces";
  return LAYERS.flat().includes(`${folder} adapters`) ? `${folder} adapters` : folder;
}

function layerOf(group: string): number {
  return LAYERS.findIndex((layer) => layer.includes(group));
}

/** Each cycle once, beginning and ending with the same module. */
function findCycles(graph: ModuleGraph): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path]);
    if (start >= 0 || done.has(path)) return;
    for (const imported of graph.get(path) ?? []) visit(imported, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}
