export * from "./drill/index.ts";
export { ANSWER_TIME } from "./replay/answer-check.ts";
export { DEFAULT_RECORDING_LIMIT, type OwnEnd, type RecordedConversation, Recording } from "./replay/recording.ts";
export * from "./replay/replay.ts";
export * from "./replay/replay-report.ts";
export { DEFAULT_WAIT_LIMIT, type TcpReplayOptions } from "./replay/tcp-player.ts";
