import { assertEquals } from "@std/assert";
import { findPermissionNeeds, formatPermissionFlags } from "../../lib/check/permissions.ts";
import { read } from "../settings/configuration_text.ts";

const FILE = "/etc/ftpsd/ftpsd.yaml";

/** A configuration and the flags of `deno run` for it. */
const CASES: readonly (readonly [name: string, text: string, ...flags: readonly string[]])[] = [
  [
    "a user who reads, on the default address",
    "users:\n  - { name: alice, password: x, home: /srv/alice }\n",
    "--allow-net=127.0.0.1",
    `--allow-read=${FILE},/srv/alice`,
  ],
  [
    "a drop box with a certificate and a passive range",
    "listen: [{ host: 192.168.1.5, port: 21 }]\n" +
    "passive: { ports: 50000-50002 }\n" +
    "tls: { certificate: certs/server.crt, key: certs/server.key }\n" +
    "users:\n" +
    "  - name: scanner\n    password: x\n    home: /srv/scans\n    permissions: el\n" +
    "    overrides: [{ path: /in, permissions: lw }]\n",
    "--allow-net=192.168.1.5:21,192.168.1.5:50000,192.168.1.5:50001,192.168.1.5:50002",
    `--allow-read=${FILE},/etc/ftpsd/certs/server.crt,/etc/ftpsd/certs/server.key,/srv/scans`,
    "--allow-write=/srv/scans",
  ],
  [
    "a mirror for everybody, on several addresses of both families",
    "listen:\n  - { host: 0.0.0.0, port: 21 }\n  - { host: 0.0.0.0, port: 990, tls: implicit }\n  - { host: '::1', port: 21 }\n" +
    "passive: { ports: 50000-50001 }\n" +
    "anonymous: { home: /srv/mirror }\n",
    "--allow-net=0.0.0.0:21,0.0.0.0:990,[::1]:21,0.0.0.0:50000,0.0.0.0:50001,[::1]:50000,[::1]:50001",
    `--allow-read=${FILE},/srv/mirror`,
  ],
  [
    "users who write and read, client certificates and a log of transfers",
    "listen: [{ host: '::', port: 21 }]\n" +
    "passive: { ports: 50000-50000 }\n" +
    "tls: { clientCertificates: { mode: require, ca: /etc/ssl/ca.crt, crl: /etc/ssl/clients.crl } }\n" +
    "log: { transfers: /var/log/xferlog }\n" +
    "users:\n" +
    "  - { name: alice, password: x, home: /srv/shared, permissions: elradfmwMT }\n" +
    "  - { name: bob, password: x, home: /srv/shared }\n" +
    "  - { name: carol, password: x, home: /srv/carol, permissions: elT }\n" +
    "  - { name: dave, password: x, home: /srv/dave, permissions: '' }\n",
    "--allow-net=[::]:21,[::]:50000",
    `--allow-read=${FILE},/etc/ssl/ca.crt,/etc/ssl/clients.crl,/srv/shared,/srv/carol,/srv/dave`,
    "--allow-write=/srv/shared,/srv/carol,/var/log/xferlog",
  ],
  [
    "active mode, which dials any client",
    "listen: [{ host: 10.0.0.5, port: 21 }]\nactive: { enabled: true }\npassive: { ports: 50000-50001 }\n" +
    "anonymous: { home: /srv/pub }\n",
    "--allow-net",
    `--allow-read=${FILE},/srv/pub`,
  ],
  [
    "mounts, of which some may only be read",
    "listen: [{ host: 10.0.0.5, port: 21 }]\npassive: { ports: 50000-50000 }\nusers:\n" +
    "  - name: alice\n    password: x\n    home: /srv/alice\n    permissions: elrw\n    mounts:\n" +
    "      - { path: /shared, home: /srv/shared, permissions: elr }\n" +
    "      - { path: /shared/team, home: /srv/team }\n" +
    "      - { path: /in, home: /srv/in, permissions: elw }\n" +
    "      - { path: /box, home: /srv/box, permissions: el }\n" +
    "    overrides: [{ path: /box/drop, permissions: w }]\n" +
    "  - name: bob\n    password: x\n    home: /srv/bob\n    mounts: [{ path: /in, home: /srv/in2, permissions: elw }]\n" +
    "  - name: scanner\n    password: x\n    home: /srv/scans\n    dropBox: true\n    mounts: [{ path: /more, home: /srv/more }]\n",
    "--allow-net=10.0.0.5:21,10.0.0.5:50000",
    `--allow-read=${FILE},/srv/alice,/srv/shared,/srv/team,/srv/in,/srv/box,/srv/bob,/srv/in2,/srv/scans,/srv/more`,
    "--allow-write=/srv/alice,/srv/in,/srv/box,/srv/in2,/srv/scans,/srv/more",
  ],
  [
    "a name to announce, which is looked up",
    "listen: [{ host: 10.0.0.5, port: 21, proxyProtocol: [10.0.0.1] }]\n" +
    "passive: { ports: 50000-50000, announced: 60000-60000, address: ftp.example.org }\n" +
    "anonymous: { home: /srv/pub }\n",
    "--allow-net=10.0.0.5:21,10.0.0.5:50000,ftp.example.org",
    `--allow-read=${FILE},/srv/pub`,
  ],
  [
    "homes in stores",
    "listen: [{ host: 10.0.0.5, port: 21 }]\npassive: { ports: 50000-50000 }\nstores:\n" +
    "  near: { type: s3, endpoint: 'http://[::1]:9000', bucket: files, accessKeyFile: id, secretKeyFile: secret, ca: ca.pem }\n" +
    "  far: { type: s3, endpoint: 'https://s3.example.org', bucket: files, addressing: host, accessKeyFile: id, secretKeyFile: secret, sessionTokenFile: token }\n" +
    "users: [{ name: alice, password: x, home: { store: near, path: /alice }, permissions: elrw }]\n",
    "--allow-net=10.0.0.5:21,10.0.0.5:50000,[::1]:9000,files.s3.example.org:443",
    `--allow-read=${FILE},/etc/ftpsd/id,/etc/ftpsd/secret,/etc/ftpsd/ca.pem,/etc/ftpsd/token`,
  ],
  [
    "a state in a file",
    "state: { type: sqlite, file: /var/lib/ftpsd/state.db }\nanonymous: { home: /srv/pub }\n",
    "--allow-net=127.0.0.1",
    `--allow-read=${FILE},/var/lib/ftpsd/state.db,/srv/pub`,
    "--allow-write=/var/lib/ftpsd/state.db",
  ],
  [
    "any port to listen on",
    "listen: [{ host: '::1', port: 0 }, { host: 127.0.0.1, port: 21 }]\npassive: { ports: 50000-50001 }\n" +
    "anonymous: { home: /srv/pub }\n",
    "--allow-net=[::1],127.0.0.1",
    `--allow-read=${FILE},/srv/pub`,
  ],
  [
    "more passive ports than are listed one by one",
    "listen: [{ host: 10.0.0.5, port: 21 }]\npassive: { ports: 50000-52000 }\nanonymous: { home: /srv/pub }\n",
    "--allow-net=10.0.0.5",
    `--allow-read=${FILE},/srv/pub`,
  ],
  [
    "paths with commas, which Deno cannot be given",
    "anonymous: { home: '/srv/a,b/c' }\nusers:\n" +
    "  - { name: alice, password: x, home: '/srv/d,e', permissions: elw }\n  - { name: bob, password: x, home: '/x,y' }\n",
    "--allow-net=127.0.0.1",
    `--allow-read=${FILE},/srv,/`,
    "--allow-write=/srv",
  ],
];

