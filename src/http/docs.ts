import { readdirSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dir, "..", "..", "docs");

/** The pages of `docs/`, by the name they have under `/docs/`. Read once: what is not in it is not served. */
const PAGES: ReadonlyMap<string, string> = new Map(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(".md"))
    .map((file) => [file.slice(0, -".md".length), join(FOLDER, file)]),
);

/** `GET /docs` lists the pages, `GET /docs/{page}` is one, as Markdown; null for a page that isn't there. */
export async function docs(path: string): Promise<Response | null> {
  const name = path.replace(/^\/docs\/?/, "");
  if (name === "") {
    const list = [...PAGES.keys()].map((page) => `- [${page}](/docs/${page})`).join("\n");
    return markdown(`# Covey's documentation\n\n${list}\n`);
  }
  const file = PAGES.get(name);
  return file === undefined ? null : markdown(await Bun.file(file).text());
}

function markdown(text: string): Response {
  return new Response(text, { headers: { "content-type": "text/markdown; charset=utf-8" } });
}
