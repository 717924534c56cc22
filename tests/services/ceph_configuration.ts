/**
 * Configuration of a Ceph cluster of one monitor, one disk and one gateway, which live in one folder and listen on 127.0.0.1.
 *
 * @module
 */

/** Where the cluster is. */
export interface CephPlace {
  /** Folder that holds everything. */
  readonly folder: string;
  /** Identity of the cluster, a UUID. */
  readonly id: string;
  readonly monitorPort: number;
  /** First of the ports that the disk takes what is free of. */
  readonly diskPort: number;
  readonly gatewayPort: number;
}

const DISK_PORT_COUNT = 100;
/** The file is sparse: it takes what is stored. */
const DISK_BYTES = 48 * 2 ** 30;
/** The least that a disk can be told to keep to. */
const DISK_MEMORY_BYTES = 896 * 2 ** 20;

/** Text of `ceph.conf`. */
export function cephConfiguration({ folder, id, monitorPort, diskPort, gatewayPort }: CephPlace): string {
  return `[global]
fsid = ${id}
mon host = [v2:127.0.0.1:${monitorPort}]
mon initial members = a
keyring = ${folder}/keyring
public network = 127.0.0.0/8
ms bind msgr1 = false
ms bind port min = ${diskPort}
ms bind port max = ${diskPort + DISK_PORT_COUNT}
auth allow insecure global id reclaim = false
run dir = ${folder}/run
pid file = ${folder}/run/$name.pid
admin socket = ${folder}/run/$name.asok
log file = ${folder}/log/$name.log
crash dir = ${folder}/crash
# One copy of everything, in few placement groups: nobody keeps anything here.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 1
[mon]
mon data = ${folder}/mon
paxos propose interval = 0.05
[osd]
osd data = ${folder}/osd
osd objectstore = bluestore
bluestore block size = ${DISK_BYTES}
osd memory target = ${DISK_MEMORY_BYTES}
# A full disk of the host makes the cluster read-only only when nothing is left.
mon osd full ratio = 0.98
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort}
rgw data = ${folder}/gateway
rgw dns name = localhost
rgw run sync thread = false
rgw enable ops log = false
rgw enable usage log = false
rgw gc obj min wait = 5
rgw gc processor period = 10
`;
}
