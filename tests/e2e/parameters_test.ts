import { assertDialogue, type Exchange } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TestServer } from "../helpers/test_server.ts";

const EXCHANGES: Readonly<Record<string, readonly Exchange[]>> = {
  "TYPE sets ASCII or binary, and refuses the rest": [
    ["TYPE A", "200 Type set to: ASCII."],
    ["TYPE a", "200 Type set to: ASCII."],
    ["TYPE A N", "200 Type set to: ASCII."],
    ["TYPE L7", "200 Type set to: ASCII."],
    ["TYPE I", "200 Type set to: Binary."],
    ["type i", "200 Type set to: Binary."],
    ["TYPE L8", "200 Type set to: Binary."],
    ["TYPE L 8", "200 Type set to: Binary."],
    ["TYPE ?!?", '504 Unsupported type "?!?".'],
    ["TYPE E", '504 Unsupported type "E".'],
    ["TYPE A T", '504 Unsupported type "A T".'],
    ["TYPE L 36", '504 Unsupported type "L 36".'],
    ["STAT", /\n TYPE: Binary; /],
  ],
  "MODE knows stream only": [
    ["MODE S", "200 Transfer mode set to: S"],
    ["MODE s", "200 Transfer mode set to: S"],
    ["MODE B", "504 Unimplemented MODE type."],
    ["MODE C", "504 Unimplemented MODE type."],
    ["MODE Z", "504 Unimplemented MODE type."],
    ["MODE ?", "501 Unrecognized MODE type."],
    ["MODE SS", "501 Unrecognized MODE type."],
  ],
  "STRU knows files only": [
    ["STRU F", "200 File transfer structure set to: F."],
    ["STRU f", "200 File transfer structure set to: F."],
    ["STRU P", "504 Unimplemented STRU type."],
    ["STRU R", "504 Unimplemented STRU type."],
    ["STRU ?", "501 Unrecognized STRU type."],
  ],
  "ALLO replies 200 to whatever it is asked": [
    ["ALLO 100", "200 No storage allocation necessary."],
    ["ALLO x R y", "200 No storage allocation necessary."],
  ],
  "OPTS answers to UTF8 and MLST, in any case": [
    ["OPTS UTF8 ON", "200 Always in UTF8 mode."],
    ["OPTS utf8", "200 Always in UTF8 mode."],
    ["OPTS UTF-8 OFF", "200 Always in UTF8 mode."],
    ["OPTS MLST size;TYPE;nonsense;", "200 MLST OPTS size;type;"],
    ["FEAT", /\n MLST type\*;perm;size\*;modify;unique;unix\.mode;unix\.uid;unix\.gid;\n/],
    ["OPTS MLST type*;size*;", "200 MLST OPTS type;size;"],
    ["OPTS MLST type*;size*;  ", "200 MLST OPTS type;size;"],
    ["OPTS mlst", "200 MLST OPTS "],
    ["MLST /", '250-Listing "/":\n  /\n250 End MLST.'],
    ["OPTS MLST type", "501 Invalid argument."],
    ["OPTS MLST type; size;", "501 Invalid number of arguments."],
    ["OPTS noop x", '501 Unsupported command "NOOP".'],
  ],
};

for (const [name, exchanges] of Object.entries(EXCHANGES)) {
  Deno.test(name, async () => {
    await using server = await TestServer.start();
    await using client = await server.login();
    await assertDialogue(client, exchanges);
  });
}

const PROTECTION_SCRIPTS: Readonly<Record<string, readonly Exchange[]>> = {
  explicit: [
    ["PROT P", "503 You must issue the PBSZ command prior to PROT."],
    ["PBSZ 0", "200 PBSZ=0 successful."],
    ["PBSZ 16384", "200 PBSZ=0 successful."],
    ["PROT C", "200 Protection set to Clear"],
    ["PROT p", "200 Protection set to Private"],
    ["PROT S", "521 PROT S unsupported (use C or P)."],
    ["PROT e", "521 PROT E unsupported (use C or P)."],
    ["PROT X", "504 Unrecognized PROT type (use C or P)."],
    ["CCC", "534 The control connection stays protected."],
    ["AUTH TLS", "503 Already using TLS."],
  ],
  implicit: [
    ["PROT P", "200 Protection set to Private"],
    ["AUTH SSL", "503 Already using TLS."],
  ],
  clear: [
    ["PBSZ 0", "503 PBSZ not allowed on insecure control connection."],
    ["PROT P", "503 PROT not allowed on insecure control connection."],
    ["AUTH TLS", "502 TLS is off on this server."],
    ["AUTH KERBEROS_V4", "504 Unrecognized encryption type (use TLS or SSL)."],
    ["CCC", "534 The control connection stays protected."],
  ],
};

for (const protection of ["explicit", "implicit", "clear"] as const) {
  Deno.test(`PBSZ, PROT, AUTH and CCC follow the protection of the control connection: ${protection}`, async () => {
    const tls = protection === "explicit" ? { server: { tls: { policy: "control" } } } as const : {};
    await using server = await TestServer.start({ protection, ...tls });
    await using client = await server.connect();
    await assertDialogue(client, PROTECTION_SCRIPTS[protection] ?? []);
  });
}

for (const mechanism of ["TLS", "tls", "SSL", "TLS-C", "TLS-P"]) {
  Deno.test(`AUTH ${mechanism} starts TLS`, async () => {
    await using server = await TestServer.start({ protection: "explicit" });
    const { host, port } = server;
    await using client = await RawClient.connect({ host, port });
    await client.readReply();
    await assertDialogue(client, [[`AUTH ${mechanism}`, `234 AUTH ${mechanism.toUpperCase()} successful.`]]);
    await client.upgrade();
    await client.login("user", "12345");
  });
}

Deno.test("PROT closes a data port of the other kind", async () => {
  await using server = await TestServer.start({ server: { tls: { policy: "optional" } } });
  await using client = await server.login();
  await assertDialogue(client, [
    ["EPSV", /^229 /],
    ["PROT P", /^200 /],
    ["ABOR", "225 ABOR command successful; data channel closed."],
    ["EPSV", /^229 /],
    ["PROT C", /^200 /],
    ["ABOR", "225 No transfer to abort."],
  ]);
});
