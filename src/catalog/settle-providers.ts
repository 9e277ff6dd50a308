import { nearest } from "../lib/nearest.ts";
import { UserError } from "../lib/user-error.ts";
import type { ProviderSettings, TimeLimits } from "../types.ts";
import type { PriceTable } from "./price.ts";
import type { ProviderFile } from "./provider-file.ts";
import { fileOf, GENERIC, type ProviderFiles } from "./providers.ts";

/** What is said besides when something is wrong. */
interface Told {
  /** Files that can't be read, by their id, and why: an error for the provider that needs one. */
  readonly faults?: ReadonlyMap<string, string>;
  /** Where the config says something: `covey.toml:7: `, or nothing. */
  readonly place?: (at: readonly string[]) => string;
}

/** What the config says of a provider's model. Prices in US dollars per million tokens. */
export interface ChosenModel {
  readonly id: string;
  readonly upstreamId?: string | undefined;
  readonly aliases: readonly string[];
  readonly contextLength?: number | undefined;
  readonly maxOutput?: number | undefined;
  readonly priority?: number | undefined;
  readonly weight?: number | undefined;
  readonly price?: PriceTable | undefined;
  readonly features?: readonly string[] | undefined;
  readonly modalities?: Modalities | undefined;
}

type Modality = "text" | "image" | "audio" | "video" | "file";
export interface Modalities {
  readonly input: readonly Modality[];
  readonly output: readonly Modality[];
}

/** What the config says of a provider; what it leaves out is as the provider's file says. */
export interface ProviderChoice {
  readonly type?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly apiKeyEnv?: string | readonly string[] | undefined;
  readonly models: readonly ChosenModel[];
  readonly discover?: boolean | undefined;
  readonly priority: number;
  readonly weight: number;
  readonly concurrency?: number | undefined;
  readonly samplingDefaults?: "openai" | "engine" | undefined;
  readonly features?: readonly string[] | undefined;
  readonly price?: PriceTable | undefined;
  readonly prices: Readonly<Record<string, PriceTable>>;
  readonly connectTimeout?: number | undefined;
  readonly firstByteTimeout?: number | undefined;
  readonly firstTokenTimeout?: number | undefined;
  readonly gapTimeout?: number | undefined;
  readonly answerTimeout?: number | undefined;
}

/** A provider with all that is needed to use it and to make targets of its models. */
export interface SettledProvider {
  readonly settings: ProviderSettings;
  /** Id of its file. */
  readonly type: string;
  /** The variables that its keys are looked for in. */
  readonly keyNames: readonly string[];
  /** Whether its own list of models is fetched. */
  readonly discover: boolean;
  readonly choice: ProviderChoice;
}

/**
 * Joins what the config says with the facts in the provider files and the keys in the environment.
 * Pure. `secret` reads a variable, null when it is not set.
 * @throws UserError for a type that is no file, and for what neither the config nor the file says
 */
export function settleProviders(
  choices: Readonly<Record<string, ProviderChoice>>,
  files: ProviderFiles,
  secret: (name: string) => string | null,
  { faults = new Map(), place = () => "" }: Told = {},
): SettledProvider[] {
  return Object.entries(choices).map(([id, choice]) => {
    const wanted = choice.type ?? id;
    const fault = faults.get(wanted);
    if (fault !== undefined) throw new UserError(fault);
    try {
      return settle(id, choice, files, secret);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const at = ["providers", id, ...(choice.type === undefined ? [] : ["type"])];
      throw new UserError(`${place(at)}${error.message}`, { cause: error });
    }
  });
}

/** What to tell of files that can't be read and that no provider of the config needs. */
export function faultWarnings(faults: ReadonlyMap<string, string>): string[] {
  return [...faults.values()].flatMap((fault) =>
    fault.split("\n").map((line) => `${line} (no provider of the config uses this file)`),
  );
}

/** What an operator should know at start: providers that can't be used yet. */
export function providerWarnings(providers: readonly SettledProvider[]): string[] {
  return providers.flatMap(({ settings: { id, missingKey } }) =>
    missingKey === null
      ? []
      : [
          `provider ${id}: ${missingKey} is not set, so its models are not available: set it in the environment or in .env`,
        ],
  );
}

/** A key that is in the environment, of a provider that is not switched on. */
export interface UnusedKey {
  readonly provider: string;
  readonly variable: string;
}

