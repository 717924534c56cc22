/**
 * What every implementation of the quotas port has to do.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Quota, QuotaAmount, QuotaCounts, QuotaReservation } from "../../lib/state/quotas.ts";

/** Counts, and the same ones seen by somebody else: another event loop, or another machine. */
export interface QuotasUnderTest extends AsyncDisposable {
  readonly counts: QuotaCounts;
  readonly others: QuotaCounts;
}

const KIB = 1024;

/** A quota; 0: no limit. */
export function quotaOf(name: string, bytes: number, files = 0): Quota {
  return { name, limits: { bytes, files } };
}

/** Sets what is stored as a first count does. */
export async function count(counts: QuotaCounts, name: string, bytes = 0, files = 0): Promise<void> {
  // Where it is counted elsewhere, the end of somebody else's count may take a moment.
  const end = performance.now() + 3_000;
  for (;;) {
    using counting = await counts.beginCount(name);
    if (counting !== undefined) return await counting.end({ bytes, files });
    assert(performance.now() < end, `${name} cannot be counted`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function stored(counts: QuotaCounts, name: string): Promise<QuotaAmount | undefined> {
  return (await counts.use(name))?.stored;
}

/** Reserves where there is room. */
export async function reserve(
  counts: QuotaCounts,
  quotas: readonly Quota[],
  bytes: number,
  files = 0,
): Promise<QuotaReservation> {
  const answer = await counts.reserve(quotas, { bytes, files });
  assert(!("refusal" in answer), Deno.inspect(answer));
  return answer;
}

/** Tests an implementation. */
export function testQuotas(
  name: string,
  create: () => Promise<QuotasUnderTest>,
  { ignore = false }: { readonly ignore?: boolean } = {},
): void {
  const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore, fn });
  test(`${name} begins nothing before somebody has counted`, async () => {
    await using made = await create();
    const { counts, others } = made;
    const quota = quotaOf("user alice", KIB);
    assertEquals(await counts.use("user alice"), undefined);
    const uncounted = { refusal: "uncounted", name: "user alice" } as const;
    assertEquals(await counts.reserve([quota], { bytes: 0, files: 0 }), uncounted);
    {
      using counting = await counts.beginCount("user alice");
      assert(counting !== undefined);
      assertEquals(await others.beginCount("user alice"), undefined);
      assertEquals(await others.reserve([quota], { bytes: 1, files: 0 }), uncounted);
    }
    await count(others, "user alice", 100, 3);
    assertEquals(await stored(counts, "user alice"), { bytes: 100, files: 3 });
    assertEquals(await counts.beginCount("user alice"), undefined);
  });

  test(`${name} reserves to the last byte and file, and not beyond`, async () => {
    await using made = await create();
    const { counts, others } = made;
    const quota = quotaOf("user alice", 10 * 2 ** 40, 2);
    await count(counts, "user alice", 10 * 2 ** 40 - 100, 1);
    using first = await reserve(counts, [quota], 40, 1);
    assertEquals(await others.reserve([quota], { bytes: 0, files: 1 }), { refusal: "files", name: "user alice" });
    assertEquals(await others.reserve([quota], { bytes: 61, files: 0 }), { refusal: "bytes", name: "user alice" });
    using second = await reserve(others, [quota], 50);
    assert(!await second.grow(11));
    assert(await second.grow(10));
    assert(!await first.grow(1));
    assertEquals(await counts.use("user alice"), {
      stored: { bytes: 10 * 2 ** 40 - 100, files: 1 },
      reserved: { bytes: 100, files: 1 },
    });
    second[Symbol.dispose]();
    second[Symbol.dispose]();
    assert(await first.grow(60));
    await first.commit({ bytes: 100, files: 1 });
    assertEquals(await stored(others, "user alice"), { bytes: 10 * 2 ** 40, files: 2 });
    assertEquals((await others.use("user alice"))?.reserved, { bytes: 0, files: 0 });
  });

  test(`${name} lets what takes nothing begin, wherever the count is, and never counts below 0`, async () => {
    await using made = await create();
    const { counts } = made;
    const quota = quotaOf("user alice", 10, 1);
    await count(counts, "user alice", 100, 5);
    {
      using removal = await reserve(counts, [quota], 0);
      await removal.commit({ bytes: -60, files: -2 });
    }
    assertEquals(await stored(counts, "user alice"), { bytes: 40, files: 3 });
    using removal = await reserve(counts, [quota], 0);
    await removal.commit({ bytes: -60, files: -9 });
    assertEquals(await stored(counts, "user alice"), { bytes: 0, files: 0 });
  });

  test(`${name} reserves under all quotas or under none`, async () => {
    await using made = await create();
    const { counts, others } = made;
    const quotas = [quotaOf("user alice", 100), quotaOf("group partners", 50)];
    for (const { name } of quotas) await count(counts, name);
    assertEquals(await counts.reserve(quotas, { bytes: 51, files: 0 }), { refusal: "bytes", name: "group partners" });
    assertEquals((await counts.use("user alice"))?.reserved, { bytes: 0, files: 0 });
    using first = await reserve(counts, quotas, 30);
    using second = await reserve(others, [quotaOf("user bob", 0), quotas[1] as Quota].slice(1), 15);
    assert(!await first.grow(6));
    await second.commit({ bytes: 15, files: 1 });
    await first.commit({ bytes: 20, files: 1 });
    assertEquals(await stored(counts, "group partners"), { bytes: 35, files: 2 });
    assertEquals(await stored(counts, "user alice"), { bytes: 20, files: 1 });
  });

  test(`${name} keeps a limit that many reach for at once`, async () => {
    await using made = await create();
    const quota = quotaOf("user alice", 1000);
    await count(made.counts, "user alice");
    const held: QuotaReservation[] = [];
    let most = 0;
    const grow = async (counts: QuotaCounts, step: number) => {
      const reservation = await reserve(counts, [quota], 0);
      held.push(reservation);
      while (await reservation.grow(step)) {
        most = Math.max(most, (await counts.use("user alice"))?.reserved.bytes ?? 0);
      }
    };
    await Promise.all([3, 7, 11, 13, 1, 1].map((step, index) => grow(index % 2 ? made.counts : made.others, step)));
    assertEquals(most, 1000);
    for (const reservation of held) reservation[Symbol.dispose]();
    using all = await reserve(made.counts, [quota], 1000);
    assert(!await all.grow(1));
  });
}
