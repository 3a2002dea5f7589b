// Octets through a connection: order, back-pressure, the ways to end, and both interfaces to them.
import type { TcpStateEvent } from "@netstrata/transport";
import { describe, expect, test } from "vitest";
import type { Server, Socket, SocketOptions } from "../src/index.ts";
import { pattern, rejection, type TwoStacks, twoStacks } from "./two-stacks.ts";

interface Joined {
  readonly socket: Socket;
  readonly peer: Socket;
  readonly listener: Server;
}

async function join(stacks: TwoStacks, ours: SocketOptions = {}, theirs: SocketOptions = {}): Promise<Joined> {
  const listener = stacks.server.listen({ port: 80, ...theirs, signal: undefined });
  const socket = stacks.client.connect("10.0.0.2:80", ours);
  const peer = await listener.accept();
  await socket.opened;
  return { socket, peer, listener };
}

async function readAll(socket: Socket): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of socket) pieces.push(piece);
  return concatenate(pieces);
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

describe("reading and writing", () => {
  test("a stream far larger than every buffer arrives as it was, both ways at once", async () => {
    const stacks = twoStacks();
    const sent = pattern(3_000_000);
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      const send = async (from: Socket): Promise<void> => {
        await from.write(sent);
        await from.closeWrite();
      };
      const [received, echoed] = await Promise.all([readAll(peer), readAll(socket), send(socket), send(peer)]);
      expect(Buffer.compare(received, sent)).toBe(0);
      expect(Buffer.compare(echoed, sent)).toBe(0);
      await Promise.all([socket.closed, peer.closed]);
    });
  });

  test("an array that is filled again after its write changes nothing that was written", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks, { sendBuffer: 4000 });
      // A Node Buffer, whose `slice` would be a view.
      const array = Buffer.alloc(10_000, 1);
      const reading = readAll(peer);
      await socket.write(array);
      array.fill(9);
      await socket.close();
      const received = await reading;
      expect(received.length).toBe(10_000);
      expect(received.every((octet) => octet === 1)).toBe(true);
    });
  });

  test("what was read is the reader's: changing it changes nothing at the sender", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      const given = pattern(100_000);
      await socket.write(given, { given: true });
      void socket.closeWrite();
      for await (const piece of peer) piece.fill(0);
      expect(given).toEqual(pattern(100_000));
    });
  });

  test("reads are answered in their order, with no more than they ask for", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      const target = new Uint8Array(3);
      const reads = [peer.read(2), peer.readInto(target), peer.read()];
      await socket.write(new Uint8Array([1, 2, 3, 4, 5, 6, 7]));
      expect(await Promise.all(reads)).toEqual([new Uint8Array([1, 2]), 3, new Uint8Array([6, 7])]);
      expect(target).toEqual(new Uint8Array([3, 4, 5]));
      // 0 octets would say that the stream has ended.
      expect(() => peer.read(0)).toThrow(/EINVAL/);
      expect(() => peer.readInto(new Uint8Array(0))).toThrow(/EINVAL/);
    });
  });

  test("an empty write succeeds and sends nothing; what is no octets is refused", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      await socket.write(new Uint8Array(0));
      await socket.write(new Uint16Array([0x0201]));
      await socket.write(new Uint8Array([3]).buffer);
      expect(concatenate([(await peer.read(2)) as Uint8Array, (await peer.read()) as Uint8Array])).toEqual(new Uint8Array([1, 2, 3]));
      expect(() => socket.write("text" as unknown as Uint8Array)).toThrow(/octets.*not a string/);
    });
  });

  test("writes before the handshake is complete wait for it", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const listener = stacks.server.listen({ port: 80 });
      const socket = stacks.client.connect("10.0.0.2:80");
      const writing = [socket.write(new Uint8Array([1])), socket.write(new Uint8Array([2])), socket.closeWrite()];
      expect(await readAll(await listener.accept())).toEqual(new Uint8Array([1, 2]));
      await Promise.all(writing);
    });
  });
});

