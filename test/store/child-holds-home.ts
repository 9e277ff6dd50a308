/** Holds a home folder until it is killed. */
import { openStore } from "../../src/store/index.ts";

const [home = ""] = process.argv.slice(2);
const store = openStore({ home, durability: "process", version: "test" });
await store.caughtUp();
console.log("held");
setInterval(() => Bun.gc(true), 20);
