import { assert, assertEquals, assertMatch } from "@std/assert";
import { AcmeError } from "../../lib/acme/acme_error.ts";
import { MemoryStorage } from "../../lib/acme/acme_storage.ts";
import { CertificateKeeper, type CertificateKeeperOptions } from "../../lib/acme/certificate_keeper.ts";
import { CertificateStore } from "../../lib/acme/certificate_store.ts";
import type { ObtainedCertificate } from "../../lib/acme/obtain_certificate.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NAMES = ["ftp.example.org"];
const unaborted = new AbortController().signal;

/** A pair whose certificate says which it is: when it was made, and for whom. */
function pairOf(madeAt: number, names: readonly string[] = NAMES): ObtainedCertificate {
  const body = btoa(`${madeAt} ${names.join(" ")}`);
  return {
    key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    certificate: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
  };
}

/** 90 days, from when it was made. */
function examine({ certificate }: ObtainedCertificate) {
  const [madeAt = "", ...names] = atob(certificate.split("\n")[1] ?? "").split(" ");
  const validFrom = Number(madeAt);
  return Promise.resolve({
    names,
    validFrom: new Date(validFrom),
    validTo: new Date(validFrom + 90 * DAY),
    fingerprint: "00",
  });
}

/** A keeper whose waits are over at once, and a CA that does what a test wants. */
function scene(
  given: Partial<CertificateKeeperOptions> & { readonly storage?: MemoryStorage; readonly names?: readonly string[] } =
    {},
) {
  const { storage = new MemoryStorage(), names = NAMES } = given;
  const seen = {
    now: 1_000_000,
    orders: [] as number[],
    used: [] as ObtainedCertificate[],
    failures: [] as string[],
    renewed: 0,
    log: [] as string[],
  };
  const store = new CertificateStore(storage, "https://ca/dir", names);
  const ended = Promise.withResolvers<void>();
  let left = Infinity;
  const keeper = new CertificateKeeper({
    names,
    store,
    order: () => {
      seen.orders.push(seen.now);
      return Promise.resolve(pairOf(seen.now, names));
    },
    examine,
    use: (pair) => Promise.resolve(void seen.used.push(pair)),
    duties: { take: () => true },
    hasOthers: false,
    onRenewed: () => seen.renewed++,
    onFailed: ({ message }) => seen.failures.push(message),
    log: (_level, text) => seen.log.push(text),
    random: () => 0,
    clock: {
      now: () => seen.now,
      // Time passes as it is waited for, up to an end.
      wait: async (ms, signal) => {
        signal.throwIfAborted();
        if (seen.now + ms > left) {
          ended.resolve();
          await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        }
        seen.now += ms;
        await new Promise((resolve) => setTimeout(resolve, 0));
      },
    },
    ...given,
  });
  return {
    ...{ keeper, store, seen },
    /** Lets time pass, and ends the keeper. */
    async run(ms: number): Promise<void> {
      left = seen.now + ms;
      await keeper.start();
      keeper.attach(undefined);
      await ended.promise;
      await keeper[Symbol.asyncDispose]();
    },
  };
}

Deno.test("CertificateKeeper orders where there is nothing, and again when a third of the life is left", async () => {
  const { seen, store, run } = scene();
  await run(200 * DAY);
  assertEquals(seen.orders.map((at) => Math.round((at - 1_000_000) / DAY)), [0, 60, 120, 180]);
  assertEquals([seen.used.length, seen.renewed, seen.failures], [4, 4, []]);
  assertEquals((await store.certificate())?.certificate, seen.used.at(-1)?.certificate);
});

Deno.test("CertificateKeeper asks nobody where what is stored is good", async () => {
  const { keeper, seen, store, run } = scene();
  await store.keepCertificate(pairOf(1_000_000 - 10 * DAY));
  await run(40 * DAY);
  assertEquals(seen.orders, []);
  assertEquals(keeper.current?.certificate, pairOf(1_000_000 - 10 * DAY).certificate);
  assertEquals(keeper.status.nextAttempt.getTime(), 1_000_000 + 50 * DAY);
});

Deno.test("CertificateKeeper tries again with longer waits, and keeps what it has meanwhile", async () => {
  let isAway = true;
  const at: number[] = [];
  const { seen, store, run, keeper } = scene({
    order: () => {
      at.push(Math.round((seen.now - 1_000_000) / 60_000));
      return isAway ? Promise.reject(new AcmeError("unreachable", "away")) : Promise.resolve(pairOf(seen.now));
    },
  });
  const old = pairOf(1_000_000 - 61 * DAY);
  await store.keepCertificate(old);
  await run(100 * 60_000);
  assertEquals(at, [0, 1, 5, 21, 85]);
  assertEquals(seen.failures.length, 5);
  assertEquals(seen.used.map(({ certificate }) => certificate), [old.certificate]);
  assertEquals([keeper.status.failures, keeper.status.lastFailure], [5, "away"]);
  isAway = false;
});

