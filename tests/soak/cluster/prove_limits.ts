/**
 * Three nodes in processes of their own against one database: whether their limits, bans and leases hold.
 *
 * @module
 */

import type { TestDatabase } from "../../helpers/postgres/test_database.ts";
import {
  CONNECTIONS,
  FAILURES,
  type HeldPlace,
  type NodeAnswer,
  type NodeOrder,
  QUOTA,
  SESSIONS,
} from "./limits_node.ts";

/** What is tried. */
export interface LimitsTrial {
  /** How often so many log in at once. */
  readonly runs: number;
  readonly logins: number;
  readonly leaseMs: number;
  /** Sets the time forward in which a node that is gone is not swept yet. @default {false} */
  readonly hurries?: boolean;
}

/** What has come of it. */
export interface LimitsReport {
  /** Most places that were held at once, by what those who held them say, and by what the database has ever had. */
  readonly maxHeld: { readonly account: number; readonly address: number };
  readonly maxStored: { readonly account: number; readonly address: number };
  /** Logins that got in, that were refused by a limit, and that failed for another reason. */
  readonly loggedIn: number;
  readonly refused: number;
  readonly failed: number;
  /** How long those took that got in. */
  readonly loginMs: readonly number[];
  /** How long the longest run took. */
  readonly maxRunMs: number;
  /** How long after a node was killed another one had a place of its account. */
  readonly freeAfterMs: number;
  /** How much counts as stored of what a killed node has stored and reserved: until it is counted, and when it was. */
  readonly storedAfterKill: readonly [number, number];
  /** How many failures were let begin before a ban that one more node sees. */
  readonly failures: number;
  /** How long after the last failure, and after the ban was lifted, the last node knew of it. */
  readonly banMs: number;
  readonly unbanMs: number;
}

/** Counts in each transaction that takes a place, while it has the lock. */
const WATCH = `
CREATE TABLE public.most (kind text PRIMARY KEY, held int NOT NULL);
CREATE FUNCTION public.watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.most AS m SELECT NEW.kind, count(*) FROM ftpsd.hold h JOIN ftpsd.node n ON n.id = h.node
    WHERE h.kind = NEW.kind AND h.key = NEW.key AND n.expires_at > clock_timestamp()
    ON CONFLICT (kind) DO UPDATE SET held = excluded.held WHERE excluded.held > m.held;
  RETURN NULL;
END $$;
CREATE TRIGGER watch AFTER INSERT ON ftpsd.hold FOR EACH ROW EXECUTE FUNCTION public.watch();
`;

/** A node in a process. */
class NodeProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string, void, undefined>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#lines = linesOf(child.stdout);
  }

  /** Starts one, and waits until it has joined. */
  static async start({ address, authorities }: TestDatabase, leaseMs: number): Promise<NodeProcess> {
    const program = new URL("limits_node.ts", import.meta.url).pathname;
    const args = [JSON.stringify(address), JSON.stringify(authorities), String(leaseMs)];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", `--allow-net=${address.host}:${address.port}`, program, ...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const node = new NodeProcess(child);
    await node.#answer();
    return node;
  }

  async tell(order: NodeOrder): Promise<NodeAnswer> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
    return await this.#answer();
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #answer(): Promise<NodeAnswer> {
    const { value } = await this.#lines.next();
    if (typeof value !== "string") throw new Error("The node has ended");
    return { count: 0, held: [], refused: 0, failed: 0, loginMs: [], ...JSON.parse(value) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {}); // it was killed
    await this.#child.status;
    await this.#lines.return();
  }
}

/** Tries it. The database has to be empty. */
export async function proveLimits(database: TestDatabase, trial: LimitsTrial): Promise<LimitsReport> {
  const { runs, logins, leaseMs, hurries = false } = trial;
  {
    using connection = await database.connect();
    await connection.script(WATCH, 5_000);
  }
  await using opened = new AsyncDisposableStack();
  const nodes = await Promise.all([1, 2, 3].map(() => NodeProcess.start(database, leaseMs)));
  for (const node of nodes) opened.use(node);
  const bursts = await logInOften(nodes, { runs, logins });
  const held = { account: mostAtOnce(bursts, /^user/), address: mostAtOnce(bursts, /^192/) };
  const rows = await database.query("SELECT kind, held FROM public.most");
  const storedOf = (kind: string) => Number(rows.find((row) => row.kind === kind)?.held ?? 0);
  const answers = bursts.flatMap((burst) => burst.answers);
  const loginMs = answers.flatMap((answer) => answer.loginMs);
  return {
    maxHeld: held,
    maxStored: { account: storedOf("account"), address: storedOf("address") },
    loggedIn: loginMs.length,
    refused: answers.reduce((sum, { refused }) => sum + refused, 0),
    failed: answers.reduce((sum, { failed }) => sum + failed, 0),
    loginMs: loginMs.toSorted((one, other) => one - other),
    maxRunMs: Math.max(...bursts.map(({ ms }) => ms)),
    ...await ban(nodes),
    freeAfterMs: await killOne(nodes),
    storedAfterKill: await countAfterKill(database, { hurries }),
  };
}

interface Burst {
  readonly answers: readonly NodeAnswer[];
  readonly ms: number;
}

