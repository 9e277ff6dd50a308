import type { Machine, Position } from "./machine.ts";
import type { Work } from "./work.ts";

const FIRST = 0x20;
const LAST = 0x7e;

/**
 * Walks the first two characters of all texts, so that a form whose tokens can't be found in time is
 * refused before an answer is begun. Where it is that ambiguous only later, the answer is ended.
 * @throws SpecError when it takes more than is left of the work
 */
export function tryOut(machine: Machine, work: Work): void {
  let spent = 0;
  const stepFrom = (position: Position): Position[] => {
    const found = new Set<Position>();
    for (let byte = FIRST; byte <= LAST; byte++) {
      const next = machine.step(position, byte);
      if (next !== null) found.add(next);
      work.spend(machine.spent - spent);
      spent = machine.spent;
    }
    return [...found];
  };
  for (const position of stepFrom(machine.start)) stepFrom(position);
}
