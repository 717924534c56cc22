import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { assertDialogue, type Exchange } from "../helpers/dialogue.ts";
import { TestServer } from "../helpers/test_server.ts";

const NOT_LOGGED_IN = "530 Log in with USER and PASS first.";

interface Script {
  readonly name: string;
  readonly exchanges: readonly Exchange[];
}

const SCRIPTS: readonly Script[] = [
  {
    name: "PASS logs in with the password of USER",
    exchanges: [["USER user", "331 Username ok, send password."], ["PASS 12345", "230 Login successful."]],
  },
  {
    name: "USER and PASS are read in any case",
    exchanges: [["user user", "331 Username ok, send password."], ["pAsS 12345", "230 Login successful."]],
  },
  {
    name: "PASS may be without argument, as anonymous clients send it",
    exchanges: [["USER anonymous", "331 Username ok, send password."], ["PASS", "230 Login successful."]],
  },
  {
    name: "USER takes ftp and any case for anonymous",
    exchanges: ["ftp", "FTP", "Anonymous", "ANONYMOUS"].flatMap((name): Exchange[] => [
      [`USER ${name}`, /^331 /],
      ["PASS x", "230 Login successful."],
      ["MKD /new", "550 Not enough privileges."],
    ]),
  },
  {
    name: "USER answers alike for names that exist and names that do not",
    exchanges: [["USER nobody", "331 Username ok, send password."], ["PASS x", "530 Authentication failed."]],
  },
  {
    name: "PASS replies 503 where no USER stands before it, and after a failure",
    exchanges: [
      ["PASS 12345", "503 Login with USER first."],
      ["USER user", "331 Username ok, send password."],
      ["PASS wrong", "530 Authentication failed."],
      ["PASS 12345", "503 Login with USER first."],
    ],
  },
  {
    name: "PASS replies 503 when a user is logged in",
    exchanges: [["USER user", /^331 /], ["PASS 12345", /^230 /], ["PASS 12345", "503 User already authenticated."]],
  },
  {
    name: "PASS takes its argument as it is, spaces included",
    exchanges: [["USER user", /^331 /], ["PASS 12345 ", "530 Authentication failed."]],
  },
  {
    name: "USER of a user who is logged in flushes the account until the next PASS",
    exchanges: [
      ["USER user", /^331 /],
      ["PASS 12345", /^230 /],
      ["TYPE I", /^200 /],
      ["CWD /docs", /^250 /],
      ["USER anonymous", "331 Previous account information was flushed, send password."],
      ["PWD", NOT_LOGGED_IN],
      ["PASS", "230 Login successful."],
      ["PWD", '257 "/" is the current directory.'],
      ["MKD /new", "550 Not enough privileges."],
    ],
  },
  {
    name: "USER of a user who is logged in keeps TYPE, PBSZ and PROT; REIN takes them back",
    exchanges: [
      ["PBSZ 0", "200 PBSZ=0 successful."],
      ["PROT P", "200 Protection set to Private"],
      ["USER user", /^331 /],
      ["PASS 12345", /^230 /],
      ["TYPE I", /^200 /],
      ["USER user", /^331 /],
      ["PASS 12345", /^230 /],
      ["EPSV", /^229 /],
      ["SIZE /docs/a.txt", "213 1"],
      ["PROT P", "200 Protection set to Private"],
      ["REIN", /^230 /],
      ["USER user", /^331 /],
      ["PASS 12345", /^230 /],
      ["EPSV", "550 SSL/TLS required on the data channel."],
      ["SIZE /docs/a.txt", "550 SIZE not allowed in ASCII mode."],
      ["PROT P", "503 You must issue the PBSZ command prior to PROT."],
    ],
  },
  {
    name: "USER of a user who is logged in forgets REST and RNFR",
    exchanges: [
      ["USER user", /^331 /],
      ["PASS 12345", /^230 /],
      ["TYPE I", /^200 /],
      ["REST 1", /^350 /],
      ["RNFR /docs/a.txt", /^350 /],
      ["USER user", /^331 /],
      ["PASS 12345", /^230 /],
      ["RNTO /docs/b.txt", "503 Bad sequence of commands: use RNFR first."],
      ["PBSZ 0", /^200 /],
      ["PROT P", /^200 /],
      // With a marker it would be 450.
      ["APPE /docs/a.txt", "425 Can't open data connection: use PASV or EPSV first."],
    ],
  },
  {
    name: "REIN logs out and keeps TLS",
    exchanges: [
      ["REIN", NOT_LOGGED_IN],
      ["USER user", /^331 /],
      ["PASS 12345", /^230 /],
      ["REIN", "230 Ready for new user."],
      ["PWD", NOT_LOGGED_IN],
      ["AUTH TLS", "503 Already using TLS."],
      ["USER user", "331 Username ok, send password."],
      ["PASS 12345", "230 Login successful."],
    ],
  },
];

