/**
 * Takes a lock as the parent says, one line each: `once FILE AT` tries at that moment (Unix
 * milliseconds) and holds until `let go`; `often FILE TIMES` takes it so many times, as fast as it
 * can, and fails when another process has it too. Says one line a command.
 */
import { open, rm } from "node:fs/promises";
import { holding } from "../../src/catalog/exclusive.ts";
import { UserError } from "../../src/lib/user-error.ts";

let letGo = (): void => undefined;

async function once(file: string, at: number): Promise<void> {
  while (Date.now() < at);
  const released = Promise.withResolvers<void>();
  const work = async () => {
    letGo = released.resolve;
    console.log("held");
    await released.promise;
  };
  try {
    await holding(file, "here", work);
    console.log("let go");
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.log(error.message);
  }
}

async function often(file: string, times: number): Promise<void> {
  const alone = async () => {
    // Fails when it is there: somebody else is in here.
    await (await open(`${file}.inside`, "wx")).close();
    await rm(`${file}.inside`);
  };
  for (let taken = 0; taken < times; ) {
    try {
      await holding(file, "here", alone);
      taken++;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  console.log("done");
}

console.log("ready");
for await (const line of console) {
  const [command = "", file = "", number = ""] = line.split("\t");
  if (command === "once") void once(file, Number(number));
  else if (command === "often") void often(file, Number(number));
  else letGo();
}
