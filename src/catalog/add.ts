import { existsSync } from "node:fs";
import path from "node:path";
import { UserError } from "../lib/user-error.ts";
import { writeAtomically } from "./files.ts";
import type { GgufFacts } from "./gguf.ts";
import { formatHubReference, type HubReference, isModelId } from "./reference.ts";

/** Makes a model file for a GGUF file of the hub, so that any of them can be a model here. */

/**
 * The first id that is not taken of `owner/<file without .gguf>` (quantizations of one repository are
 * different models), `owner/<repository>-<file>` and the same with the file's folders. Throws
 * `UserError` for a file that can't be a model, and when each id is taken.
 */
export function idFor(reference: HubReference, isTaken: (id: string) => boolean): string {
  const [owner = "", repository = ""] = reference.repo.split("/");
  const whole = reference.file.replace(/\.gguf$/i, "");
  if (whole === reference.file)
    throw new UserError(`${reference.file} is not a .gguf file: other formats cannot be loaded`);
  const stem = path.posix.basename(whole);
  if (/-\d{5}-of-\d{5}$/.test(stem))
    throw new UserError(
      `${reference.file} is one part of a split model: take a repository with the whole in one file`,
    );
  const id = `${owner}/${stem}`;
  if (!isModelId(id))
    throw new UserError(`"${id}" cannot be a model id: write a model file by hand`);
  const others = [stem, whole.replaceAll("/", "-")].map((name) => `${owner}/${repository}-${name}`);
  const free = [id, ...others].find((each) => isModelId(each) && !isTaken(each));
  if (free === undefined)
    throw new UserError(`the model ${id} is another file already: remove its model file first`);
  return free;
}

/** The quantization as file names carry it: `…-Q4_K_M.gguf`. */
function quantizationIn(file: string): string | null {
  return (
    /(?:^|[.-])((?:IQ|Q|TQ)\d\w*|BF16|F16|F32|MXFP4)(?=[.-]|$)/i.exec(file)?.[1]?.toUpperCase() ??
    null
  );
}

/**
 * Text of the model file. JSON's string escapes are TOML's too. `today` as `2026-01-31`. A context
 * the file does not tell is taken as 4096 tokens.
 */
export function modelFileText(
  id: string,
  reference: HubReference,
  facts: GgufFacts,
  today: string,
): string {
  const quantization = quantizationIn(reference.file);
  const entries: (readonly [string, string | number | null])[] = [
    ["id", id],
    ["name", facts.name ?? id],
    ["category", facts.embeds ? "embeddings" : null],
    ["created", today],
    ["owned_by", reference.repo.split("/")[0] ?? reference.repo],
    ["context_length", facts.contextLength ?? 4_096],
    ["license", facts.license ?? "unknown"],
    ["parameters", facts.parameters],
    ["quantization", quantization],
    ["kv_bytes_per_token", facts.kvBytesPerToken],
  ];
  const lines = entries
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return [
    "# Written by npx covey pull from what the file says about itself; change it as you like.",
    ...lines,
    "",
    ...(facts.embeds ? ["[modalities]", 'output = ["embedding"]', ""] : []),
    "[weights]",
    `hf = ${JSON.stringify(formatHubReference(reference))}`,
    "",
  ].join("\n");
}

/** The model file that `addModelFile` writes for an id. */
export function modelFilePath(folder: string, id: string): string {
  return path.join(folder, `${id.replace("/", "--")}.toml`);
}

/** Writes it into the models folder; returns its path. Never replaces a file that is there. */
export async function addModelFile(folder: string, id: string, text: string): Promise<string> {
  const file = modelFilePath(folder, id);
  if (existsSync(file)) throw new UserError(`${file} is there already: change or remove it first`);
  await writeAtomically(file, text);
  return file;
}