async function logInOften(
  nodes: readonly NodeProcess[],
  { runs, logins }: Pick<LimitsTrial, "runs" | "logins">,
): Promise<Burst[]> {
  const bursts: Burst[] = [];
  for (let run = 0; run < runs; run++) {
    const count = Math.ceil(logins / nodes.length);
    const begun = performance.now();
    const answers = await Promise.all(
      nodes.map((node, index) => node.tell({ order: "logins", count, first: index * count, maxHoldMs: 100 })),
    );
    bursts.push({ answers, ms: performance.now() - begun });
  }
  return bursts;
}

/** Most places of one key that were held at one time. */
function mostAtOnce(bursts: readonly Burst[], keys: RegExp): number {
  const places = bursts.flatMap(({ answers }) => answers.flatMap(({ held }) => held)).filter(({ key }) =>
    keys.test(key)
  );
  const byKey = Map.groupBy(places, ({ key }) => key).values();
  return Math.max(0, ...[...byKey].map(mostOf));
}

function mostOf(places: readonly HeldPlace[]): number {
  const changes = places.flatMap(({ from, to }) => [[from, 1], [to, -1]] as const)
    .toSorted(([one, by], [other, otherBy]) => one - other || by - otherBy);
  let [now, most] = [0, 0];
  for (const [, by] of changes) most = Math.max(most, now += by);
  return most;
}

/** Fails logins in turn on all nodes, and lifts the ban that these bring. */
async function ban(nodes: readonly NodeProcess[]): Promise<Pick<LimitsReport, "failures" | "banMs" | "unbanMs">> {
  const host = "198.51.100.1";
  let [failures, failedAt] = [0, 0];
  for (let index = 0; failures === index; index++) {
    const { count, at } = await (nodes[index % nodes.length] as NodeProcess).tell({ order: "fail", host, count: 1 });
    if (count > 0) failedAt = at;
    failures += count;
  }
  const lastOf = async (what: "banned" | "free") =>
    Math.max(
      ...(await Promise.all(nodes.map((node) => node.tell({ order: "awaitBan", host, isBanned: what === "banned" }))))
        .map(({ at }) => at),
    );
  const banMs = await lastOf("banned") - failedAt;
  const unbanned = await (nodes[0] as NodeProcess).tell({ order: "unban", host });
  return { failures, banMs, unbanMs: await lastOf("free") - unbanned.at };
}

/** Kills a node that has all places of an account. */
async function killOne(nodes: readonly NodeProcess[]): Promise<number> {
  const [one, two] = nodes as [NodeProcess, NodeProcess];
  await one.tell({ order: "store", bytes: STORED, reserved: RESERVED });
  await one.tell({ order: "fill", account: "alice" });
  const waiting = two.tell({ order: "await", account: "alice" });
  const killedAt = performance.timeOrigin + performance.now();
  one.kill();
  return (await waiting).at - killedAt;
}

const [STORED, RESERVED, LEFT_OVER] = [300_000, 100_000, 50_000];
const SWEPT_AFTER = "10 s";

/** Looks how much counts, lets it be counted, and looks again. */
async function countAfterKill(
  database: TestDatabase,
  { hurries }: { readonly hurries: boolean },
): Promise<LimitsReport["storedAfterKill"]> {
  if (hurries) {
    await database.query("UPDATE ftpsd.node SET expires_at = expires_at - $1::interval WHERE NOT ftpsd.is_alive(id)", [
      SWEPT_AFTER,
    ]);
  }
  const { quotas } = await database.join();
  const end = performance.now() + 30_000;
  for (;;) {
    const change = await quotas.reserve([QUOTA], { bytes: 0, files: 1 });
    if ("refusal" in change) break;
    change[Symbol.dispose]();
    if (performance.now() > end) throw new Error("The change of the killed node stays");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const before = (await quotas.use(QUOTA.name))?.stored.bytes ?? -1;
  using counting = await quotas.beginCount(QUOTA.name);
  await counting?.end({ bytes: STORED + LEFT_OVER, files: 2 });
  const now = await quotas.use(QUOTA.name);
  return [before, (now?.stored.bytes ?? -1) + (now?.reserved.bytes ?? 0)];
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** What of a report is wrong. */
export function faultsOf(report: LimitsReport, { leaseMs }: LimitsTrial): string[] {
  const { maxHeld, maxStored, failed, freeAfterMs, failures, banMs, unbanMs, storedAfterKill: [stored, counted] } =
    report;
  const faults: [boolean, string][] = [
    [maxHeld.account > SESSIONS || maxStored.account > SESSIONS, "an account had too many sessions"],
    [maxHeld.address > CONNECTIONS || maxStored.address > CONNECTIONS, "an address had too many connections"],
    [maxStored.account < SESSIONS, "no account ever had as many sessions as it may"],
    [failed > 0, `${failed} logins failed`],
    [freeAfterMs > leaseMs + 1000, `places of a killed node were free after ${Math.round(freeAfterMs)} ms`],
    [stored !== STORED + RESERVED || counted !== STORED + LEFT_OVER, `${stored} bytes counted, then ${counted}`],
    [failures !== FAILURES, `${failures} failures were let begin`],
    [banMs > 1000 || unbanMs > 1000, `a ban took ${Math.round(banMs)} ms, its end ${Math.round(unbanMs)} ms`],
  ];
  return faults.filter(([isWrong]) => isWrong).map(([, text]) => text);
}
