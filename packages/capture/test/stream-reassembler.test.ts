import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FARTHEST_SEGMENT, HOLE_PATIENCE, MAX_PIECES, StreamReassembler } from "../src/index.ts";

/** Writes down what it is told: text, and `<3>` for a gap of 3 octets. */
class Record {
  text = "";
  next = 0;
  data(bytes: Uint8Array, offset: number): void {
    expect(offset).toBe(this.next);
    this.text += new TextDecoder("latin1").decode(bytes);
    this.next += bytes.length;
  }
  gap(length: number, offset: number): void {
    expect(offset).toBe(this.next);
    expect(length).toBeGreaterThan(0);
    this.text += `<${length}>`;
    this.next += length;
  }
}

function setUp(maxBuffered = 1000): {
  record: Record;
  stream: StreamReassembler;
  send: (seq: number, text: string, length?: number) => void;
} {
  const record = new Record();
  const stream = new StreamReassembler(record, maxBuffered);
  const send = (seq: number, text: string, length = text.length): void => {
    stream.segment(seq >>> 0, new TextEncoder().encode(text), length);
    stream.passed();
  };
  return { record, stream, send };
}

describe.each([1000, 2 ** 31 - 3, 2 ** 32 - 3])("with the first octet at %i", (first) => {
  test("in order", () => {
    const { record, stream, send } = setUp();
    stream.begin(first);
    send(first, "abc");
    send(first + 3, "def");
    expect(record.text).toBe("abcdef");
    expect(stream).toMatchObject({ deliveredBytes: 6, missingBytes: 0, gaps: 0, repeatedBytes: 0, bufferedBytes: 0 });
  });

  test("out of order", () => {
    const { record, stream, send } = setUp();
    stream.begin(first);
    send(first + 4, "ef");
    send(first + 2, "cd");
    expect(record.text).toBe("");
    expect(stream.bufferedBytes).toBe(4);
    send(first, "ab");
    expect(record.text).toBe("abcdef");
    expect(stream.bufferedBytes).toBe(0);
  });

  test("what comes twice counts the first time, delivered or waiting", () => {
    const { record, stream, send } = setUp();
    stream.begin(first);
    send(first, "abc");
    send(first, "ABCd");
    send(first + 6, "gh");
    send(first + 5, "fGHi");
    send(first + 4, "e");
    expect(record.text).toBe("abcdefghi");
    expect(stream.repeatedBytes).toBe(5);
  });

  test("a FIN ends the stream when everything before it has come", () => {
    const { stream, send } = setUp();
    stream.begin(first);
    stream.fin((first + 4) >>> 0);
    send(first + 2, "cd");
    expect(stream.ended).toBe(false);
    send(first, "ab");
    expect(stream.ended).toBe(true);
  });

  test("a hole that was acknowledged is a gap after some patience", () => {
    const { record, stream, send } = setUp();
    stream.begin(first);
    send(first, "ab");
    send(first + 5, "fg");
    for (let packet = 0; packet < 2 * HOLE_PATIENCE; packet += 1) stream.passed();
    expect(record.text).toBe("ab");
    stream.acknowledge((first + 7) >>> 0);
    for (let packet = 0; packet < HOLE_PATIENCE; packet += 1) stream.passed();
    expect(record.text).toBe("ab");
    stream.passed();
    expect(record.text).toBe("ab<3>fg");
    expect(stream).toMatchObject({ deliveredBytes: 4, missingBytes: 3, gaps: 1 });
  });

  test("a keep-alive's octet, and one of a zero-window probe, change nothing", () => {
    const { record, stream, send } = setUp();
    stream.begin(first);
    send(first, "abc");
    send(first + 2, "X");
    send(first + 3, "d");
    send(first + 3, "def");
    expect(record.text).toBe("abcdef");
  });

  test("without a SYN, the stream begins with the lowest number before the first acknowledgment", () => {
    const { record, stream, send } = setUp();
    send(first + 3, "def");
    send(first, "abc");
    expect(record.text).toBe("");
    stream.acknowledge((first + 6) >>> 0);
    expect(record.text).toBe("abcdef");
    send(first + 6, "g");
    expect(record.text).toBe("abcdefg");
    // What comes later still was before the beginning.
    send(first - 3, "xyz");
    expect(record.text).toBe("abcdefg");
  });

  test("an acknowledgment before any octet is the beginning", () => {
    const { record, stream, send } = setUp();
    stream.acknowledge(first);
    send(first + 2, "cd");
    expect(record.text).toBe("");
    send(first, "ab");
    expect(record.text).toBe("abcd");
  });
});

