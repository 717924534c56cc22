/**
 * The ports that event loops share: one of them owns the implementations, the others call these by messages. Knows no port by
 * itself, and no way for the messages but a function.
 *
 * @module
 */

import { AuthorizerBusyError, LoginRefusedError } from "../accounts/authorizer.ts";
import { FileSystemError, type FileSystemErrorKind } from "../filesystem/filesystem.ts";
import { isLease, type Lease, type LeaseMember, type SharedMethods } from "../shared_port.ts";
import { describeThrown } from "../thrown.ts";

/** Most calls of one event loop that wait for their answer; each connection has one at most. */
export const MAX_PENDING_CALLS = 65_536;

/** What can be used of a lease. */
export type Members = Readonly<Record<string, LeaseMember>>;
type Method = (...args: readonly unknown[]) => unknown;

/** Where a call has its signal, which cannot be sent: behind the arguments, or in the last of them. */
export type SignalPlace = "none" | "last" | "option";

/** From a caller to the owner. The lease that a call gives has the id of the call. */
export type PortRequest =
  | {
    readonly kind: "call";
    readonly id: number;
    readonly port: string;
    readonly method: string;
    readonly args: readonly unknown[];
    readonly signal: SignalPlace;
  }
  /** The caller waits no more, or has undone what it got. */
  | { readonly kind: "cancel"; readonly id: number }
  /** Calls a method of a lease; without an id there is no answer. */
  | {
    readonly kind: "use";
    readonly id?: number;
    readonly lease: number;
    readonly member: string;
    readonly args: readonly unknown[];
  }
  | { readonly kind: "release"; readonly lease: number };

/** From the owner to a caller. */
export type PortAnswer =
  | { readonly kind: "value"; readonly id: number; readonly value: unknown }
  | {
    readonly kind: "lease";
    readonly id: number;
    readonly values: Readonly<Record<string, unknown>>;
    readonly mayBeLost: boolean;
  }
  | { readonly kind: "error"; readonly id: number; readonly error: SentError }
  | { readonly kind: "lost"; readonly lease: number; readonly reason: SentError }
  /** The owner has ended. */
  | { readonly kind: "closed" };

/** An error, with what callers tell apart. */
interface SentError {
  readonly message: string;
  /** Of a `FileSystemError`. */
  readonly fileSystem?: FileSystemErrorKind;
  /** Of an `AuthorizerBusyError`. */
  readonly busy?: { readonly countsAsFailure: boolean; readonly isOutage: boolean };
  /** Whether it is a `LoginRefusedError`. */
  readonly isLoginRefused?: boolean;
}

function toSent(error: unknown): SentError {
  const message = error instanceof Error ? error.message : describeThrown(error);
  if (error instanceof FileSystemError) return { message, fileSystem: error.kind };
  if (error instanceof AuthorizerBusyError) {
    const { countsAsFailure, isOutage } = error;
    return { message, busy: { countsAsFailure, isOutage } };
  }
  if (error instanceof LoginRefusedError) return { message, isLoginRefused: true };
  return { message };
}

/** Makes an error again of what was sent. */
export function fromSent({ message, fileSystem, busy, isLoginRefused }: SentError): Error {
  if (fileSystem !== undefined) return new FileSystemError(fileSystem, message);
  if (isLoginRefused === true) return new LoginRefusedError(message);
  return busy === undefined ? new Error(message) : new AuthorizerBusyError(message, busy);
}

/** Told of a call without an answer that has failed. Must not throw. */
export type ReportCall = (call: string, cause: unknown) => void;

interface SharedPort {
  readonly port: object;
  readonly methods: Readonly<Record<string, Members>>;
}

/** The ports of the event loop that has their implementations. */
export class PortOwner {
  readonly #ports = new Map<string, SharedPort>();
  readonly #maxPendingCalls: number;

  constructor(maxPendingCalls: number = MAX_PENDING_CALLS) {
    this.#maxPendingCalls = maxPendingCalls;
  }

  /** Lets others call the methods of a port, and nothing else of it. */
  share<Port extends object>(name: string, port: Port, methods: SharedMethods<Port>): void {
    this.#ports.set(name, { port, methods: methods as SharedPort["methods"] });
  }

