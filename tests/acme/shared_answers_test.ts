import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AcmeError } from "../../lib/acme/acme_error.ts";
import { NodeSeal } from "../../lib/acme/node_seal.ts";
import { SharedAnswers } from "../../lib/acme/shared_answers.ts";
import { MemoryRecords } from "../../lib/state/memory_records.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const TOKEN = "tokentokentokentoken";
const { signal } = new AbortController();

/** Nodes that hear each other; what each of them answers, and what the first one logs. */
function nodesOf(
  count: number,
  { failing = -1, deaf = -1, secrets = [] }: { failing?: number; deaf?: number; secrets?: readonly string[] } = {},
) {
  const records = new MemoryRecords();
  const log: string[] = [];
  const served = Array.from({ length: count }, () => new Map<string, string>());
  const nodes: SharedAnswers[] = [];
  const tell = (subject: string) => {
    for (const [index, node] of nodes.entries()) if (index !== deaf) node.hear(subject);
    return Promise.resolve();
  };
  for (const index of served.keys()) {
    const use = (answers: ReadonlyMap<string, string>) => {
      if (index === failing && answers.size > 0) return Promise.reject(new AcmeError("local", "port 80 is in use"));
      served[index] = new Map(answers);
      return Promise.resolve();
    };
    nodes.push(
      new SharedAnswers({
        ...{ listener: { use }, records, tell, node: `n${index}` },
        seal: new NodeSeal(secrets[index] ?? SECRET),
        countNodes: () => Promise.resolve(count),
        log: (_level, text) => log.push(text),
      }),
    );
  }
  return {
    ...{ nodes, served, log, records },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}

Deno.test("SharedAnswers lets all nodes answer before the CA may ask, and none of them behind that", async () => {
  await using all = nodesOf(3);
  const answers = new Map([[TOKEN, "print"]]);
  await all.nodes[0]?.use(answers, signal);
  assertEquals(all.served, [answers, answers, answers]);
  assert(!JSON.stringify(all.records.list("acme-challenge")).includes("print"));
  await all.nodes[0]?.use(new Map(), signal);
  await all.nodes[2]?.[Symbol.asyncDispose]();
  await all.nodes[1]?.[Symbol.asyncDispose]();
  assertEquals(all.served.map(({ size }) => size), [0, 0, 0]);
  assertEquals(all.log, []);
});

Deno.test("SharedAnswers names a node that cannot answer, and goes on", async () => {
  await using all = nodesOf(3, { failing: 1 });
  await all.nodes[0]?.use(new Map([[TOKEN, "print"]]), signal);
  assert(all.log.includes("the CA may ask a node that cannot answer: node n1: port 80 is in use"), all.log.join("\n"));
  assertEquals(all.served[2]?.size, 1);
});

Deno.test("SharedAnswers does not wait for ever for a node that hears nothing", async () => {
  await using all = nodesOf(2, { deaf: 1 });
  const stop = new AbortController();
  const waiting = all.nodes[0]?.use(new Map([[TOKEN, "print"]]), stop.signal) ?? Promise.resolve();
  stop.abort(new Error("stopped"));
  await assertRejects(() => waiting, Error, "stopped");
});

Deno.test("SharedAnswers answers nothing that was put into the database without the secret", async () => {
  await using all = nodesOf(2, { secrets: [SECRET, `${SECRET}0`] });
  all.records.set("acme-challenge", "forged", "forged.print");
  await all.nodes[0]?.use(new Map([[TOKEN, "print"]]), signal);
  assertEquals(all.served[1]?.size, 0);
  all.records.set("acme-challenge", "forged", "forged.print");
  all.nodes[0]?.hear("challenge of somebody");
  await all.nodes[0]?.[Symbol.asyncDispose]();
  assertEquals([...all.served[0]?.keys() ?? []], [TOKEN]);
  assertMatch(String(all.records.get("acme-challenge", TOKEN)), /^[A-Za-z0-9+/]+=*$/);
});
