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
  // The pages link to each other as files.
  const name = path.replace(/^\/docs\/?/, "").replace(/\.md$/, "");
  if (name === "") {
    const list = [...PAGES.keys()].map((page) => `- [${page}](/docs/${page})`).join("\n");
    return markdown(`# Covey's documentation\n\n${list}\n`);
  }
  const file = PAGES.get(name);
  return file === undefined ? null : markdown(await Bun.file(file).text());
}

/** What somebody sees who opens the address in a browser. */
export function welcome(): Response {
  return markdown(`# Covey

This is an OpenAI-compatible API: its base URL is this address with /v1 after it.

- GET /v1/models: the models that can answer
- POST /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/tokenize, /v1/detokenize
- GET /openapi.json: every endpoint, field and error
- GET /docs: how to use it
- GET /health, /health/ready
`);
}

function markdown(text: string): Response {
  return new Response(text, { headers: { "content-type": "text/markdown; charset=utf-8" } });
}
