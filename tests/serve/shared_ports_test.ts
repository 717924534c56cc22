import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { AuthorizerBusyError, LoginRefusedError } from "../../lib/accounts/authorizer.ts";
import { FileSystemError } from "../../lib/filesystem/filesystem.ts";
import { RemotePorts } from "../../lib/serve/remote_ports.ts";
import { type PortConnection, PortOwner, type PortRequest } from "../../lib/serve/shared_ports.ts";
import type { Lease, MaybePromise, SharedMethods } from "../../lib/shared_port.ts";

interface Ticket extends Lease {
  readonly number: number;
  stamp(): void;
  price(factor: number): MaybePromise<number>;
  refund(): void;
}

/** A port with each kind of call. */
interface Booth {
  ticket(name: string, signal: AbortSignal): MaybePromise<Ticket | undefined>;
  wait(options: { readonly name: string; readonly signal: AbortSignal }): MaybePromise<string>;
  plain(value: unknown): MaybePromise<unknown>;
}

const BOOTH: SharedMethods<Booth> = {
  ticket: { number: "value", stamp: "tell", price: "ask", refund: "undo" },
  wait: {},
  plain: {},
};

/** A port in "another event loop": all that is said is cloned, and comes a turn later. */
class TwoLoops {
  readonly remote: RemotePorts;
  readonly connection: PortConnection;
  readonly booth: Booth;
  readonly reported: string[] = [];
  readonly requests: string[] = [];

  constructor(booth: Booth) {
    const owner = new PortOwner();
    owner.share("booth", booth, BOOTH);
    const later = (message: unknown, receive: (message: never) => void) => {
      const clone = structuredClone(message);
      queueMicrotask(() => receive(clone as never));
    };
    this.connection = owner.connect(
      (answer) => later(answer, (answer) => this.remote.receive(answer)),
      (call) => void this.reported.push(call),
    );
    this.remote = new RemotePorts((request) => {
      this.requests.push(request.kind);
      later(request, (request) => this.connection.receive(request));
    });
    this.booth = this.remote.port<Booth>("booth", BOOTH);
  }
}

/** A booth that notes what is done with its tickets. */
function createBooth(changes: Partial<Booth> = {}): { readonly booth: Booth; readonly done: string[] } {
  const done: string[] = [];
  const booth: Booth = {
    ticket: (name) => createTicket(done, name),
    wait: ({ name }) => name,
    plain: (value) => value,
    ...changes,
  };
  return { booth, done };
}

function createTicket(done: string[], name: string, lost?: AbortSignal): Ticket {
  return {
    number: 7,
    stamp: () => void done.push(`stamp ${name}`),
    price: (factor) => factor * 2,
    refund: () => void done.push(`refund ${name}`),
    ...lost && { lost },
    [Symbol.dispose]: () => void done.push(`release ${name}`),
  };
}

