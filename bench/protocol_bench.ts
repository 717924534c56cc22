// What every command and every ASCII transfer passes through: decoding lines, formatting replies and listings, line ends.

import { AsciiDecoder, AsciiEncoder } from "../lib/protocol/ascii.ts";
import { parseCommandLine } from "../lib/protocol/command_line.ts";
import { LineDecoder } from "../lib/protocol/line_decoder.ts";
import { formatReply, multilineReply, reply } from "../lib/protocol/reply.ts";
import { ListLineFormatter } from "../lib/protocol/unix_listing.ts";

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const COMMANDS = encode("RETR /pub/some folder/file name.txt\r\n".repeat(1_000));
const ENDING = reply(226, "Transfer complete.");
const FEATURES = multilineReply(211, [
  "Features supported:",
  " EPRT",
  " EPSV",
  " MLST type*;size*;modify*;",
  "End FEAT.",
]);
const ENTRY = { name: "file name.txt", type: "file", size: 123_456, modified: new Date(0), mode: 0o644 } as const;
const NOW = new Date(1e12);
const UNIX_TEXT = encode(`${"x".repeat(63)}\n`.repeat(16_384));
const WIRE_TEXT = encode(`${"x".repeat(62)}\r\n`.repeat(16_384));

Deno.bench("LineDecoder.push(), 1,000 lines in one chunk", { group: "lines" }, () => {
  new LineDecoder({ maxLineBytes: 4096 }).push(COMMANDS);
});

Deno.bench("LineDecoder.push(), 1,000 lines in chunks of 7 bytes", { group: "lines" }, () => {
  const decoder = new LineDecoder({ maxLineBytes: 4096 });
  for (let at = 0; at < COMMANDS.length; at += 7) decoder.push(COMMANDS.subarray(at, at + 7));
});

Deno.bench("parseCommandLine()", () => {
  parseCommandLine("RETR /pub/some folder/file name.txt");
});

Deno.bench("formatReply(), one line", { group: "replies" }, () => {
  formatReply(ENDING);
});

Deno.bench("formatReply(), five lines", { group: "replies" }, () => {
  formatReply(FEATURES);
});

const LINES = new ListLineFormatter(NOW);

Deno.bench("ListLineFormatter.format()", () => {
  LINES.format(ENTRY.name, ENTRY);
});

Deno.bench("AsciiEncoder.convert(), 1 MiB", { group: "ascii" }, () => {
  new AsciiEncoder().convert(UNIX_TEXT);
});

Deno.bench("AsciiDecoder.convert(), 1 MiB", { group: "ascii" }, () => {
  new AsciiDecoder().convert(WIRE_TEXT);
});
