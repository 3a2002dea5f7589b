// What happens on all hosts of a world, in one stream: who, when, what.
import type { Clock, Milliseconds, Observer, StackEvent } from "@netstrata/core";

export interface WorldEvent {
  /** On the world's clock. */
  readonly time: Milliseconds;
  /** The host's name. */
  readonly host: string;
  /** What a layer told; packets in it are lent for the duration of the call. */
  readonly event: StackEvent;
}

export type WorldListener = (event: WorldEvent) => void;

/** A host's observer is set only while somebody listens, so that nobody listening costs nothing. */
export class WorldEvents {
  private readonly clock: Clock;
  private readonly listeners: Set<WorldListener> = new Set();
  private readonly hosts: { observer?: Observer; readonly name: string }[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(host: { observer?: Observer; readonly name: string }): void {
    this.hosts.push(host);
    if (this.listeners.size > 0) host.observer = this.observerOf(host.name);
  }

  /** @returns a function that stops listening */
  listen(listener: WorldListener): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) for (const host of this.hosts) host.observer = this.observerOf(host.name);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) for (const host of this.hosts) host.observer = undefined;
    };
  }

  private observerOf(host: string): Observer {
    return {
      observe: (event) => {
        const worldEvent: WorldEvent = { time: this.clock.now(), host, event };
        for (const listener of this.listeners) listener(worldEvent);
      },
    };
  }
}