test("without a SYN or any acknowledgment patience decides", () => {
  const { record, stream, send } = setUp();
  send(1003, "def");
  for (let packet = 0; packet <= HOLE_PATIENCE; packet += 1) stream.passed();
  expect(record.text).toBe("def");
  send(1006, "g");
  expect(record.text).toBe("defg");
});

test("a flush delivers what waits, with gaps, and what was acknowledged and never seen", () => {
  const { record, stream, send } = setUp();
  stream.begin(0);
  send(2, "c");
  send(5, "f");
  stream.acknowledge(10);
  stream.flush();
  expect(record.text).toBe("<2>c<2>f<4>");
});

test("the number of a FIN is not an octet, seen or not", () => {
  const seen = setUp();
  seen.stream.begin(0);
  seen.send(0, "ab");
  seen.stream.fin(2);
  seen.stream.acknowledge(3);
  seen.stream.flush();
  expect(seen.record.text).toBe("ab");
  const unseen = setUp();
  unseen.stream.begin(0);
  unseen.send(0, "ab");
  unseen.stream.acknowledge(3);
  unseen.stream.flush();
  expect(unseen.record.text).toBe("ab");
});

test("a FIN behind octets that never came leaves a gap", () => {
  const { record, stream, send } = setUp();
  stream.begin(0);
  send(0, "ab");
  stream.fin(5);
  stream.flush();
  expect(record.text).toBe("ab<3>");
  expect(stream.ended).toBe(true);
});

test("what the capture cut off is a gap at once", () => {
  const { record, send, stream } = setUp();
  stream.begin(0);
  send(0, "abc", 10);
  send(20, "uvw", 5);
  send(10, "klm", 10);
  expect(record.text).toBe("abc<7>klm<7>uvw<2>");
});

test("above the limit of waiting octets the hole is given up", () => {
  const { record, stream, send } = setUp(10);
  stream.begin(0);
  send(1, "b".repeat(10));
  expect(record.text).toBe("");
  send(20, "c");
  expect(record.text).toBe(`<1>${"b".repeat(10)}`);
  expect(stream.bufferedBytes).toBe(1);
});

test("above the limit of waiting pieces too", () => {
  const { record, stream, send } = setUp(1e9);
  stream.begin(0);
  for (let piece = 0; piece < MAX_PIECES; piece += 1) send(1 + 2 * piece, "x");
  expect(record.text).toBe("");
  send(1 + 2 * MAX_PIECES, "x");
  expect(record.text).toBe("<1>x");
});

test("numbers that no window reaches are another stream's", () => {
  const { record, stream, send } = setUp();
  stream.begin(0);
  send(FARTHEST_SEGMENT + 1, "x");
  send(-FARTHEST_SEGMENT - 1, "x");
  stream.acknowledge(2 ** 31);
  send(0, "a");
  stream.flush();
  expect(record.text).toBe("a");
  expect(stream.strayedSegments).toBe(2);
});

test("any segments in any order, overlapping and repeated, give the stream they were cut from", () => {
  const piece = fc.record({ at: fc.nat({ max: 299 }), length: fc.integer({ min: 1, max: 40 }) });
  const content = Array.from({ length: 300 }, (_, index) => String.fromCharCode(32 + (index % 90))).join("");
  const firsts = fc.oneof(fc.constantFrom(0, 2 ** 31 - 100, 2 ** 32 - 100), fc.nat({ max: 2 ** 32 - 1 }));
  fc.assert(
    fc.property(firsts, fc.array(piece, { maxLength: 60 }), fc.boolean(), (first, pieces, acknowledges) => {
      const { record, stream, send } = setUp(1e6);
      stream.begin(first);
      const covered = new Set<number>();
      for (const { at, length } of pieces) {
        const text = content.slice(at, at + length);
        for (let index = at; index < at + text.length; index += 1) covered.add(index);
        if (acknowledges) stream.acknowledge(first);
        send(first + at, text);
        // Everything up to the first octet that is missing has been delivered.
        let whole = 0;
        while (covered.has(whole)) whole += 1;
        expect(record.text).toBe(content.slice(0, whole));
      }
      stream.fin((first + content.length) >>> 0);
      stream.flush();
      let expected = "";
      for (let index = 0, missing = 0; index <= content.length; index += 1) {
        const isThere = covered.has(index);
        if ((isThere || index === content.length) && missing > 0) expected += `<${missing}>`;
        missing = isThere ? 0 : missing + 1;
        if (isThere) expected += content[index];
      }
      expect(record.text).toBe(expected);
      expect(stream.deliveredBytes).toBe(covered.size);
      expect(stream.bufferedBytes).toBe(0);
    }),
    { numRuns: 300 },
  );
});