for (const [name, text, ...flags] of CASES) {
  Deno.test(`findPermissionNeeds() finds no more than is needed for ${name}`, () => {
    assertEquals(formatPermissionFlags(findPermissionNeeds(read(text), FILE)), [...flags]);
  });
}

Deno.test("findPermissionNeeds() lists as many as 2,000 passive ports", () => {
  const text = "passive: { ports: 50000-51999 }\nanonymous: { home: /srv/pub }\n";
  assertEquals(findPermissionNeeds(read(text)).net.length, 2_001);
});

Deno.test("findPermissionNeeds() reads no file where there is none", () => {
  assertEquals(findPermissionNeeds(read("anonymous: { home: /srv/pub }\n")), {
    net: ["127.0.0.1"],
    read: ["/srv/pub"],
    write: [],
  });
});

Deno.test("formatPermissionFlags() grants the folder above a path with a comma", () => {
  const flagsFor = (path: string) => formatPermissionFlags({ net: ["h"], read: [path], write: [] })[1];
  assertEquals(flagsFor("/srv/my files/x"), "--allow-read=/srv/my files/x");
  assertEquals(flagsFor("/srv/a/b,c,d/e"), "--allow-read=/srv/a");
  assertEquals(flagsFor("C:\\srv\\b,c"), "--allow-read=C:\\srv");
  assertEquals(flagsFor("C:\\b,c"), "--allow-read=C:\\");
});
