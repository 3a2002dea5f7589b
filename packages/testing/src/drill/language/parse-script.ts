// The packetdrill language: its grammar, from the top.
import { Cursor } from "./cursor.ts";
import { parseCall, parseEnd } from "./parse-expression.ts";
import { parsePacket } from "./parse-packet.ts";
import { parseTime } from "./parse-time.ts";
import { type Definitions, preprocess } from "./preprocess.ts";
import type { Action, CodeAction, CommandAction, Script, ScriptEvent, ScriptOption } from "./script.ts";
import { ScriptError } from "./source-text.ts";

/** Characters of a script. */
export const MAX_SCRIPT_LENGTH: number = 4 * 2 ** 20;

/**
 * Reads a script. Any text gives a script or an error with its place.
 * @param definitions what `-D NAME=VALUE` defines
 */
export function parseScript(text: string, definitions: Definitions = new Map()): Script | ScriptError {
  if (text.length > MAX_SCRIPT_LENGTH)
    return new ScriptError(`a script has at most ${MAX_SCRIPT_LENGTH} characters`, { line: 1, column: 1 });
  try {
    const prepared = preprocess(text, definitions);
    return parseAll(new Cursor(prepared.text, prepared.definitions));
  } catch (error) {
    if (error instanceof ScriptError) return error;
    throw error;
  }
}

function parseAll(cursor: Cursor): Script {
  const options: ScriptOption[] = [];
  while (cursor.startsWith("--")) options.push(parseOption(cursor));
  const preparations: CommandAction[] = [];
  while (cursor.startsWith("`")) preparations.push(parseCommand(cursor));
  const events: ScriptEvent[] = [];
  while (!cursor.isAtEnd) events.push(parseEvent(cursor));
  return { options, preparations, events };
}

function parseOption(cursor: Cursor): ScriptOption {
  const { line } = cursor;
  cursor.expect("--", "in front of an option");
  const name = cursor.take(/[A-Za-z][\w-]*/y) ?? cursor.fail("the option's name is missing");
  if (!cursor.takeSymbol("=")) return { line, name, value: undefined };
  // A value is not in the language of the events: it may be an address, a file name, a list.
  const value = cursor.string() ?? cursor.take(/[^\s]+/y) ?? "";
  return { line, name: name.replaceAll("-", "_"), value };
}

function parseEvent(cursor: Cursor): ScriptEvent {
  cursor.skipBlanks();
  const { line, at } = cursor;
  const time = parseTime(cursor);
  const action = parseAction(cursor);
  return { line, text: cursor.since(at), time, action };
}

function parseAction(cursor: Cursor): Action {
  if (cursor.startsWith("`")) return parseCommand(cursor);
  if (cursor.startsWith("%{")) return parseCode(cursor);
  if (cursor.startsWith("<") || cursor.startsWith(">")) return parsePacket(cursor);
  const end = parseEnd(cursor);
  if (cursor.sees(/[A-Za-z_]\w*\s*\(/y)) return parseCall(cursor, end);
  return cursor.fail("a packet (< or >), a system call, a command or code is missing");
}

function parseCommand(cursor: Cursor): CommandAction {
  const { line } = cursor;
  cursor.expect("`", "in front of a command");
  return { kind: "command", line, text: cursor.until("`", "this command") };
}

function parseCode(cursor: Cursor): CodeAction {
  const { line } = cursor;
  cursor.expect("%{", "in front of code");
  return { kind: "code", line, text: cursor.until("}%", "this code") };
}
