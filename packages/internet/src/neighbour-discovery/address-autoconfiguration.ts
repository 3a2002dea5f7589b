// Stateless address autoconfiguration (RFC 4862 §5.5): addresses made of the prefixes that routers advertise.
import {
  type Clock,
  type IpAddress,
  type IpPrefix,
  type Ipv6Address,
  isLinkLocal,
  isMulticast,
  networkOf,
  type SipKey,
} from "@netstrata/core";
import type { AddressAttributes } from "../address-selection.ts";
import type { PrefixInformation } from "./discovery-options.ts";
import { IDENTIFIER_PREFIX_LENGTH, opaqueAddress } from "./interface-identifier.ts";
import { Lifetimes } from "./lifetimes.ts";

/** Addresses of one interface that come from routers; one more prefix is not taken. */
export const MAX_AUTOCONFIGURED_ADDRESSES = 16;
/** RFC 7217 §6, IDGEN_RETRIES. */
const MAX_CONFLICTS = 3;
/** RFC 4862 §5.5.3 (e): nobody can take an address away sooner than in two hours, in seconds. */
const LEAST_REMAINING = 7200;

/** What is done with the addresses. */
export interface AddressOwner {
  /** Begins to use an address when it is known to be ours alone; `taken` when it is not. */
  acquire(address: IpPrefix, attributes: AddressAttributes, taken: () => void): void;
  deprecate(address: Ipv6Address, attributes: AddressAttributes): void;
  release(address: Ipv6Address): void;
}

interface Configured {
  address: Ipv6Address;
  conflicts: number;
}

export class AddressAutoconfiguration {
  private readonly owner: AddressOwner;
  private readonly secret: SipKey;
  private readonly interfaceName: string;
  /** By network. */
  private readonly configured = new Map<IpAddress, Configured>();
  private readonly valid: Lifetimes<IpAddress>;
  private readonly preferred: Lifetimes<IpAddress>;

  constructor(clock: Clock, owner: AddressOwner, secret: SipKey, interfaceName: string) {
    this.owner = owner;
    this.secret = secret;
    this.interfaceName = interfaceName;
    this.valid = new Lifetimes(clock, MAX_AUTOCONFIGURED_ADDRESSES, (network) => this.forget(network));
    this.preferred = new Lifetimes(clock, MAX_AUTOCONFIGURED_ADDRESSES, (network) => this.setDeprecated(network, true));
  }

  get size(): number {
    return this.configured.size;
  }

  /** RFC 4862 §5.5.3, with its letters. */
  prefixAdvertised({ prefix, autonomous, validLifetime, preferredLifetime }: PrefixInformation): void {
    // (a), (b), (c)
    if (!autonomous || isLinkLocal(prefix.address) || isMulticast(prefix.address) || preferredLifetime > validLifetime) return;
    // (d): an identifier has 64 bits, so that a prefix of another length makes no address.
    if (prefix.length !== IDENTIFIER_PREFIX_LENGTH) return;
    const network = networkOf(prefix).address;
    if (!this.configured.has(network)) {
      if (validLifetime > 0 && this.valid.set(network, validLifetime)) this.configure(network, preferredLifetime);
      return;
    }
    this.prefer(network, preferredLifetime);
    // (e)
    const remaining = this.valid.remaining(network);
    if (validLifetime > LEAST_REMAINING || validLifetime > remaining) this.valid.set(network, validLifetime);
    else if (remaining > LEAST_REMAINING) this.valid.set(network, LEAST_REMAINING);
  }

  clear(): void {
    for (const { address } of this.configured.values()) this.owner.release(address);
    this.configured.clear();
    this.valid.clear();
    this.preferred.clear();
  }

  private configure(network: IpAddress, preferredLifetime: number): void {
    this.configured.set(network, { address: this.addressIn(network, 0), conflicts: 0 });
    this.prefer(network, preferredLifetime);
    this.acquire(network);
  }

  private acquire(network: IpAddress): void {
    const configured = this.configured.get(network);
    if (configured === undefined) return;
    const address = { address: configured.address, length: IDENTIFIER_PREFIX_LENGTH };
    this.owner.acquire(address, this.attributesOf(network), () => {
      // RFC 7217 §6: another identifier for the same network, but not for ever.
      configured.conflicts += 1;
      if (configured.conflicts > MAX_CONFLICTS) return;
      configured.address = this.addressIn(network, configured.conflicts);
      this.acquire(network);
    });
  }

  private addressIn(network: IpAddress, conflicts: number): Ipv6Address {
    return opaqueAddress(this.secret, { address: network, length: IDENTIFIER_PREFIX_LENGTH }, this.interfaceName, conflicts);
  }

  private prefer(network: IpAddress, lifetime: number): void {
    if (lifetime > 0) this.preferred.set(network, lifetime);
    else this.preferred.delete(network);
    this.setDeprecated(network, lifetime === 0);
  }

  private setDeprecated(network: IpAddress, deprecated: boolean): void {
    const configured = this.configured.get(network);
    if (configured !== undefined) this.owner.deprecate(configured.address, { deprecated, temporary: false });
  }

  private attributesOf(network: IpAddress): AddressAttributes {
    return { deprecated: !this.preferred.has(network), temporary: false };
  }

  private forget(network: IpAddress): void {
    const configured = this.configured.get(network);
    this.configured.delete(network);
    this.preferred.delete(network);
    if (configured !== undefined) this.owner.release(configured.address);
  }
}
