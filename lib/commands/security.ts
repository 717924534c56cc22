/**
 * Security extensions: AUTH, PBSZ, PROT, CCC (RFC 2228 §3, RFC 4217).
 *
 * @module
 */

import { type Reply, reply } from "../protocol/reply.ts";
import { requiresTlsOnData } from "../settings/settings.ts";
import type { CommandContext, CommandRequest } from "./command.ts";

/** Mechanisms that all mean TLS (RFC 4217 §17); curl asks for SSL first. */
const TLS_MECHANISMS = ["TLS", "TLS-C", "SSL", "TLS-P"];

/** AUTH: the handshake follows the 234. */
export function authenticate(context: CommandContext, request: CommandRequest): Reply {
  const mechanism = request.argument.toUpperCase();
  if (context.session.tls !== undefined) return reply(503, "Already using TLS.");
  if (!TLS_MECHANISMS.includes(mechanism)) return reply(504, "Unrecognized encryption type (use TLS or SSL).");
  if (!context.tlsAvailable) return reply(502, "TLS is off on this server.");
  return reply(234, `AUTH ${mechanism} successful.`, "startTls");
}

/** PBSZ: TLS needs no buffer size, so any is answered by 0 (RFC 4217 §8). */
export function protectionBufferSize(context: CommandContext): Reply {
  if (context.session.tls === undefined) {
    return reply(503, "PBSZ not allowed on insecure control connection.");
  }
  context.update({ bufferSizeSet: true });
  return reply(200, "PBSZ=0 successful.");
}

/** PROT (RFC 4217 §9). */
export function dataChannelProtection(context: CommandContext, request: CommandRequest): Reply {
  const { session } = context;
  if (session.tls === undefined) return reply(503, "PROT not allowed on insecure control connection.");
  if (!session.bufferSizeSet) return reply(503, "You must issue the PBSZ command prior to PROT.");
  switch (request.argument.toUpperCase()) {
    case "C":
      if (requiresTlsOnData(context.settings)) return reply(534, "Data connections must be protected; use PROT P.");
      return changeProtection(context, "C", "Protection set to Clear");
    case "P":
      return changeProtection(context, "P", "Protection set to Private");
    case "S":
    case "E":
      return reply(521, `PROT ${request.argument.toUpperCase()} unsupported (use C or P).`);
    default:
      return reply(504, "Unrecognized PROT type (use C or P).");
  }
}

function changeProtection(context: CommandContext, level: "C" | "P", text: string): Reply {
  // A port that was opened for the other kind of connection would greet the client in the wrong language.
  if (level !== context.session.protection) context.dataPort.close();
  context.update({ protection: level });
  return reply(200, text);
}

/** CCC is refused always: it would lay open the commands that follow (RFC 4217 §12.3). */
export function clearCommandChannel(): Reply {
  return reply(534, "The control connection stays protected.");
}
