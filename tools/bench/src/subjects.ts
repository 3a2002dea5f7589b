// The table of subjects: what is measured, and beside what. A new subject is a file in `contenders/` and a line here.
import type { Entrant, Subject, Work } from "./contender.ts";
import { openCoreBulk } from "./contenders/core-bulk.ts";
import { openCoreConnections } from "./contenders/core-connections.ts";
import { openCoreDatagrams } from "./contenders/core-datagrams.ts";
import { openCorePingPong } from "./contenders/core-ping-pong.ts";
import { openNodeBulk } from "./contenders/node-bulk.ts";
import { openNodeConnections } from "./contenders/node-connections.ts";
import { openNodeDatagrams } from "./contenders/node-datagrams.ts";
import { openNodePingPong } from "./contenders/node-ping-pong.ts";
import { BULK_WRITE } from "./contenders/payload.ts";
import { openSocketBulk } from "./contenders/socket-bulk.ts";
import { openSocketConnections } from "./contenders/socket-connections.ts";
import { openSocketDatagrams } from "./contenders/socket-datagrams.ts";
import { openSocketPingPong } from "./contenders/socket-ping-pong.ts";

const ETHERNET = 1500;
const LARGEST = 65535;

const BULK: Work = { title: "bulk one way", unit: "octets", quantum: BULK_WRITE };
const PING_PONG: Work = { title: "1-byte ping-pong", unit: "round trips", quantum: 1 };
const CONNECTIONS: Work = { title: "connect, accept, close", unit: "connections", quantum: 1 };
const UDP_64: Work = { title: "UDP, 64 bytes", unit: "datagrams", quantum: 1 };
const UDP_1400: Work = { title: "UDP, 1,400 bytes", unit: "datagrams", quantum: 1 };

type Open = Entrant["open"];
type OpenAtMtu = (mtu: number) => ReturnType<Open>;

const core = (mtu: number, open: OpenAtMtu): Entrant => ({ title: `core API, MTU ${mtu}`, open: () => open(mtu) });
const promises = (mtu: number, open: OpenAtMtu): Entrant => ({ title: `promises, MTU ${mtu}`, open: () => open(mtu) });
const net = (open: Open): Entrant => ({ title: "node:net", open });
const netBulk: Entrant = { title: "node:net, data events", open: () => openNodeBulk("data") };
const netBulkInPlace: Entrant = { title: "node:net, onread", open: () => openNodeBulk("onread") };
const dgram = (size: number): Entrant => ({ title: "node:dgram", open: () => openNodeDatagrams(size) });

/** The same work over both MTUs and through both interfaces. */
function variants(name: string, work: Work, peer: Entrant, openCore: OpenAtMtu, openSocket: OpenAtMtu): Subject[] {
  return [ETHERNET, LARGEST].flatMap((mtu) => [
    { name: `${name}-core-${mtu}`, work, subject: core(mtu, openCore), peer },
    { name: `${name}-promises-${mtu}`, work, subject: promises(mtu, openSocket), peer },
  ]);
}

function datagramVariants(name: string, work: Work, size: number): Subject[] {
  const openCore: OpenAtMtu = (mtu) => openCoreDatagrams(mtu, size);
  const openSocket: OpenAtMtu = (mtu) => openSocketDatagrams(mtu, size);
  return variants(name, work, dgram(size), openCore, openSocket);
}

export const SUBJECTS: readonly Subject[] = [
  ...variants("bulk", BULK, netBulk, openCoreBulk, openSocketBulk),
  // The reader of the core API brings its own memory, which node:net can do as well, though few programs know.
  { name: "bulk-onread-core-1500", work: BULK, subject: core(ETHERNET, openCoreBulk), peer: netBulkInPlace },
  { name: "bulk-onread-core-65535", work: BULK, subject: core(LARGEST, openCoreBulk), peer: netBulkInPlace },
  ...variants("ping-pong", PING_PONG, net(openNodePingPong), openCorePingPong, openSocketPingPong),
  ...variants("connections", CONNECTIONS, net(openNodeConnections), openCoreConnections, openSocketConnections),
  ...datagramVariants("udp-64", UDP_64, 64),
  ...datagramVariants("udp-1400", UDP_1400, 1400),
];

export function findSubject(name: string): Subject {
  const subject = SUBJECTS.find((candidate) => candidate.name === name);
  if (subject === undefined) throw new RangeError(`no subject ${JSON.stringify(name)}`);
  return subject;
}