describe("back-pressure", () => {
  test("a reader that does not read closes the window, and the writer's promise waits", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks, { sendBuffer: 5000 }, { receiveBuffer: 8000 });
      let isWritten = false;
      const writing = socket.write(pattern(40_000)).then(() => {
        isWritten = true;
      });
      await stacks.sleep(10_000);
      // The receiver's buffer is full, the sender's too, and the rest waits with the user.
      expect(peer.info()).toMatchObject({ unread: 8000, receiveWindow: 0 });
      expect(socket.info()?.sendWindow).toBe(0);
      expect(isWritten).toBe(false);
      const reading = readAll(peer);
      await writing;
      await socket.closeWrite();
      expect(await reading).toEqual(pattern(40_000));
    });
  });

  test("a larger buffer takes what waits, without waiting for the peer", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket } = await join(stacks, { sendBuffer: 1000 }, { receiveBuffer: 1000 });
      const writing = socket.write(pattern(10_000));
      await stacks.sleep(1000);
      socket.set({ sendBuffer: 20_000 });
      await writing;
      socket.abort();
    });
  });

  test("the same through WHATWG streams: what is not pulled stays in TCP", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks, { sendBuffer: 5000 }, { receiveBuffer: 8000 });
      const { readable } = peer;
      const writer = socket.writable.getWriter();
      void writer.write(pattern(40_000));
      await stacks.sleep(10_000);
      expect(peer.info()).toMatchObject({ unread: 8000, receiveWindow: 0 });
      expect(writer.desiredSize).toBeLessThanOrEqual(0);
      void writer.close();
      const pieces: Uint8Array[] = [];
      for await (const piece of readable as unknown as AsyncIterable<Uint8Array>) pieces.push(piece);
      expect(concatenate(pieces)).toEqual(pattern(40_000));
    });
  });
});

describe("the WHATWG streams", () => {
  test("piped through one host and back", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks, { allowHalfOpen: true }, { allowHalfOpen: true });
      const echo = peer.readable.pipeTo(peer.writable);
      const writer = socket.writable.getWriter();
      const writing = writer.write(pattern(200_000)).then(() => writer.close());
      expect(await readAll(socket)).toEqual(pattern(200_000));
      await Promise.all([writing, echo, socket.closed, peer.closed]);
    });
  });

  test("a reader that brings its own buffer", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      await socket.write(new Uint8Array([1, 2, 3, 4, 5]));
      void socket.closeWrite();
      const reader = peer.readable.getReader({ mode: "byob" });
      const first = await reader.read(new Uint8Array(3));
      expect(first).toEqual({ done: false, value: new Uint8Array([1, 2, 3]) });
      const second = await reader.read(new Uint8Array(3));
      expect(second.value).toEqual(new Uint8Array([4, 5]));
      expect((await reader.read(new Uint8Array(3))).done).toBe(true);
    });
  });

  test("they are the same objects at each look", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket } = await join(stacks);
      expect(socket.readable).toBe(socket.readable);
      expect(socket.writable).toBe(socket.writable);
    });
  });

  test("cancelling the readable leaves the writable alone", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      await socket.readable.cancel("not interested");
      await peer.write(new Uint8Array(1000));
      await stacks.sleep(100);
      await socket.write(new Uint8Array([7]));
      expect(await peer.read()).toEqual(new Uint8Array([7]));
      expect(await socket.read()).toBeNull();
    });
  });

  test("aborting the writable resets the connection", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      const reading = rejection(peer.read());
      await socket.writable.abort("broken");
      expect(await reading).toMatchObject({ code: "ECONNRESET" });
      expect(await rejection(socket.closed)).toBe("broken");
    });
  });

  test("aborting without a reason breaks everything all the same", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket } = await join(stacks);
      await socket.writable.abort();
      for (const promise of [socket.closed, socket.closeWrite(), socket.read(), socket.write(new Uint8Array(1))]) {
        expect(await rejection(promise)).toMatchObject({ code: "ECONNABORTED" });
      }
    });
  });

  test("an idle writer learns of a reset", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      const writer = socket.writable.getWriter();
      peer.abort();
      expect(await rejection(writer.closed)).toMatchObject({ code: "ECONNRESET" });
    });
  });
});

