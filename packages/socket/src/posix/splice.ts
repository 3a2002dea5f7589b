// splice and sendfile of Linux: octets from one file to another, without a program between them.
import { Call, type Outcome } from "./call.ts";
import * as c from "./linux-numbers.ts";
import { MemoryFile } from "./memory-file.ts";
import { type OpenFile, SocketFile } from "./open-file.ts";
import { PipeEnd } from "./pipe.ts";
import { StreamFile } from "./stream-file.ts";
import { isAtUrgentMark } from "./stream-urgent.ts";

/** One of the two is a pipe. @param flags SPLICE_F_NONBLOCK: does not wait for the pipe; SPLICE_F_MORE: more follows */
export function splice(from: OpenFile, to: OpenFile, length: number, flags: number): Call {
  if ((flags & ~(c.SPLICE_F_MOVE | c.SPLICE_F_NONBLOCK | c.SPLICE_F_MORE | c.SPLICE_F_GIFT)) !== 0) return new Call<number>("EINVAL");
  if (length === 0) return new Call<number>(0);
  const dontWait = (flags & c.SPLICE_F_NONBLOCK) !== 0;
  if (from instanceof PipeEnd) {
    if (!from.isReader) return new Call<number>("EBADF");
    const more = (flags & c.SPLICE_F_MORE) !== 0 ? c.MSG_MORE : 0;
    return fromPipe(from, length, dontWait, (bytes) => put(to, bytes, more));
  }
  if (!(to instanceof PipeEnd)) return new Call<number>("EINVAL");
  if (to.isReader) return new Call<number>("EBADF");
  return intoPipe(from, to, length, dontWait);
}

/** @param offset where to begin in `from`; undefined: at its position, which moves on */
export function sendfile(to: OpenFile, from: OpenFile, offset: number | undefined, count: number): Call {
  if (!(from instanceof MemoryFile)) return new Call<number>("EINVAL");
  const start = offset ?? from.position;
  const bytes = from.view(start, count);
  if (bytes.length === 0) return new Call<number>(0);
  return then(put(to, bytes, 0), (sent) => {
    if (offset === undefined && typeof sent === "number") from.position = start + sent;
    return sent;
  });
}

function fromPipe(pipe: PipeEnd, length: number, dontWait: boolean, put: (bytes: Uint8Array) => Call): Call {
  return chained(
    pipe.whenFilled(dontWait, () => pipe.buffer.length),
    (filled) =>
      filled === 0
        ? new Call<number>(0)
        : then(put(pipe.buffer.peek(Math.min(length, filled))), (sent) => {
            if (typeof sent === "number") pipe.drop(sent);
            return sent;
          }),
  );
}

function intoPipe(from: OpenFile, pipe: PipeEnd, length: number, dontWait: boolean): Call {
  if (from instanceof MemoryFile) {
    return pipe.whenRoom(dontWait, () => {
      const bytes = from.view(from.position, Math.min(length, pipe.buffer.room));
      from.position += bytes.length;
      pipe.put(bytes);
      return bytes.length;
    });
  }
  if (!(from instanceof StreamFile)) return new Call<number>("EINVAL");
  return chained(
    pipe.whenRoom(dontWait, () => pipe.buffer.room),
    (room) => fromStream(from, pipe, Math.min(length, room), dontWait),
  );
}

function fromStream(file: StreamFile, pipe: PipeEnd, length: number, dontWait: boolean): Call {
  // The urgent octet is not passed over here, as `recv` does: it is in the way until somebody takes it.
  if (isAtUrgentMark(file) && !file.urgentInline && (file.connection?.readableLength ?? 0) > 0) return new Call<number>(0);
  const target = new Uint8Array(length);
  pipe.buffer.reserved += length;
  return then(file.receive([target], dontWait ? c.MSG_DONTWAIT : 0), (received) => {
    pipe.buffer.reserved -= length;
    if (typeof received === "string") return received;
    pipe.put(target.subarray(0, received.length));
    return received.length;
  });
}

function put(to: OpenFile, bytes: Uint8Array, flags: number): Call {
  if (to instanceof PipeEnd || to instanceof MemoryFile) return to.write(bytes);
  return to instanceof SocketFile ? to.send({ bytes, flags, to: undefined, control: [] }) : new Call<number>("EINVAL");
}

/** A call that returns what `map` makes of another's outcome. */
function then<T extends number | object>(call: Call<T>, map: (outcome: Outcome<T>) => Outcome<number>): Call {
  if (call.outcome !== undefined) return new Call<number>(map(call.outcome));
  const mapped = new Call<number>(undefined, undefined, () => call.interrupt());
  call.onSettled((outcome) => mapped.settle(map(outcome)));
  return mapped;
}

/** One call after the other. */
function chained(first: Call, next: (outcome: number) => Call): Call {
  let current: Call = first;
  const both = new Call<number>(undefined, undefined, () => current.interrupt());
  first.onSettled((outcome) => {
    if (typeof outcome === "string") {
      both.settle(outcome);
      return;
    }
    current = next(outcome);
    current.onSettled((last) => both.settle(last));
  });
  return both;
}
