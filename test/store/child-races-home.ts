/** Opens `FOLDER/0`, `FOLDER/1` … at the moments it is told on standard input, and says whether it got it. */
import { join } from "node:path";
import { type Home, HomeError, openHome } from "../../src/store/home.ts";

const [folder = ""] = process.argv.slice(2);
let held: Home | null = null;
let round = 0;
console.log("ready");
for await (const at of console) {
  held?.release();
  held = null;
  while (Date.now() < Number(at));
  try {
    held = openHome(join(folder, `${round++}`));
    console.log("got it");
  } catch (error) {
    if (!(error instanceof HomeError)) throw error;
    console.log(error.message.includes("is in use by") ? "in use" : error.message);
  }
}
