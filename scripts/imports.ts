/**
 * Who may import whom, checked. Each folder of src/ names the folders it may reach; a type import
 * counts like any other. Prints every breach with its line and ends with 1, or says how many files
 * it read.
 */
import { dirname, join, normalize } from "node:path";

const ALLOWED: Record<string, readonly string[]> = {
  contract: [],
  lib: [],
  config: ["contract", "lib", "types"],
  catalog: ["contract", "lib", "types"],
  images: ["contract", "lib", "types"],
  store: ["contract", "images", "lib", "types"],
  dialects: ["contract", "images", "lib", "types"],
  engines: ["contract", "images", "lib", "types"],
  gateway: ["contract", "catalog", "lib", "types"],
  http: ["contract", "gateway", "lib", "types"],
};
/** The nouns that folders share are types only; `types.ts` itself may name any schema's type. */
const ANYTHING = new Set(["app", "cli", "main", "types"]);

/** Packages that only one folder may know. */
const PACKAGES: Record<string, string> = {
  hono: "http",
  "node-llama-cpp": "engines",
  sharp: "images",
};

interface Breach {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** The part of `src/` a path belongs to: its first folder, or the bare name of a file at the top. */
function area(path: string): string {
  const [first = ""] = path.split("/");
  return first.replace(/\.ts$/, "");
}

/** The breaches in one file. `file` is relative to src/. */
export function breaches(file: string, text: string): Breach[] {
  const own = area(file);
  const found: Breach[] = [];
  text.split("\n").forEach((content, index) => {
    const specifier = /(?:^|\s)(?:from|import)\s*\(?\s*"([^"]+)"/.exec(content)?.[1];
    if (specifier === undefined) return;
    const line = index + 1;
    if (!specifier.startsWith(".")) {
      const owner = PACKAGES[specifier.split("/")[0] ?? ""];
      if (owner !== undefined && owner !== own) {
        found.push({ file, line, message: `only src/${owner}/ may import ${specifier}` });
      }
      if (own === "contract" && specifier !== "zod" && !file.endsWith(".test.ts")) {
        found.push({ file, line, message: `contract imports zod only, not ${specifier}` });
      }
      return;
    }
    const target = normalize(join(dirname(file), specifier));
    if (target.startsWith("..")) return;
    const other = area(target);
    if (other === own || ANYTHING.has(own)) return;
    if (!(ALLOWED[own] ?? []).includes(other)) {
      found.push({ file, line, message: `${own} may not import ${other} (${specifier})` });
    }
  });
  return found;
}

if (import.meta.main) {
  const root = join(import.meta.dir, "..", "src");
  const files = [...new Bun.Glob("**/*.ts").scanSync(root)].filter((f) => !f.endsWith(".test.ts"));
  const all: Breach[] = [];
  for (const file of files) all.push(...breaches(file, await Bun.file(join(root, file)).text()));
  for (const { file, line, message } of all) console.error(`src/${file}:${line}: ${message}`);
  if (all.length > 0) process.exit(1);
  console.log(`import rules: ${files.length} files, none breaks them`);
}
