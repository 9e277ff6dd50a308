import { ChatTemplate } from "../lib/chat-template.ts";
import type { Log } from "../lib/log.ts";
import type { Model } from "../types.ts";
import { type GgufMetadata, parseGguf, readGgufHead, tokenTexts } from "./gguf.ts";
import { locateInPackage } from "./npm.ts";
import { locateWeights, PACKAGES, type WeightFolders } from "./weights.ts";

/** How a model's conversations are written, as far as this machine knows. */
export interface KnownTemplate {
  readonly template: ChatTemplate;
  /** Texts of its beginning and end tokens; null where only a template file tells of it. */
  readonly bosToken: string | null;
  readonly eosToken: string | null;
  /** Whether its tokenizer puts the beginning token before a text by itself. */
  readonly addsBos: boolean;
}

/** How soon a model whose template was not found is looked at again. */
const AGAIN_MS = 30_000;

interface Entry {
  known: KnownTemplate | null;
  /** `performance.now()`. */
  lookedAt: number;
}

/**
 * Models' chat templates: those of model files, and those inside weights on this machine. The first
 * are there at once; the others are read from disk in the background and kept.
 */
export class ChatTemplates {
  readonly #folders: WeightFolders;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();

  constructor(folders: WeightFolders, log: Log) {
    this.#folders = folders;
    this.#log = log;
  }

  /** What is known by now; a model that was not looked at yet is, for the next time. Never throws. */
  of(model: Model): KnownTemplate | null {
    const entry = this.#entries.get(model.id);
    const stale = entry === undefined || (entry.known === null && isOld(entry));
    if (stale) void this.load(model);
    return this.#entries.get(model.id)?.known ?? null;
  }

  /** Looks a model's template up. Never rejects. */
  async load(model: Model): Promise<KnownTemplate | null> {
    const entry: Entry = { known: null, lookedAt: performance.now() };
    this.#entries.set(model.id, entry);
    try {
      const { template } = model.file;
      if (template !== undefined) entry.known = withoutWeights(new ChatTemplate(template));
      const file = await headOf(model, this.#folders);
      if (file !== null) entry.known = (await readTemplate(file, template)) ?? entry.known;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn(`the chat template of ${model.id} can't be read: ${reason}`);
    }
    return entry.known;
  }
}

function isOld({ lookedAt }: Entry): boolean {
  return performance.now() - lookedAt > AGAIN_MS;
}

/** Where nobody says otherwise, a tokenizer adds the token that the template begins with. */
function withoutWeights(template: ChatTemplate): KnownTemplate {
  return { template, bosToken: null, eosToken: null, addsBos: true };
}

/** The file that has the beginning of a model's weights, if it is here. */
async function headOf(model: Model, folders: WeightFolders): Promise<string | null> {
  const located = await locateWeights(model, folders);
  if (located.path !== undefined) return located.path;
  const { weights } = model.file;
  const [first] = weights.source === "npm" && located.state === "joinable" ? weights.parts : [];
  if (first === undefined) return null;
  const part = await locateInPackage(first, folders.packages ?? PACKAGES);
  return part.found ? part.path : null;
}

/**
 * The template inside a GGUF file, or `own` with that file's tokens; null when it has none.
 * @throws UserError, ChatTemplateError
 */
export async function readTemplate(file: string, own?: string): Promise<KnownTemplate | null> {
  const head = await readGgufHead(file, (bytes) => {
    const metadata = parseGguf(bytes);
    if (metadata === undefined) return undefined;
    const texts = tokenTexts(bytes, new Set([tokenOf(metadata, "bos"), tokenOf(metadata, "eos")]));
    return texts === undefined ? undefined : { metadata, texts };
  });
  const { metadata, texts } = head;
  const source = own ?? metadata.get("tokenizer.chat_template");
  if (typeof source !== "string") return null;
  return {
    template: new ChatTemplate(source),
    bosToken: texts.get(tokenOf(metadata, "bos")) ?? null,
    eosToken: texts.get(tokenOf(metadata, "eos")) ?? null,
    addsBos: addsBos(metadata),
  };
}

/** -1 for none. */
function tokenOf(metadata: GgufMetadata, which: "bos" | "eos"): number {
  const token = metadata.get(`tokenizer.ggml.${which}_token_id`);
  return typeof token === "number" ? token : -1;
}

/** As llama.cpp decides it where the file does not say. */
function addsBos(metadata: GgufMetadata): boolean {
  const said = metadata.get("tokenizer.ggml.add_bos_token");
  if (typeof said === "boolean") return said;
  const kind = metadata.get("tokenizer.ggml.model");
  return kind === "llama" || metadata.get("tokenizer.ggml.pre") === "llama-bpe";
}