/** Keys of providers that would work if they were named. Pure. */
export function unusedKeys(
  providers: readonly SettledProvider[],
  files: ProviderFiles,
  secret: (name: string) => string | null,
): UnusedKey[] {
  const used = new Set(providers.flatMap(({ type, keyNames }) => [type, ...keyNames]));
  return [...files].flatMap(([provider, { base_url, key_env }]) => {
    const variable = key_env.find((name) => secret(name) !== null);
    return base_url === undefined ||
      variable === undefined ||
      used.has(provider) ||
      used.has(variable)
      ? []
      : [{ provider, variable }];
  });
}

function settle(
  id: string,
  choice: ProviderChoice,
  files: ProviderFiles,
  secret: (name: string) => string | null,
): SettledProvider {
  const { id: type, file: facts } = typeOf(id, choice, files);
  const file = withChoice(facts, choice);
  const baseUrl = choice.baseUrl ?? file.base_url;
  if (baseUrl === undefined) throw noAddress(id, choice, type, files);
  const discover =
    choice.discover ?? (file.discovery.enabled && hasList(file) && choice.models.length === 0);
  if (!discover && choice.models.length === 0)
    throw new UserError(
      `provider ${id} has no models: name some with models = [{ id = "…" }], or set discover = true`,
    );
  const { apiKeyEnv } = choice;
  const keyNames =
    apiKeyEnv === undefined
      ? file.key_env
      : typeof apiKeyEnv === "string"
        ? [apiKeyEnv]
        : apiKeyEnv;
  const keys = [...new Set(keyNames.flatMap((name) => keysIn(secret(name))))];
  const isNeeded = apiKeyEnv !== undefined || (!file.key_optional && keyNames.length > 0);
  const units = choice.concurrency ?? file.concurrency.units;
  return {
    settings: {
      id,
      file,
      baseUrl: baseUrl.replace(/\/+$/, ""),
      keys,
      missingKey: keys.length === 0 && isNeeded ? keyNames.join(" or ") : null,
      concurrency: units === 0 ? null : units,
      limits: limitsOf(choice, file),
    },
    type,
    keyNames,
    discover,
    choice,
  };
}

function hasList({ paths }: ProviderFile): boolean {
  return paths.models !== false || paths.upscalers !== false;
}

/** The file as the config has it. */
function withChoice(
  file: ProviderFile,
  { samplingDefaults, features }: ProviderChoice,
): ProviderFile {
  return samplingDefaults === undefined && features === undefined
    ? file
    : {
        ...file,
        sampling_defaults: samplingDefaults ?? file.sampling_defaults,
        features: [...new Set([...file.features, ...(features ?? [])])],
      };
}

function typeOf(
  id: string,
  choice: ProviderChoice,
  files: ProviderFiles,
): { id: string; file: ProviderFile } {
  const found = fileOf(files, choice.type ?? id);
  if (found !== undefined) return found;
  if (choice.type !== undefined) {
    const guess = nearest(choice.type, files.keys());
    throw new UserError(
      `provider ${id}: there is no provider file "${choice.type}"${guess === undefined ? "" : `; did you mean "${guess}"?`}`,
    );
  }
  const generic = fileOf(files, GENERIC);
  if (generic === undefined) throw new UserError(`the provider file ${GENERIC} is missing`);
  return generic;
}

function noAddress(
  id: string,
  choice: ProviderChoice,
  type: string,
  files: ProviderFiles,
): UserError {
  if (choice.type !== undefined || type !== GENERIC || id === GENERIC)
    return new UserError(`provider ${id}: base_url is missing: ${type} servers run anywhere`);
  const guess = nearest(id, files.keys());
  const hint =
    guess === undefined
      ? `the providers that need none are ${withAddress(files).join(", ")}`
      : `did you mean ${guess}?`;
  return new UserError(
    `provider ${id}: base_url is missing, and there is no provider file "${id}"; ${hint}`,
  );
}

function withAddress(files: ProviderFiles): string[] {
  return [...files].flatMap(([id, { base_url }]) => (base_url === undefined ? [] : [id]));
}

/** One variable may hold several keys, separated by commas or spaces. */
function keysIn(value: string | null): string[] {
  return (value ?? "").split(/[\s,]+/).filter((key) => key !== "");
}

function limitsOf(choice: ProviderChoice, { limits }: ProviderFile): TimeLimits {
  return {
    connect: choice.connectTimeout ?? limits.connect,
    firstByte: choice.firstByteTimeout ?? limits.first_byte,
    firstToken: choice.firstTokenTimeout ?? limits.first_token,
    gap: choice.gapTimeout ?? limits.gap,
    answer: choice.answerTimeout ?? limits.answer,
  };
}
