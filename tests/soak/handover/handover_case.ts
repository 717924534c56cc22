/**
 * One case of the hand-over harness: where a client begins its handshake, what it sends, and how it is cut.
 *
 * @module
 */

import { concatenated, mutated } from "../mutation.ts";
import type { Random } from "../random.ts";
import { type CutPlan, type Ending, ENDINGS } from "./piece_sender.ts";

/** Where bytes that were read already are handed to another owner of the socket. */
export const PLACES = ["auth", "implicit", "passive", "active"] as const;

/** When a client begins on a data connection, seen from the command. */
export const MOMENTS = ["before", "with", "after", "never"] as const;

/** One case; the same number and seed give the same one. */
export interface HandoverCase {
  readonly number: number;
  readonly place: typeof PLACES[number];
  /** `undefined`: a clear data connection. */
  readonly version: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly verb: "RETR" | "STOR" | "LIST";
  readonly moment: typeof MOMENTS[number];
  /** Between the beginning and the command, in milliseconds. */
  readonly leadMs: number;
  readonly alpn: readonly string[];
  /** What is sent in place of TLS; absent: a handshake. */
  readonly junk: Uint8Array | undefined;
  readonly plan: CutPlan;
  /** Commands in front of AUTH whose replies nobody takes until the ClientHello is sent. */
  readonly filler: number;
  /** Whether the first bytes come in one segment with AUTH, which is to be refused. */
  readonly isCoalesced: boolean;
  /** Bytes of an upload. */
  readonly size: number;
  /** Whether the handshake is to succeed. */
  readonly isGood: boolean;
}

/** Bytes of a client's first flight without padding, about. */
const HELLO_BYTES = 230;
const MAX_HELLO_BYTES = 4_000;
const MAX_GAP_MS = 20;
/** Longest time of all pauses of a case. */
const MAX_PAUSES = 30;

/** Makes the case of a number. */
export function makeCase(number: number, random: Random): HandoverCase {
  const place = random.pick(PLACES);
  const isData = place === "passive" || place === "active";
  const version = isData && random.oneIn(8) ? undefined : random.pick(["TLSv1.2", "TLSv1.3"] as const);
  const helloBytes = random.oneIn(3)
    ? HELLO_BYTES
    : random.pick([600, 1_300, 1_700, MAX_HELLO_BYTES]) - random.below(90);
  const isGood = version === undefined || random.below(3) > 0;
  const isCoalesced = place === "auth" && !isGood && random.oneIn(4);
  const junk = !isGood && !isCoalesced && random.oneIn(2) ? junkOf(random) : undefined;
  const isBroken = !isGood && !isCoalesced;
  return {
    number,
    place,
    version,
    verb: random.pick(["RETR", "STOR", "LIST"] as const),
    moment: random.pick(MOMENTS),
    leadMs: random.pick([0, 0, 1, 5, 9, 11, 15, 30]),
    alpn: alpnOf(helloBytes - HELLO_BYTES, random),
    junk,
    plan: {
      pieces: piecesOf(number, helloBytes, random),
      gapsMs: Array.from({ length: MAX_PAUSES }, () => random.pick([0, 1, random.below(MAX_GAP_MS + 1)])),
      records: random.oneIn(6) ? 1 + random.below(5) : 1,
      ...isBroken ? breakOf(junk?.length ?? helloBytes, random) : {},
    },
    filler: place === "auth" && !isCoalesced && random.oneIn(4) ? random.pick([20, 200, 2_000]) : 0,
    isCoalesced,
    size: random.pick([0, 1, 100, 5_000, 70_000]),
    isGood,
  };
}

/** Every position in turn, any number of pieces, or byte by byte. */
function piecesOf(number: number, helloBytes: number, random: Random): number[] {
  switch (random.below(5)) {
    case 0:
    case 1:
      return [1 + number % helloBytes];
    case 2:
      return Array.from({ length: 2 + random.below(30) }, () => 1 + random.below(helloBytes / 4));
    case 3:
      return Array.from({ length: helloBytes + 200 }, () => 1);
    default:
      return [];
  }
}

function breakOf(length: number, random: Random): { readonly endAt: number; readonly ending: Ending } {
  const ending = random.oneIn(12) ? "stay" : random.pick(ENDINGS.filter((ending) => ending !== "stay"));
  return { endAt: random.oneIn(4) ? length : 1 + random.below(length), ending };
}

/** Names of RFC 7301 that make a ClientHello as long as wanted. */
function alpnOf(bytes: number, random: Random): string[] {
  const names: string[] = [];
  for (let rest = bytes; rest > 1;) {
    const length = Math.min(rest - 1, 250);
    names.push("x".repeat(length));
    rest -= length + 1;
  }
  names.splice(random.below(names.length + 1), 0, "ftp");
  return names;
}

function junkOf(random: Random): Uint8Array {
  const encoder = new TextEncoder();
  const record = concatenated([Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3), random.bytes(505)]);
  switch (random.below(6)) {
    case 0:
      return encoder.encode(`GET /${"a".repeat(random.below(300))} HTTP/1.1\r\nHost: ftp.example.org\r\n\r\n`);
    case 1:
      return random.bytes(2 + random.below(3_000));
    case 2:
      return mutated(record, random);
    case 3:
      return concatenated([Uint8Array.of(22, 3, 1, 255, 255), random.bytes(1 + random.below(2_000))]);
    case 4:
      return concatenated(Array.from({ length: 1 + random.below(20) }, () => Uint8Array.of(21, 3, 3, 0, 2, 1, 0)));
    default:
      return concatenated([Uint8Array.of(23, 3, 3, 0, 64), random.bytes(64 + random.below(200))]);
  }
}
