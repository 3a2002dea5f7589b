// Which connection a packet of the script belongs to: the one it names by its ports, or the one that the script is about.
import { type IpAddress, ipv4FromMapped, isIpv4, isMappedIpv4 } from "@netstrata/core";
import { ACK, type Endpoint, SYN } from "@netstrata/transport";
import type { PacketAction } from "../language/packet.ts";
import type { LivePacket } from "../wire/live-packet.ts";
import { Flow } from "./flow.ts";

/** A socket that the script has made. */
interface ScriptSocket {
  readonly protocol: "tcp" | "udp";
  readonly descriptor: number;
}

export interface DefaultEnds {
  readonly local: IpAddress;
  readonly remote: IpAddress;
  /** Where listeners of the script listen. */
  readonly bindPort: number;
  /** Where `connect` leads. */
  readonly connectPort: number;
}

const FIRST_REMOTE_PORT = 33000;
/** Connections in one script. */
export const MAX_FLOWS = 65536;

export class FlowTable {
  /** The newest first. */
  readonly flows: Flow[] = [];
  private readonly ends: DefaultEnds;
  private readonly sockets: Map<number, ScriptSocket> = new Map();
  /** What packets without ports belong to. */
  current: Flow | undefined;
  private nextPort: number = FIRST_REMOTE_PORT;

  constructor(ends: DefaultEnds) {
    this.ends = ends;
  }

  created(descriptor: number, protocol: "tcp" | "udp"): void {
    const socket: ScriptSocket = { descriptor, protocol };
    this.sockets.set(descriptor, socket);
    this.current = undefined;
  }

  /** A socket has got its ends, by `connect` or by sending. */
  attached(descriptor: number, localPort: number, remote: Endpoint): void {
    const socket = this.sockets.get(descriptor);
    if (socket === undefined) return;
    const flow = this.add(socket.protocol, this.local(localPort), plain(remote));
    flow.descriptor = descriptor;
    flow.isConnecting = socket.protocol === "tcp";
  }

  accepted(descriptor: number, remote: Endpoint): void {
    const flow = this.flows.find((each) => each.descriptor === undefined && isSame(each.remote, plain(remote)));
    if (flow === undefined) return;
    flow.descriptor = descriptor;
    this.sockets.set(descriptor, { descriptor, protocol: flow.protocol });
  }

  /** The script has closed a descriptor: what still comes out of its connection need not be described. */
  closed(descriptor: number): void {
    const flow = this.of(descriptor);
    if (flow !== undefined) flow.isClosed = true;
  }

  /** The flow of a socket's descriptor. */
  of(descriptor: number): Flow | undefined {
    return this.flows.find((flow) => flow.descriptor === descriptor && !flow.isClosed);
  }

  /** For a packet of the script that comes in; it may be the first of its connection. */
  inbound({ ports, body }: PacketAction): Flow {
    const protocol = body.protocol === "udp" ? "udp" : "tcp";
    if (ports !== undefined) {
      const known = this.flows.find(
        (flow) => flow.protocol === protocol && flow.remote.port === ports.source && flow.local.port === ports.destination,
      );
      this.current = known ?? this.add(protocol, this.local(ports.destination), this.remote(ports.source));
      return this.current;
    }
    // A listener makes a connection of the first packet that comes; so does a port where nobody listens.
    const remotePort = protocol === "udp" ? this.ends.connectPort : this.nextPort++;
    return this.current ?? this.add(protocol, this.local(this.ends.bindPort), this.remote(remotePort));
  }

  /** For a packet that the script expects to come out; undefined when there is no connection it could be of. */
  outbound({ ports, body }: PacketAction): Flow | undefined {
    if (ports !== undefined) {
      return (
        this.flows.find((flow) => flow.local.port === ports.source && flow.remote.port === ports.destination) ??
        this.flows.find((flow) => flow.remote.port === ports.destination)
      );
    }
    if (body.protocol === "tcp" && (body.flags & (SYN | ACK)) === SYN) {
      const connecting = this.flows.find((flow) => flow.isConnecting);
      if (connecting !== undefined) return connecting;
    }
    return this.current ?? this.flows[0];
  }

  /** Whose packet has come out. */
  ofLive({ source, destination, body }: LivePacket): Flow | undefined {
    if (body === undefined || body.protocol === "icmp") return undefined;
    const { sourcePort, destinationPort } = body.header;
    return this.flows.find(
      ({ protocol, local, remote }) =>
        protocol === body.protocol &&
        local.port === sourcePort &&
        remote.port === destinationPort &&
        local.address === source &&
        remote.address === destination,
    );
  }

  private add(protocol: "tcp" | "udp", local: Endpoint, remote: Endpoint): Flow {
    if (this.flows.length >= MAX_FLOWS) this.flows.pop();
    const flow = new Flow(protocol, local, remote);
    this.flows.unshift(flow);
    this.current = flow;
    return flow;
  }

  private local(port: number): Endpoint {
    return { address: this.ends.local, port };
  }

  private remote(port: number): Endpoint {
    return { address: this.ends.remote, port };
  }
}

/** As it stands in packets, not as calls on a socket of the other family have it. */
function plain({ address, port }: Endpoint): Endpoint {
  return { address: !isIpv4(address) && isMappedIpv4(address) ? ipv4FromMapped(address) : address, port };
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}
