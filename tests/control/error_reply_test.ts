import { assert, assertEquals, assertNotMatch } from "@std/assert";
import { AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { errorReply, internalErrorReply } from "../../lib/control/error_reply.ts";
import { DataConnectTimeoutError } from "../../lib/data/data_port.ts";
import { TransferError, type TransferErrorKind } from "../../lib/data/transfer.ts";
import { FileSystemError, type FileSystemErrorKind } from "../../lib/filesystem/filesystem.ts";
import { ConnectionError, type ConnectionErrorKind } from "../../lib/transport/connection.ts";

const SECRET = "/srv/secret";

const FILE_SYSTEM_CODES: Readonly<Record<FileSystemErrorKind, number>> = {
  busy: 450,
  directoryNotEmpty: 550,
  exists: 550,
  invalidName: 553,
  invalidOffset: 554,
  isDirectory: 550,
  noSpace: 452,
  notDirectory: 550,
  notFound: 550,
  notRegularFile: 550,
  permissionDenied: 550,
  quotaExceeded: 552,
  unavailable: 451,
  unsupported: 502,
};

const TRANSFER_CODES: Readonly<Record<TransferErrorKind, number>> = {
  aborted: 426,
  handshake: 425,
  notResumed: 522,
  reset: 426,
  stalled: 421,
  stopped: 426,
  truncated: 426,
};

const CONNECTION_CODES: Readonly<Record<ConnectionErrorKind, number>> = {
  addressInUse: 425,
  closed: 425,
  handshake: 425,
  injected: 425,
  refused: 425,
  reset: 425,
};

const EXPECTED: readonly (readonly [error: Error, code: number])[] = [
  ...kinds(FILE_SYSTEM_CODES).map(([kind, code]) => [new FileSystemError(kind, SECRET), code] as const),
  ...kinds(TRANSFER_CODES).map(([kind, code]) => [new TransferError(kind, SECRET), code] as const),
  ...kinds(CONNECTION_CODES).map(([kind, code]) => [new ConnectionError(kind, SECRET), code] as const),
  [new DataConnectTimeoutError("passive"), 425],
  [new DataConnectTimeoutError("active"), 425],
  [new AuthorizerBusyError(SECRET), 421],
];

function kinds<Kind extends string>(codes: Readonly<Record<Kind, number>>): [Kind, number][] {
  return Object.entries(codes) as [Kind, number][];
}

Deno.test("errorReply() has a reply for every kind of expected failure, without the error's message", () => {
  for (const [error, code] of EXPECTED) {
    const answer = errorReply(error);
    assertEquals(answer?.code, code as never, Deno.inspect(error));
    const text = answer?.lines.join("\n") ?? "";
    assert(text.length > 0);
    assertNotMatch(text, /secret|Error|undefined/i);
  }
});

Deno.test("errorReply() says each kind in words of its own where the client can do something about it", () => {
  const texts = [...kinds(FILE_SYSTEM_CODES).map(([kind]) => errorReply(new FileSystemError(kind, ""))?.lines[0])];
  assertEquals(new Set(texts).size, texts.length);
});

Deno.test("errorReply() closes the connection when the authorizer is busy", () => {
  assertEquals(errorReply(new AuthorizerBusyError(""))?.effect, "close");
});

Deno.test("errorReply() takes everything else for an internal error", () => {
  for (const error of [new Error(SECRET), new TypeError(SECRET), new Deno.errors.NotFound(SECRET), SECRET, undefined]) {
    assertEquals(errorReply(error), undefined);
  }
});

Deno.test("internalErrorReply() names the session and nothing else", () => {
  assertEquals(internalErrorReply("ab12-3").lines, ["Internal error; the log has it under session ab12-3."]);
  assertEquals(internalErrorReply("ab12-3").code, 451);
});