Deno.test("RETR and STOR behind a second USER go on as they were: protected, and byte by byte", async () => {
  const bytes = new TextEncoder().encode("a\n\r\n\0b");
  const home = MemoryFileSystem.of({ "/file": bytes });
  await using server = await TestServer.start({
    home,
    server: { tls: { policy: "optional" }, acceptRisks: ["clear-text-control", "clear-text-data"] },
  });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await client.expect(331, "USER user");
  await client.expect(230, "PASS 12345");
  assertEquals(await client.retrieve("/file"), bytes);
  await client.store("/copy", bytes);
  assertEquals(await client.retrieve("/copy"), bytes);
});

for (const { name, exchanges } of SCRIPTS) {
  Deno.test(name, async () => {
    await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/docs/a.txt": "a" }) });
    await using client = await server.connect();
    await assertDialogue(client, exchanges);
  });
}

Deno.test("PASS replies 530 to the third failure and closes the connection", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  for (const text of ["530 Authentication failed.", "530 Authentication failed."]) {
    await assertDialogue(client, [["USER user", /^331 /], ["PASS wrong", text]]);
  }
  await assertDialogue(client, [
    ["USER user", /^331 /],
    ["PASS wrong", "530 Authentication failed. Disconnecting."],
  ]);
  assertEquals(await client.closed(), "end");
  assertEquals((await server.event("disconnected")).reason, "Authentication failed. Disconnecting.");
  assertEquals(server.events.filter(({ event }) => event === "loginFailed").length, 3);
});

Deno.test("PASS counts failures anew after a success", async () => {
  await using server = await TestServer.start({ server: { limits: { loginAttempts: 2 } } });
  await using client = await server.connect();
  for (let round = 0; round < 2; round++) {
    await assertDialogue(client, [
      ["USER user", /^331 /],
      ["PASS wrong", "530 Authentication failed."],
      ["USER user", /^331 /],
      ["PASS 12345", /^230 /],
      ["REIN", /^230 /],
    ]);
  }
});

Deno.test("PASS is answered no sooner than the delay for failures, and the next command after it", async () => {
  await using server = await TestServer.start({ server: { timeouts: { failedLogin: 0.2 } } });
  await using client = await server.connect();
  await client.expect(331, "USER user");
  const startedAt = performance.now();
  await client.send("PASS wrong\r\nNOOP\r\n");
  assertEquals([(await client.readReply()).code, (await client.readReply()).code], [530, 200]);
  assertGreaterOrEqual(performance.now() - startedAt, 199);
});

Deno.test("QUIT replies 221 with the user's message and closes the connection", async () => {
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser("anne", "secret", new MemoryFileSystem(), { loginMessage: "Hello.\nWorld.", quitMessage: "Bye." });
  await using server = await TestServer.start({ server: { authorizer } });
  for (const login of [false, true]) {
    await using client = await server.connect();
    if (login) await assertDialogue(client, [["USER anne", /^331 /], ["PASS secret", "230-Hello.\n230 World."]]);
    await assertDialogue(client, [["QUIT", login ? "221 Bye." : "221 Goodbye."]]);
    assertEquals(await client.closed(), "end");
  }
});

Deno.test("Sessions tell of login, failure and logout in the order in which they happen", async () => {
  await using server = await TestServer.start({ protection: "clear" });
  await using client = await server.connect();
  for (const line of ["USER user", "PASS bad", "USER user", "PASS 12345", "USER user", "PASS 12345", "QUIT"]) {
    await client.command(line);
  }
  await server.event("disconnected");
  const names = server.events.map(({ event }) => event).filter((name) => name !== "commandRefused");
  assertEquals(names, [
    "listening",
    "connected",
    "loginFailed",
    "loginSucceeded",
    "loggedOut",
    "loginSucceeded",
    "loggedOut",
    "disconnected",
  ]);
});

Deno.test("A client that just leaves was not logged out", async () => {
  await using server = await TestServer.start();
  {
    await using _client = await server.login();
  }
  await server.event("disconnected");
  assert(!server.events.some(({ event }) => event === "loggedOut"));
});
