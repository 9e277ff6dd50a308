import { machineOf } from "../../src/engines/guided/guide.ts";
import type { Position } from "../../src/engines/guided/machine.ts";
import type { GuideSpec } from "../../src/engines/guided/spec.ts";

/** Whether a text is one that the spec asks for. */
export function matches(spec: GuideSpec, text: string | Uint8Array): boolean {
  return readerOf(spec)(text) === "whole";
}

/** Reads texts: one that is asked for, the beginning of one, or neither. */
export function readerOf(
  spec: GuideSpec,
): (text: string | Uint8Array) => "whole" | "begun" | "neither" {
  const machine = machineOf(spec);
  return (text) => {
    let at: Position | null = machine.start;
    for (const byte of typeof text === "string" ? new TextEncoder().encode(text) : text) {
      at = machine.step(at, byte);
      if (at === null) return "neither";
    }
    return at.accepts ? "whole" : "begun";
  };
}
