/**
 * The ports of another event loop: each call is a message to their owner.
 *
 * @module
 */

import type { Lease, LeaseMember, SharedMethods } from "../shared_port.ts";
import {
  fromSent,
  MAX_PENDING_CALLS,
  type Members,
  type PortAnswer,
  type PortRequest,
  type SignalPlace,
  tooManyCalls,
} from "./shared_ports.ts";

interface PendingCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly members: Members;
}

/** The ports that another event loop owns. */
export class RemotePorts {
  readonly #send: (request: PortRequest) => void;
  readonly #maxPendingCalls: number;
  readonly #pending = new Map<number, PendingCall>();
  readonly #losable = new Map<number, AbortController>();
  #lastId = 0;
  #isClosed = false;

  constructor(send: (request: PortRequest) => void, maxPendingCalls: number = MAX_PENDING_CALLS) {
    this.#send = send;
    this.#maxPendingCalls = maxPendingCalls;
  }

  /** The port that the owner shares under a name. Its calls reject with the owner's error, or when the owner has ended. */
  port<Port extends object>(name: string, methods: SharedMethods<Port>): Port {
    const calls = Object.entries<Members>(methods).map(([method, members]) => [
      method,
      (...args: readonly unknown[]) => this.#call(name, method, { members, args }),
    ]);
    return Object.fromEntries(calls);
  }

  /** Takes what the owner says. */
  receive(answer: PortAnswer): void {
    switch (answer.kind) {
      case "value":
        return this.#take(answer.id)?.resolve(answer.value);
      case "error":
        return this.#take(answer.id)?.reject(fromSent(answer.error));
      case "lease": {
        // Of a call that was cancelled the owner releases it.
        const call = this.#take(answer.id);
        return call?.resolve(this.#lease(answer, call.members));
      }
      case "lost":
        return this.#losable.get(answer.lease)?.abort(fromSent(answer.reason));
      case "closed":
        return this.#close();
    }
  }

  async #call(
    port: string,
    method: string,
    { members, args: given }: { readonly members: Members; readonly args: readonly unknown[] },
  ): Promise<unknown> {
    const { args, place, signal } = withoutSignal(given);
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const result = this.#ask({ kind: "call", id, port, method, args, signal: place }, members);
    const cancel = () => {
      const call = this.#take(id);
      if (call !== undefined) this.#send({ kind: "cancel", id });
      call?.reject(signal?.reason);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    return await result.finally(() => signal?.removeEventListener("abort", cancel));
  }

  async #ask(request: PortRequest & { readonly id: number }, members: Members): Promise<unknown> {
    if (this.#isClosed) throw ownerHasEnded();
    if (this.#pending.size >= this.#maxPendingCalls) throw tooManyCalls(this.#pending.size);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(request.id, { resolve, reject, members });
    try {
      this.#send(request);
    } catch (error) {
      this.#pending.delete(request.id); // an argument cannot be sent
      throw error;
    }
    return await promise;
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    return call;
  }

  #lease({ id: lease, values, mayBeLost }: Extract<PortAnswer, { readonly kind: "lease" }>, members: Members): Lease {
    let hasEnded = false;
    const end = (request: PortRequest) => {
      if (!hasEnded) this.#tell(request);
      hasEnded = true;
      this.#losable.delete(lease);
    };
    const methodOf = (member: string, kind: LeaseMember) => (...args: readonly unknown[]) => {
      if (kind === "undo") return end({ kind: "cancel", id: lease });
      if (kind === "tell") return this.#tell({ kind: "use", lease, member, args });
      return this.#ask({ kind: "use", id: ++this.#lastId, lease, member, args }, {});
    };
    const methods = Object.entries(members).filter(([, kind]) => kind !== "value");
    const lost = new AbortController();
    if (mayBeLost) this.#losable.set(lease, lost);
    return {
      ...values,
      ...Object.fromEntries(methods.map(([member, kind]) => [member, methodOf(member, kind)])),
      ...mayBeLost && { lost: lost.signal },
      [Symbol.dispose]: () => end({ kind: "release", lease }),
    };
  }

  #tell(request: PortRequest): void {
    if (!this.#isClosed) this.#send(request);
  }

  #close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#pending.values()) reject(ownerHasEnded());
    this.#pending.clear();
    for (const lost of this.#losable.values()) lost.abort(ownerHasEnded());
    this.#losable.clear();
  }
}

function ownerHasEnded(): Error {
  return new Error("The event loop that owns the port has ended");
}

function withoutSignal(
  args: readonly unknown[],
): { readonly args: readonly unknown[]; readonly place: SignalPlace; readonly signal: AbortSignal | undefined } {
  const last = args.at(-1);
  if (last instanceof AbortSignal) return { args: args.slice(0, -1), place: "last", signal: last };
  if (typeof last === "object" && last !== null && "signal" in last && last.signal instanceof AbortSignal) {
    const { signal, ...rest } = last;
    return { args: [...args.slice(0, -1), rest], place: "option", signal };
  }
  return { args, place: "none", signal: undefined };
}
