// Presets of defaults with a name (personality.ts): what they change, and that what is given wins.
import { expect, test } from "vitest";
import { PERSONALITIES, withPersonality } from "../../src/index.ts";
import { dialogue, Peer, SEQUENCE_STARTS } from "./peer.ts";

test("a personality fills in what the options leave open, and nothing else", () => {
  expect(withPersonality({ personality: "linux", rtoMinimum: 300, timeWait: undefined })).toEqual({
    ...PERSONALITIES.linux,
    personality: "linux",
    rtoMinimum: 300,
  });
  expect(withPersonality({ noDelay: true })).toEqual({ ...PERSONALITIES.rfc, noDelay: true });
});

test("a stack without a personality follows the RFCs", () => {
  expect(new Peer(SEQUENCE_STARTS[0]).tcp.personality).toBe("rfc");
});

dialogue(
  "the linux personality stays in TIME-WAIT for a minute",
  (peer) => {
    const connection = peer.reach("TIME-WAIT");
    const states = [59_999, 1].map((duration) => {
      peer.advance(duration);
      return connection.state;
    });
    expect(states).toEqual(["TIME-WAIT", "CLOSED"]);
  },
  { personality: "linux" },
);
