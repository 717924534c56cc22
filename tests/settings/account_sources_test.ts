import { assertEquals } from "@std/assert";
import { homesFolderOf, homeTemplateOf } from "../../lib/settings/account_sources.ts";
import { problemsOf, read } from "./configuration_text.ts";

const LDAP = { type: "ldap", url: "ldaps://ad.example.org", userDn: "uid={name},dc=x", home: "/srv/ftp/{name}" };
const HTTP = { type: "http", url: "https://intranet.example.org/login", tokenFile: "token" };

/** What is wrong with a configuration of one source. */
function problemsOfSource(source: object): string[] {
  return problemsOf(`accounts:\n  - ${JSON.stringify(source)}\n`).map((line) =>
    line.replace(/^ftpsd.yaml:2: accounts\[0\]/, "")
  );
}

Deno.test("readConfiguration() takes a hook and a directory, each with the least that it needs", () => {
  const { startTls: _, ...more } = { ...LDAP, startTls: undefined };
  for (
    const source of [
      HTTP,
      { ...HTTP, ca: "ca.pem", homes: "/srv", remember: 0, timeout: 1 },
      more,
      { ...LDAP, url: "ldap://ad", startTls: true, ca: "ca.pem" },
      {
        type: "ldap",
        urls: ["ldaps://a", "ldaps://[::1]:636"],
        searchBase: "dc=x",
        searchFilter: "(uid={name})",
        home: "/a/{name}",
      },
      { ...LDAP, home: undefined, homeAttribute: "homeDirectory", homes: "/srv" },
    ]
  ) assertEquals(problemsOfSource(source), []);
});

Deno.test("readConfiguration() says which keys of a source exclude or need each other", () => {
  const { url: _url, ...noUrl } = LDAP;
  const { userDn: _userDn, ...noUser } = LDAP;
  const { home: _home, ...noHome } = LDAP;
  for (
    const [source, ...problems] of [
      [
        { type: "file", url: HTTP.url },
        ".url: is given, but the type is file",
        "ftpsd.yaml: nobody can log in; give users or anonymous",
      ],
      [{ ...HTTP, userDn: LDAP.userDn }, ".userDn: is given, but the type is http"],
      [{ ...LDAP, tokenFile: "token" }, ".tokenFile: is given, but the type is ldap"],
      [{ type: "postgres", urlFile: "x", remember: 5 }, ".remember: is given, but the type is postgres"],
      [{ type: "http", tokenFile: "token" }, ".url: is missing; give the address of the hook"],
      [{ type: "http", url: HTTP.url }, ".tokenFile: is missing; give a file with a token that the hook knows"],
      [{ ...HTTP, url: "ldaps://x" }, ".url: is that of a directory, but the type is http"],
      [{ ...LDAP, url: "https://x" }, ".url: is that of a hook, but the type is ldap"],
      [noUrl, ".url: give either url or urls"],
      [{ ...LDAP, urls: ["ldaps://x"] }, ".url: give either url or urls"],
      [{ ...noUrl, urls: [] }, ".urls: has no entry; give at least one directory"],
      [{ ...LDAP, startTls: true }, ".startTls: is given, but TLS is there from the start with ldaps:"],
      [{ ...LDAP, url: "ldap://x", ca: "ca" }, ".ca: is given, but there is no TLS; give startTls"],
      [{ ...LDAP, bindDn: "cn=x" }, ".bindDn: give both of bindDn and bindPasswordFile, or none"],
      [{ ...LDAP, searchBase: "dc=x" }, ".searchBase: give both of searchBase and searchFilter, or none"],
      [noUser, ".userDn: is missing; give it, or searchBase and searchFilter"],
      [
        { ...noUser, searchBase: "dc=x", searchFilter: "(uid=bob)" },
        ".searchFilter: has no {name}: it would find the same for everybody",
      ],
      [{ ...LDAP, groupFilter: "(member={dn})" }, ".groupFilter: is given without groupBase"],
      [{ ...LDAP, groupBase: "dc=x" }, ".groupBase: is given without groups, which say what they mean here"],
      [{ ...LDAP, groups: [{ dn: "cn=a", group: "a" }] }, '.groups[0].group: "a" is not one of groups; there are none'],
      [noHome, ".home: is missing; give a folder such as /srv/ftp/{name}, or homeAttribute and homes"],
      [{ ...LDAP, home: "/{name}" }, ".home: is at the root of the file system; put homes into a folder of their own"],
      [
        { ...noHome, homeAttribute: "home" },
        ".homes: is missing; homeAttribute needs a folder below which homes have to be",
      ],
    ] as const
  ) assertEquals(problemsOfSource(source).sort(), [...problems].sort(), JSON.stringify(source));
});

Deno.test("homesFolderOf() is the folder that all homes of a template are below", () => {
  const folderOf = (source: object) => {
    const [settings] = read(`accounts: [${JSON.stringify(source)}]\n`).accounts;
    return settings && homesFolderOf(settings);
  };
  assertEquals(folderOf(LDAP), "/srv/ftp");
  assertEquals(folderOf({ ...LDAP, home: "/srv/ftp/u-{name}/in" }), "/srv/ftp");
  assertEquals(folderOf({ ...LDAP, home: "/srv/ftp/shared" }), "/srv/ftp");
  assertEquals(folderOf({ ...LDAP, homes: "/other", homeAttribute: "home" }), "/other");
  assertEquals(folderOf(HTTP), undefined);
});

Deno.test("homeTemplateOf() says where homes are below their folder, which may be relative to the current one", () => {
  for (
    const [home, homes, template] of [
      ["/srv/ftp/{name}", undefined, "{name}"],
      ["ftp/{name}", undefined, "{name}"],
      ["ftp/of-{name}/in", "ftp", "of-{name}/in"],
      ["D:\\ftp\\{name}", undefined, "{name}"],
      ["/srv/ftp/{name}", "/srv", "ftp/{name}"],
      ["/srv/ftp2/{name}", "/srv/ftp", "/srv/ftp2/{name}"],
      [undefined, "/srv/ftp", undefined],
    ] as const
  ) {
    const source = { type: "ldap", ...home !== undefined && { home }, ...homes !== undefined && { homes } } as const;
    assertEquals(homeTemplateOf(source), template);
  }
});