  /** Serves another event loop. */
  connect(send: (answer: PortAnswer) => void, report: ReportCall): PortConnection {
    return new PortConnection({ ports: this.#ports, maxPendingCalls: this.#maxPendingCalls }, send, report);
  }
}

interface Shared {
  readonly ports: ReadonlyMap<string, SharedPort>;
  readonly maxPendingCalls: number;
}

interface HeldLease {
  readonly lease: Lease;
  readonly members: Members;
  readonly onLost: () => void;
}

/** What one other event loop calls and holds; all of it ends with the connection. */
export class PortConnection implements Disposable {
  readonly #shared: Shared;
  readonly #send: (answer: PortAnswer) => void;
  readonly #report: ReportCall;
  readonly #pending = new Map<number, AbortController>();
  readonly #held = new Map<number, HeldLease>();
  #isClosed = false;

  constructor(shared: Shared, send: (answer: PortAnswer) => void, report: ReportCall) {
    this.#shared = shared;
    this.#send = send;
    this.#report = report;
  }

  /** Does what the other event loop asks. Never throws. */
  receive(request: PortRequest): void {
    if (this.#isClosed) return;
    switch (request.kind) {
      case "call":
        return void this.#answer(request.id, () => this.#call(request));
      case "use":
        if (request.id !== undefined) return void this.#answer(request.id, () => this.#use(request));
        return this.#quietly(request.member, () => this.#held.has(request.lease) && this.#use(request));
      case "cancel":
        this.#pending.get(request.id)?.abort();
        return this.#giveBack(request.id);
      case "release":
        return this.#release(request.lease);
    }
  }

  /** Gives up what is asked, and releases what is held. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const pending of this.#pending.values()) pending.abort();
    for (const id of [...this.#held.keys()]) this.#release(id);
    this.#quietly("close", () => this.#send({ kind: "closed" }));
  }

  /** Never rejects. */
  async #answer(id: number, work: () => Promise<void> | unknown): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#isClosed) this.#quietly("answer", () => this.#send({ kind: "error", id, error: toSent(error) }));
    }
  }

  async #call(
    { id, port: name, method, args, signal }: Extract<PortRequest, { readonly kind: "call" }>,
  ): Promise<void> {
    const shared = this.#shared.ports.get(name);
    const members = shared && Object.hasOwn(shared.methods, method) ? shared.methods[method] : undefined;
    if (shared === undefined || members === undefined) throw new TypeError(`No shared port has "${name}.${method}"`);
    if (this.#pending.size >= this.#shared.maxPendingCalls) throw tooManyCalls(this.#pending.size);
    const cancelled = new AbortController();
    this.#pending.set(id, cancelled);
    try {
      const given = withSignal(args, signal, cancelled.signal);
      const result = await (shared.port as Record<string, Method>)[method]?.(...given);
      if (isLease(result)) this.#held.set(id, { lease: result, members, onLost: () => this.#tellLost(id, result) });
      if (cancelled.signal.aborted) this.#giveBack(id);
      else if (isLease(result)) this.#sendLease(id, result, members);
      else this.#send({ kind: "value", id, value: result });
    } finally {
      this.#pending.delete(id);
    }
  }

  #sendLease(id: number, lease: Lease, members: Members): void {
    const { lost } = lease;
    const names = Object.keys(members).filter((name) => members[name] === "value");
    const values = Object.fromEntries(names.map((name) => [name, (lease as unknown as Record<string, unknown>)[name]]));
    try {
      this.#send({ kind: "lease", id, values, mayBeLost: lost !== undefined });
    } catch (error) {
      this.#giveBack(id);
      throw error;
    }
    const onLost = this.#held.get(id)?.onLost;
    if (lost === undefined || onLost === undefined) return;
    if (lost.aborted) onLost();
    else lost.addEventListener("abort", onLost, { once: true });
  }

  #tellLost(id: number, { lost }: Lease): void {
    this.#quietly("lost", () => this.#send({ kind: "lost", lease: id, reason: toSent(lost?.reason) }));
  }

  async #use({ id, lease, member, args }: Extract<PortRequest, { readonly kind: "use" }>): Promise<void> {
    const held = this.#held.get(lease);
    const isMethod = held !== undefined && Object.hasOwn(held.members, member) && held.members[member] !== "value";
    if (!isMethod) throw new TypeError(`No lease that is held has "${member}"`);
    const value = await (held.lease as unknown as Record<string, Method>)[member]?.(...args);
    if (id !== undefined && !this.#isClosed) this.#send({ kind: "value", id, value });
  }

  /** Releases what came too late for its caller. */
  #giveBack(id: number): void {
    const held = this.#held.get(id);
    for (const [member, kind] of Object.entries(held?.members ?? {})) {
      if (kind === "undo") this.#quietly(member, () => this.#use({ kind: "use", lease: id, member, args: [] }));
    }
    this.#release(id);
  }

  #release(id: number): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    held.lease.lost?.removeEventListener("abort", held.onLost);
    this.#quietly("release", () => held.lease[Symbol.dispose]());
  }

  #quietly(call: string, work: () => unknown): void {
    Promise.try(work).catch((cause) => this.#report(call, cause));
  }
}

/** The error of a call beyond the bound. */
export function tooManyCalls(count: number): Error {
  return new Error(`Cannot call a shared port: ${count} calls wait for their answer`);
}

function withSignal(args: readonly unknown[], place: SignalPlace, signal: AbortSignal): readonly unknown[] {
  if (place === "none") return args;
  if (place === "last") return [...args, signal];
  return [...args.slice(0, -1), { ...args.at(-1) as object, signal }];
}
