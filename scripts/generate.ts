/**
 * Writes the files that are made from the contracts: `openapi.json`. With `--check` it writes
 * nothing and exits 1 when the file on disk is not what would be written.
 */

import { ENDPOINTS } from "../src/contract/endpoints.ts";
import { API_INFO } from "../src/contract/info.ts";
import { openapi } from "../src/contract/openapi.ts";

const file = new URL("../openapi.json", import.meta.url);
const wanted = `${JSON.stringify(openapi(ENDPOINTS, API_INFO), null, 2)}\n`;

if (process.argv.includes("--check")) {
  const found = (await Bun.file(file).exists()) ? await Bun.file(file).text() : "";
  if (found !== wanted) {
    console.error("openapi.json differs from src/contract: run `npm run generate` and commit it.");
    process.exit(1);
  }
} else {
  await Bun.write(file, wanted);
  console.log(`openapi.json: ${wanted.length} characters`);
}
