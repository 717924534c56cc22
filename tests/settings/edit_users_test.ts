import { assert, assertEquals, assertThrows } from "@std/assert";
import { parse } from "@std/yaml";
import { editUsers, UnsuitableTextError, type UserChange } from "../../lib/settings/edit_users.ts";

const FILE = `# Our server
banner: Hello # greets

users:
  # The first one
  - name: alice # since 2020
    password: "$scrypt$old" # until May
    home: /srv/alice
    overrides:
      - { path: /in, permissions: w }

  # The second
  - name: bob
    home: /srv/bob
    password: x
    messages:
      login: |
        Welcome.
        # not a comment
# The rest
anonymous: { home: /srv/pub }
`;

function edited(change: UserChange, text = FILE): string {
  return editUsers(text, change);
}

Deno.test("editUsers() adds an entry behind the last one, and leaves all else as it is", () => {
  const entry = { name: "carol", password: "$2b$x", home: { store: "archive", path: "/a b" }, groups: ["one"] };
  assertEquals(
    edited({ kind: "add", entry }),
    FILE.replace(
      "# The rest",
      `  - name: carol
    password: "$2b$x"
    home: { store: archive, path: "/a b" }
    groups: [one]
# The rest`,
    ),
  );
});

Deno.test("editUsers() sets keys in their place, keeps comments behind them, and puts others at the end", () => {
  assertEquals(
    edited({ kind: "set", name: "alice", patch: { password: "new: #1", permissions: "elr", overrides: [] } }),
    FILE.replace('"$scrypt$old" # until May', '"new: #1" # until May')
      .replace("    overrides:\n      - { path: /in, permissions: w }\n", "    overrides: []\n    permissions: elr\n"),
  );
  const disabled = edited({ kind: "set", name: "bob", patch: { enabled: false, home: "/b" } });
  assertEquals(
    disabled,
    FILE.replace("home: /srv/bob", "home: /b").replace("# The rest", "    enabled: false\n# The rest"),
  );
  assertEquals(
    edited({ kind: "set", name: "bob", patch: { enabled: undefined, home: "/srv/bob" } }, disabled),
    FILE,
  );
});

Deno.test("editUsers() removes an entry, and writes an empty list for the last one", () => {
  const [start = "", rest = ""] = FILE.split("  - name: bob\n");
  const withoutBob = `${start}# The rest${rest.split("# The rest")[1]}`;
  assertEquals(edited({ kind: "remove", name: "bob" }), withoutBob);
  const empty = edited({ kind: "remove", name: "alice" }, withoutBob);
  assertEquals((parse(empty, { schema: "core" }) as { users: unknown }).users, []);
  assertEquals(
    (parse(edited({ kind: "add", entry: { name: "x" } }, empty), { schema: "core" }) as { users: unknown }).users,
    [{
      name: "x",
    }],
  );
});

Deno.test("editUsers() begins a list where there is none, with the line ends of the file", () => {
  const entry = { name: "a", password: "b" };
  assertEquals(edited({ kind: "add", entry }, "banner: x"), "banner: x\n\nusers:\n  - name: a\n    password: b\n");
  assertEquals(edited({ kind: "add", entry }, ""), "users:\n  - name: a\n    password: b\n");
  assertEquals(
    edited({ kind: "add", entry }, "banner: x\r\nusers:\r\n- name: b\r\n"),
    "banner: x\r\nusers:\r\n- name: b\r\n- name: a\r\n  password: b\r\n",
  );
});

Deno.test("editUsers() leaves a text alone that it cannot change line by line, and says what to do", () => {
  for (
    const [text, change] of [
      ["users: [{ name: a }]", { kind: "add", entry: { name: "b" } }],
      ["{ banner: x }", { kind: "add", entry: { name: "b" } }],
      ["banner: x\n...\n", { kind: "add", entry: { name: "b" } }],
      ["users:\n  - { name: a, home: /a }\n", { kind: "set", name: "a", patch: { home: "/b" } }],
      ["users:\n  - &a\n    name: a\n  - name: b\nx: *a\n", { kind: "set", name: "a", patch: { name: "c" } }],
      ["users:\n  - &a { name: a }\nx: *a\n", { kind: "remove", name: "a" }],
      ['users:\n  - "name": a\n    ? home\n    : /a\n', { kind: "set", name: "a", patch: { home: "/b" } }],
    ] as const
  ) {
    const error = assertThrows(() => editUsers(text, change), UnsuitableTextError, undefined, text);
    assert(error.lines.length > 0);
  }
  const error = assertThrows(
    () => editUsers("users: [{ name: a }]", { kind: "add", entry: { name: "b", home: "/b" } }),
    UnsuitableTextError,
  );
  assertEquals(error.lines, ["users:", "  - name: b", "    home: /b"]);
});

Deno.test("editUsers() refuses a user that is there already, or is not, and names of any kind are text", () => {
  assertThrows(() => edited({ kind: "add", entry: { name: "bob" } }), TypeError, 'there is a user "bob" already');
  assertThrows(() => edited({ kind: "remove", name: "bo" }), TypeError, 'there is no user "bo"');
  for (
    const name of [
      "true",
      "12",
      "'",
      '"',
      "a: b",
      "- a",
      "#",
      "é\u2028",
      "*a",
      "'; DROP",
      "x".repeat(10_000),
      "\\n",
      " a ",
    ]
  ) {
    const text = edited({ kind: "add", entry: { name, home: name } });
    assertEquals((parse(text, { schema: "core" }) as { users: unknown[] }).users.at(-1), { name, home: name });
    assertEquals(edited({ kind: "remove", name }, text), FILE);
  }
});