Deno.test("CertificateKeeper waits as long as the CA wants, also behind a restart, and says so", async () => {
  const storage = new MemoryStorage();
  const limited = new AcmeError("rateLimited", "too many", { retryAfterMs: 30 * HOUR });
  const first = scene({ storage, order: () => Promise.reject(limited) });
  await first.run(HOUR);
  assertEquals(first.seen.failures.length, 1);
  const second = scene({ storage });
  second.seen.now = 1_000_000 + HOUR;
  await second.run(28 * HOUR);
  assertEquals(second.seen.orders, []);
  const third = scene({ storage });
  third.seen.now = 1_000_000 + 31 * HOUR;
  await third.run(HOUR);
  assertEquals(third.seen.orders.length, 1);
});

Deno.test("CertificateKeeper uses no certificate that makes no handshake, and stores none", async () => {
  const { seen, store, run } = scene({ examine: () => Promise.reject(new TypeError("no TLS handshake comes about")) });
  await run(30_000);
  assertEquals(seen.used, []);
  assertEquals(await store.certificate(), undefined);
  assertEquals(seen.failures, ["the certificate of the CA cannot be used: no TLS handshake comes about"]);
});

Deno.test("CertificateKeeper keeps the certificate of fewer names until there is one for all", async () => {
  const storage = new MemoryStorage();
  await new CertificateStore(storage, "https://ca/dir", NAMES).keepCertificate(pairOf(1_000_000));
  const names = [...NAMES, "more.example.org"];
  const away = scene({ storage, names, order: () => Promise.reject(new AcmeError("refusedValidation", "no address")) });
  await away.run(30_000);
  assertEquals(away.seen.used.length, 1);
  assertEquals(away.seen.failures, ["no address"]);
  const good = scene({ storage, names });
  await good.run(30_000);
  assertEquals(good.keeper.current?.certificate, pairOf(1_000_000, names).certificate);
});

Deno.test("CertificateKeeper leaves the order to the node that has the duty, and takes what that has stored", async () => {
  const storage = new MemoryStorage();
  let asked = 0;
  const { seen, store, keeper } = scene({
    storage,
    hasOthers: true,
    duties: {
      take: async () => {
        if (++asked === 2) await store.keepCertificate(pairOf(seen.now));
        return false;
      },
    },
  });
  await keeper.start();
  keeper.attach("of memory");
  await keeper.settled(AbortSignal.timeout(5_000));
  await keeper[Symbol.asyncDispose]();
  assertEquals(seen.orders, []);
  assert(keeper.current !== undefined);
  assertEquals(seen.used.length, 1);
});

Deno.test("CertificateKeeper ends an order that is under way when it is disposed of", async () => {
  const begun = Promise.withResolvers<void>();
  const { keeper, seen } = scene({
    order: (signal) => {
      begun.resolve();
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  await keeper.start();
  await begun.promise;
  assert(keeper.status.isOrdering);
  await keeper[Symbol.asyncDispose]();
  assertEquals(seen.failures, []); // the next start goes on with it
  await keeper.settled(unaborted);
});

Deno.test("CertificateKeeper uses no certificate that is for other names or has ended, and waits longer each time", async () => {
  const wrong = [pairOf(1_000_000, ["other.example.org"]), pairOf(1_000_000 - 91 * DAY)];
  for (const pair of wrong) {
    let orders = 0;
    const { seen, store, run } = scene({ order: () => Promise.resolve(++orders < 100 ? pair : pairOf(1_000_000)) });
    const old = pairOf(1_000_000 - 61 * DAY);
    await store.keepCertificate(old);
    await store.keepOrder({ url: "https://ca/order", key: "key" });
    await run(30 * 60_000);
    assertEquals(orders, 4); // at once, and after 1, 4 and 16 minutes
    assertEquals(seen.used.map(({ certificate }) => certificate), [old.certificate]);
    assertEquals((await store.certificate())?.certificate, old.certificate);
    assertMatch(seen.failures[0] ?? "", /^the certificate of the CA cannot be used: it (is not for|ended on)/);
    assertEquals(await store.order(), undefined); // else the next attempt gets the same again
  }
});

Deno.test("CertificateKeeper does not order again and again where each certificate is due at once", async () => {
  let orders = 0;
  const { seen, run } = scene({
    order: () => Promise.resolve(++orders < 100 ? pairOf(seen.now - 80 * DAY) : pairOf(seen.now)),
  });
  await run(5 * HOUR + 60_000);
  assertEquals(orders, 6);
});
