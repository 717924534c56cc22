import { assert, assertEquals, assertGreater } from "@std/assert";
import { parse } from "@std/yaml";
import { seriesNames } from "../helpers/all_metrics.ts";
import { programTest } from "../helpers/client_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const FOLDER = new URL("../../packaging/monitoring/", import.meta.url);
const readText = (name: string) => Deno.readTextFile(new URL(name, FOLDER));

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
  }[];
}

async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readText("dashboard.json"));
}

/** Names of ftpsd's series in a text; those of alerts begin with a capital letter. */
function metricsIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\bftpsd_[a-z_]+/g)].map(([name]) => name));
}

async function promtool(args: readonly string[], cwd: string): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("promtool", { args: [...args], cwd }).output();
  return { code, text: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("") };
}

Deno.test("Rules and dashboard name no metric that there is not, and leave none out", async () => {
  const known = seriesNames();
  const [rules, tests, dashboard] = await Promise.all(
    ["alerts.yml", "alerts_test.yml", "dashboard.json"].map(readText),
  );
  for (const text of [rules, tests, dashboard]) {
    assertEquals([...metricsIn(text ?? "")].filter((name) => !known.has(name)), []);
  }
  const shown = metricsIn(dashboard ?? "");
  const missing = [...known].filter((name) => !/_(sum|count)$/.test(name) && !shown.has(name));
  assertEquals(missing, []);
});

Deno.test("Each alert has a test, a severity and a summary", async () => {
  const { groups } = parse(await readText("alerts.yml"), { schema: "core" }) as {
    groups: { rules: { alert: string; labels: Record<string, string>; annotations: Record<string, string> }[] }[];
  };
  const rules = groups.flatMap(({ rules }) => rules);
  const tests = await readText("alerts_test.yml");
  for (const { alert, labels, annotations } of rules) {
    assert(["critical", "warning", "info"].includes(labels.severity ?? ""), alert);
    assertGreater(annotations.summary?.length ?? 0, 0, alert);
    assert(tests.split("\n").includes(`  - name: ${alert}`), alert);
  }
  assertGreater(rules.length, 10);
});

Deno.test("The panels of the dashboard have ids of their own, and lie beside each other", async () => {
  const { panels } = await readDashboard();
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Set<string>();
  for (const { gridPos: { x, y, w, h } } of panels) {
    assert(x >= 0 && x + w <= 24);
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        assert(!taken.has(`${column} ${row}`), `${column} ${row}`);
        taken.add(`${column} ${row}`);
      }
    }
  }
});

Deno.test("vector.yaml reads what the log has, and labels few of it", async () => {
  const { sources, transforms, sinks } = parse(await readText("vector.yaml"), { schema: "core" }) as {
    sources: Record<string, { type: string }>;
    transforms: Record<string, { type: string; inputs: string[]; source: string }>;
    sinks: Record<string, { type: string; inputs: string[]; labels: Record<string, string> }>;
  };
  const inputs = [...Object.values(transforms), ...Object.values(sinks)].flatMap(({ inputs }) => inputs);
  assertEquals(inputs.filter((name) => !(name in sources) && !(name in transforms)), []);
  const fields = [...(transforms.ftpsd?.source ?? "").matchAll(/\bevent\.(\w+)/g)].map(([, field]) => field);
  assertEquals([...new Set(fields)].sort(), ["event", "level", "time"]);
  assertEquals(Object.keys(sinks.loki?.labels ?? {}).sort(), ["event", "host", "job", "level"]);
});

Deno.test(programTest({
  program: "promtool",
  name: "promtool accepts the configuration and the rules, each of which fires when it has to, and only then",
  fn: async () => {
    const folder = FOLDER.pathname;
    for (const args of [["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]]) {
      const { code, text } = await promtool(args, folder);
      assertEquals(code, 0, text);
    }
  },
}));

Deno.test(programTest({
  program: "promtool",
  name: "promtool accepts each query of the dashboard",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const { panels } = await readDashboard();
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
      .map((expr) => expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"));
    const rules = queries.map((expr, index) => ({ record: `query:${index}`, expr }));
    await Deno.writeTextFile(`${folder.path}/queries.yml`, JSON.stringify({ groups: [{ name: "queries", rules }] }));
    const { code, text } = await promtool(["check", "rules", "queries.yml"], folder.path);
    assertEquals(code, 0, text);
    assertGreater(queries.length, 20);
  },
}));
