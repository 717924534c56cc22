/**
 * What a server says to a ClientHello: the version that it takes and, up to TLS 1.2, its certificates, which go in clear.
 *
 * RFC 8446 §4.1.3 and §5.1, RFC 5246 §7.2 and §7.4.2.
 *
 * @module
 */

/** The answer, as far as it has come. */
export interface ServerAnswer {
  /** Number of the version that the server takes. */
  readonly version?: number;
  /** Certificates in DER, the server's own first; absent while they have not come, and where they are encrypted. */
  readonly certificates?: readonly Uint8Array[];
  /** Number of the alert that the server refuses with. */
  readonly alert?: number;
  /** What came is no TLS. */
  readonly isOther?: true;
  /** Whether nothing more of use comes. */
  readonly isWhole: boolean;
}

/** RFC 8446 §5.1: 2^14, and something for the expansion that older versions allow. */
const MAX_RECORD_BYTES = 16384 + 2048;
const TYPE_ALERT = 21;
const TYPE_HANDSHAKE = 22;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_HELLO_DONE = 14;
const SUPPORTED_VERSIONS = 0x002b;
const NEWEST_WITH_CLEAR_CERTIFICATES = 0x0303;

/** Reads what has come until now, from its beginning. It never throws, whatever that is. */
export function readServerAnswer(bytes: Uint8Array): ServerAnswer {
  const records = splitRecords(bytes);
  if (records === undefined) return { isOther: true, isWhole: true };
  const handshake: number[] = [];
  for (const { type, content } of records) {
    if (type === TYPE_ALERT) return { ...readMessages(handshake), alert: content[1] ?? 0, isWhole: true };
    if (type !== TYPE_HANDSHAKE) break; // Encrypted, from here on
    handshake.push(...content);
  }
  return readMessages(handshake);
}

interface TlsRecord {
  readonly type: number;
  readonly content: Uint8Array;
}

/** All records that have come whole; `undefined` when these are none. */
function splitRecords(bytes: Uint8Array): TlsRecord[] | undefined {
  const records: TlsRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    const [type = 0, major = 3] = bytes.subarray(at);
    if (type < 20 || type > 24 || major !== 3) return undefined;
    if (at + 5 > bytes.length) break;
    const length = uint16(bytes, at + 3);
    if (length > MAX_RECORD_BYTES) return undefined;
    const end = at + 5 + length;
    if (end > bytes.length) break;
    records.push({ type, content: bytes.subarray(at + 5, end) });
    at = end;
  }
  return records;
}

function readMessages(handshake: readonly number[]): ServerAnswer {
  const bytes = new Uint8Array(handshake);
  let version: number | undefined;
  let certificates: readonly Uint8Array[] | undefined;
  for (let at = 0; at + 4 <= bytes.length;) {
    const type = bytes[at];
    const end = at + 4 + uint24(bytes, at + 1);
    if (end > bytes.length) break;
    const body = bytes.subarray(at + 4, end);
    if (type === SERVER_HELLO) version = readVersion(body);
    if (type === CERTIFICATE) certificates = readCertificates(body);
    if (type === SERVER_HELLO_DONE) certificates ??= [];
    at = end;
  }
  return {
    ...version !== undefined && { version },
    ...certificates !== undefined && { certificates },
    isWhole: version !== undefined && (version > NEWEST_WITH_CLEAR_CERTIFICATES || certificates !== undefined),
  };
}

/** The version of a ServerHello: in its extension since TLS 1.3. */
function readVersion(body: Uint8Array): number {
  const legacy = uint16(body, 0);
  const sessionId = body[34] ?? 0;
  const extensions = 35 + sessionId + 3;
  const end = Math.min(extensions + 2 + uint16(body, extensions), body.length);
  for (let at = extensions + 2; at + 4 <= end; at += 4 + uint16(body, at + 2)) {
    if (uint16(body, at) === SUPPORTED_VERSIONS) return uint16(body, at + 4);
  }
  return legacy;
}

function readCertificates(body: Uint8Array): Uint8Array[] {
  const certificates: Uint8Array[] = [];
  for (let at = 3; at + 3 <= body.length;) {
    const end = at + 3 + uint24(body, at);
    if (end > body.length) break;
    certificates.push(body.slice(at + 3, end));
    at = end;
  }
  return certificates;
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
}

function uint24(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) << 8 | (bytes[at + 2] ?? 0);
}