/** Lets what has been said arrive, and the answer to it. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 4; turns++) await new Promise((resolve) => setTimeout(resolve, 2));
}

const UNABORTED = new AbortController().signal;

Deno.test("A shared port answers with values", async () => {
  const { booth } = createBooth();
  const loops = new TwoLoops(booth);
  assertEquals(await loops.booth.plain({ list: [1, undefined] }), { list: [1, undefined] });
  assertEquals(await loops.booth.plain(undefined), undefined);
  assertEquals(await loops.booth.wait({ name: "alice", signal: UNABORTED }), "alice");
});

Deno.test("A lease of a shared port has its values and methods, and is released once, each with one message", async () => {
  const { booth, done } = createBooth();
  const loops = new TwoLoops(booth);
  const ticket = await loops.booth.ticket("a", UNABORTED);
  assert(ticket !== undefined);
  assertEquals([ticket.number, ticket.lost], [7, undefined]);
  ticket.stamp();
  assertEquals(await ticket.price(3), 6);
  ticket[Symbol.dispose]();
  ticket[Symbol.dispose]();
  await settle();
  assertEquals(done, ["stamp a", "release a"]);
  assertEquals(loops.requests, ["call", "use", "use", "release"]);
});

Deno.test("A lease of a shared port that is undone is not released by another message", async () => {
  const { booth, done } = createBooth();
  const loops = new TwoLoops(booth);
  {
    using ticket = await loops.booth.ticket("a", UNABORTED);
    ticket?.refund();
  }
  await settle();
  assertEquals(done, ["refund a", "release a"]);
  assertEquals(loops.requests, ["call", "cancel"]);
});

Deno.test("A lease of a shared port tells that it was lost, also before it came", async () => {
  const losing = new AbortController();
  const done: string[] = [];
  const { booth } = createBooth({ ticket: (name) => createTicket(done, name, losing.signal) });
  const loops = new TwoLoops(booth);
  using first = await loops.booth.ticket("a", UNABORTED);
  assert(first?.lost?.aborted === false);
  losing.abort(new Error("expired"));
  await settle();
  assertEquals(first?.lost?.reason.message, "expired");
  using second = await loops.booth.ticket("b", UNABORTED);
  await settle();
  assert(second?.lost?.aborted);
});

Deno.test("A call of a shared port is cancelled by its signal, at once here and then at its owner", async () => {
  const seen = Promise.withResolvers<AbortSignal>();
  const { booth } = createBooth({
    wait: ({ signal }) => {
      seen.resolve(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  const loops = new TwoLoops(booth);
  const leaving = new AbortController();
  const waiting = loops.booth.wait({ name: "a", signal: leaving.signal });
  const signal = await seen.promise;
  leaving.abort(new Error("left"));
  await assertRejects(async () => await waiting, Error, "left");
  await settle();
  assert(signal.aborted);
  await assertRejects(async () => await loops.booth.wait({ name: "b", signal: leaving.signal }), Error, "left");
  assertEquals([loops.requests, loops.reported], [["call", "cancel"], []]);
});

Deno.test("A lease that comes after its call was cancelled is undone and released at once", async () => {
  const given = Promise.withResolvers<void>();
  const done: string[] = [];
  const { booth } = createBooth({ ticket: (name) => given.promise.then(() => createTicket(done, name)) });
  const loops = new TwoLoops(booth);
  const leaving = new AbortController();
  const waiting = loops.booth.ticket("a", leaving.signal);
  await settle();
  leaving.abort(new Error("left"));
  await assertRejects(async () => await waiting, Error, "left");
  await settle();
  assertEquals(done, []);
  given.resolve();
  await settle();
  assertEquals(done, ["refund a", "release a"]);
});

Deno.test("A lease whose call is cancelled while it is on its way is undone and released", async () => {
  const leaving = new AbortController();
  const done: string[] = [];
  const { booth } = createBooth({
    ticket: (name) => {
      queueMicrotask(() => queueMicrotask(() => leaving.abort(new Error("left"))));
      return createTicket(done, name);
    },
  });
  const loops = new TwoLoops(booth);
  await assertRejects(async () => await loops.booth.ticket("a", leaving.signal), Error, "left");
  await settle();
  assertEquals(done, ["refund a", "release a"]);
});

Deno.test("Errors of a shared port keep the class that callers tell apart", async () => {
  const errors: readonly unknown[] = [
    new FileSystemError("busy", "It is written"),
    new AuthorizerBusyError("Too many", { countsAsFailure: true, isOutage: true }),
    new TypeError("Not so"),
    "thrown",
    new LoginRefusedError("the account has expired"),
  ];
  const { booth } = createBooth({
    plain: (index) => {
      throw errors[index as number];
    },
  });
  const loops = new TwoLoops(booth);
  const thrown = async (index: number) => await assertRejects(async () => await loops.booth.plain(index), Error);
  const [file, busy, other, text] = [await thrown(0), await thrown(1), await thrown(2), await thrown(3)];
  assertInstanceOf(file, FileSystemError);
  assertEquals([file.kind, file.message], ["busy", "It is written"]);
  assertInstanceOf(busy, AuthorizerBusyError);
  assertEquals([busy.countsAsFailure, busy.isOutage, busy.message], [true, true, "Too many"]);
  assertEquals([other?.name, other?.message, text?.message], ["Error", "Not so", "thrown"]);
  const refused = await thrown(4);
  assertInstanceOf(refused, LoginRefusedError);
  assertEquals(refused.message, "the account has expired");
});

for (
  const [port, method] of [
    ["none", "plain"],
    ["booth", "none"],
    ["booth", "constructor"],
    ["booth", "toString"],
    ["booth", "__proto__"],
    ["__proto__", "toString"],
  ] as const
) {
  Deno.test(`A call of ${port}.${method} is refused, and others go on`, async () => {
    const { booth } = createBooth();
    const loops = new TwoLoops(booth);
    const other = loops.remote.port<Record<string, () => Promise<unknown>>>(
      port,
      Object.fromEntries([[method, {}]]),
    );
    await assertRejects(async () => await other[method]?.(), Error, `No shared port has "${port}.${method}"`);
    assertEquals(await loops.booth.plain(1), 1);
    assertEquals(loops.reported, []);
  });
}

Deno.test("A lease of a shared port does nothing but what is declared", async () => {
  const { booth } = createBooth();
  const loops = new TwoLoops(booth);
  using _ticket = await loops.booth.ticket("a", UNABORTED);
  const use = (member: string): PortRequest => ({ kind: "use", lease: 1, member, args: [] });
  for (const member of ["number", "constructor", "hasOwnProperty"]) loops.connection.receive(use(member));
  await settle();
  assertEquals(loops.reported, ["number", "constructor", "hasOwnProperty"]);
});

Deno.test("What cannot be sent is an error of its call, on both sides", async () => {
  const done: string[] = [];
  const { booth } = createBooth({
    plain: () => () => {},
    ticket: (name) => ({ ...createTicket(done, name), number: Symbol() as unknown as number }),
  });
  const loops = new TwoLoops(booth);
  await assertRejects(async () => await loops.booth.plain(() => {}), DOMException);
  await assertRejects(async () => await loops.booth.plain(1), Error, "could not be cloned");
  await assertRejects(async () => await loops.booth.ticket("a", UNABORTED), Error, "could not be cloned");
  assertEquals(done, ["refund a", "release a"]);
});

Deno.test("What a call without an answer throws is reported by the owner", async () => {
  const failing = (): never => {
    throw new Error("no");
  };
  const { booth } = createBooth({
    ticket: () => ({ ...createTicket([], ""), stamp: failing, refund: failing, [Symbol.dispose]: failing }),
  });
  const loops = new TwoLoops(booth);
  const ticket = await loops.booth.ticket("a", UNABORTED);
  ticket?.stamp();
  ticket?.refund();
  await settle();
  assertEquals(loops.reported.toSorted(), ["refund", "release", "stamp"]);
});

Deno.test("An event loop that has ended holds nothing, and gets nothing of what it waited for", async () => {
  const given = Promise.withResolvers<void>();
  const done: string[] = [];
  const signals: AbortSignal[] = [];
  const { booth } = createBooth({
    ticket: (name, signal) => {
      signals.push(signal);
      return name === "late" ? given.promise.then(() => createTicket(done, name)) : createTicket(done, name);
    },
  });
  const loops = new TwoLoops(booth);
  await loops.booth.ticket("held", UNABORTED);
  const late = loops.booth.ticket("late", UNABORTED);
  await settle();
  loops.connection[Symbol.dispose]();
  loops.connection[Symbol.dispose]();
  assertEquals(done, ["release held"]);
  assert(signals[1]?.aborted);
  given.resolve();
  await assertRejects(async () => await late, Error, "has ended");
  assertEquals(done, ["release held", "refund late", "release late"]);
});

Deno.test("The end of the owner fails the calls that wait, and later ones, and loses what may be lost", async () => {
  const { booth } = createBooth({
    ticket: (name) => createTicket([], name, UNABORTED),
    plain: () => new Promise(() => {}),
  });
  const loops = new TwoLoops(booth);
  const ticket = await loops.booth.ticket("a", UNABORTED);
  const waiting = loops.booth.plain(1);
  await settle();
  loops.connection[Symbol.dispose]();
  await assertRejects(async () => await waiting, Error, "The event loop that owns the port has ended");
  await assertRejects(async () => await loops.booth.plain(2), Error, "has ended");
  assert(ticket?.lost?.aborted);
  ticket?.stamp();
  ticket?.[Symbol.dispose]();
});

Deno.test("Calls of a shared port are bounded, here and at the owner", async () => {
  const sent: PortRequest[] = [];
  const remote = new RemotePorts((request) => void sent.push(request), 3);
  const booth = remote.port<Booth>("booth", BOOTH);
  const waiting = [1, 2, 3].map((count) => booth.plain(count));
  await assertRejects(async () => await booth.plain(0), Error, "3 calls wait");
  remote.receive({ kind: "closed" });
  await Promise.allSettled(waiting);

  const answers: unknown[] = [];
  const owner = new PortOwner(3);
  owner.share("booth", createBooth({ plain: () => new Promise(() => {}) }).booth, BOOTH);
  using connection = owner.connect((answer) => void answers.push(answer.kind), () => {});
  for (const request of sent) connection.receive(request);
  assertEquals(answers, []);
  connection.receive({ kind: "call", id: 0, port: "booth", method: "plain", args: [1], signal: "none" });
  await settle();
  assertEquals(answers, ["error"]);
});

Deno.test("SharedMethods names each method of a port, and each member of its leases", () => {
  // @ts-expect-error A method is missing.
  const incomplete: SharedMethods<Booth> = { ticket: BOOTH.ticket, wait: {} };
  // @ts-expect-error A member of a lease is missing.
  const thin: SharedMethods<Booth> = { ...BOOTH, ticket: { number: "value" } };
  assertThrows(() => assertEquals(incomplete, thin));
});