describe("ending", () => {
  test("half close: the other direction goes on", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks, { allowHalfOpen: true }, { allowHalfOpen: true });
      await socket.write(new Uint8Array([1]));
      await socket.closeWrite();
      expect(await readAll(peer)).toEqual(new Uint8Array([1]));
      await peer.write(pattern(100_000));
      await peer.closeWrite();
      expect(await readAll(socket)).toEqual(pattern(100_000));
      await Promise.all([socket.closed, peer.closed]);
      expect(await rejection(socket.write(new Uint8Array(1)))).toMatchObject({ code: "EPIPE", syscall: "write" });
    });
  });

  test("without allowHalfOpen our stream ends when the end of the peer's was read", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      await socket.write(new Uint8Array([1]));
      await socket.closeWrite();
      await stacks.sleep(1000);
      // The octet has not been read, so the end has not come; nor has it when only the octet was read.
      await peer.write(new Uint8Array([2]));
      expect(await peer.read()).toEqual(new Uint8Array([1]));
      await peer.write(new Uint8Array([3]));
      expect(await peer.read()).toBeNull();
      expect(await rejection(peer.write(new Uint8Array(1)))).toMatchObject({
        code: "EPIPE",
        message: expect.stringContaining("allowHalfOpen"),
      });
      expect(await readAll(socket)).toEqual(new Uint8Array([2, 3]));
      await Promise.all([socket.closed, peer.closed]);
    });
  });

  test.each([
    [
      "a loop",
      async (peer: Socket) => {
        for await (const bytes of peer) await peer.write(bytes);
      },
    ],
    ["a pipe", (peer: Socket) => peer.readable.pipeTo(peer.writable)],
  ] as const)("an echo by %s gives back all, the octets before the end of the stream too", async (_, serve) => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks, { allowHalfOpen: true });
      const serving = serve(peer);
      const sending = socket.write(pattern(50_000)).then(() => socket.closeWrite());
      expect(await readAll(socket)).toEqual(pattern(50_000));
      await Promise.all([sending, serving, socket.closed, peer.closed]);
    });
  });

  test("close sends what is being written, and passes through the states of RFC 9293 Figure 12", async () => {
    const stacks = twoStacks({ observe: true });
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks, { sendBuffer: 2000 });
      const writing = socket.write(pattern(20_000));
      const closed = socket.close();
      expect(await readAll(peer)).toEqual(pattern(20_000));
      await Promise.all([writing, closed, peer.closed]);
    });
    const states = (host: string): string[] =>
      stacks.events.filter(({ event, host: at }) => event.kind === "state" && at === host).map(({ event }) => (event as TcpStateEvent).to);
    expect(states("client")).toEqual(["SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"]);
    expect(states("server")).toEqual(["SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"]);
  });

  test("after close reads see the end, also those that wait", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      const waiting = [socket.read(), socket.readInto(new Uint8Array(5))];
      const closed = socket.close();
      expect(await Promise.all(waiting)).toEqual([null, 0]);
      expect(await socket.read()).toBeNull();
      await peer.close();
      await closed;
    });
  });

  test("close with a reason gives it to what waits, and ends the connection in order all the same", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks, { sendBuffer: 2000 }, { receiveBuffer: 2000 });
      const writing = rejection(socket.write(pattern(20_000)));
      const reading = rejection(socket.read());
      const closed = socket.close("shutting down");
      expect(await Promise.all([writing, reading])).toEqual(["shutting down", "shutting down"]);
      // What TCP had taken arrives whole.
      expect(await readAll(peer)).toEqual(pattern(20_000).subarray(0, 2000));
      await Promise.all([closed, peer.closed]);
    });
  });

  test("SHLD-3: close with unread data resets the connection", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      await peer.write(new Uint8Array(100));
      await stacks.sleep(100);
      const reading = rejection(peer.read());
      await socket.close();
      expect(await reading).toMatchObject({ code: "ECONNRESET" });
    });
  });

  test("abort resets: the peer reads what had arrived, then ECONNRESET", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      await socket.write(new Uint8Array([1, 2]));
      await stacks.sleep(100);
      socket.abort("bored");
      expect(await rejection(socket.closed)).toBe("bored");
      expect(await rejection(socket.write(new Uint8Array(1)))).toBe("bored");
      await stacks.sleep(100);
      expect(await peer.read()).toEqual(new Uint8Array([1, 2]));
      expect(await rejection(peer.read())).toMatchObject({ code: "ECONNRESET", syscall: "read" });
      expect(await rejection(peer.closed)).toMatchObject({ code: "ECONNRESET" });
      socket.abort("again");
    });
  });

  test("a socket that is disposed of has closed; a broken one does not complain", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      let kept: Socket;
      {
        const { socket, peer } = await join(stacks);
        await using disposed = socket;
        kept = disposed;
        await peer.closeWrite();
      }
      await kept.closed;
      const broken = stacks.client.connect("10.0.0.2:9999");
      await broken[Symbol.asyncDispose]();
    });
  });

  test("leaving the loop early leaves the socket open", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer } = await join(stacks);
      await socket.write(new Uint8Array([1]));
      for await (const piece of peer) {
        expect(piece).toEqual(new Uint8Array([1]));
        break;
      }
      await socket.write(new Uint8Array([2]));
      expect(await peer.read()).toEqual(new Uint8Array([2]));
    });
  });

  test("nothing is left after the streams have ended and TIME-WAIT is over", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const { socket, peer, listener } = await join(stacks);
      // Both at once: a simultaneous close, after which both ends wait.
      await Promise.all([socket.close(), peer.close(), listener.close()]);
    });
    expect([stacks.client.openSockets, stacks.server.openSockets]).toEqual([0, 0]);
    expect(stacks.clock.armedTimers).toBe(2);
    stacks.clock.runUntilIdle();
    expect(stacks.clock.now()).toBeGreaterThan(240_000);
    expect([stacks.client.layers.tcp.connectionCount, stacks.server.layers.tcp.connectionCount]).toEqual([0, 0]);
  });
});
