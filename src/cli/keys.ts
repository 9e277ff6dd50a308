import type { Config } from "../config/schema.ts";
import { databaseUrlOf } from "../config/service-urls.ts";
import { KeyCreate, KeyUpdate } from "../contract/admin-keys.ts";
import { GatewayError } from "../contract/errors.ts";
import { keyChange, keyItem, newKeySettings } from "../contract/key-settings.ts";
import { parseRequest } from "../contract/validate.ts";
import { keyState } from "../lib/key-state.ts";
import { UserError } from "../lib/user-error.ts";
import { openKeyStore, serverSecret } from "../store/index.ts";
import type { KeyStore, KnownKey, NewKey } from "../types.ts";
import { changeOf, spanSeconds } from "./key-flags.ts";
import { keyDetails, keysTable } from "./key-report.ts";
import type { CommandLine } from "./options.ts";

const ACTIONS = [
  "create",
  "list",
  "show",
  "update",
  "rotate",
  "disable",
  "enable",
  "revoke",
] as const;
type Action = (typeof ACTIONS)[number];

/**
 * `covey keys …`: the keys of the home folder, or of DATABASE_URL, whether or not a server runs on it.
 * Resolves with the exit code. @throws UserError
 */
export async function keys(config: Config, line: CommandLine): Promise<number> {
  const [word = "", which] = line.positionals;
  const action = ACTIONS.find((each) => each === word);
  if (action === undefined) {
    throw usage(`there is no covey keys ${word}; there are ${ACTIONS.join(", ")}`);
  }
  const takesKey = action !== "create" && action !== "list";
  if (takesKey && which === undefined)
    throw usage(`covey keys ${action} needs a key: its id, prefix or name`);
  if (!takesKey && which !== undefined)
    throw usage(`covey keys ${action} does not take "${which}"`);
  const url = databaseUrlOf(config);
  const secret = serverSecret(config.home, config.serverSecret(), url !== null);
  const store = await openKeyStore(config.home, url, secret);
  try {
    console.log(await act(store.keys, action, which ?? "", config, line));
    return 0;
  } catch (error) {
    if (error instanceof GatewayError) throw new UserError(told(error), { cause: error });
    throw error;
  } finally {
    await store.close();
  }
}

/** Does it, and gives what to print. */
async function act(
  store: KeyStore,
  action: Action,
  which: string,
  config: Config,
  { text, flags }: CommandLine,
): Promise<string> {
  const json = flags.has("json");
  const change = changeOf(text, flags.has("admin"), Date.now());
  if (change.plan !== undefined) expectPlan(config, change.plan);
  switch (action) {
    case "create": {
      if (change.name === undefined) throw usage("covey keys create needs a --name");
      const said = made(await store.create(newKeySettings(parseRequest(KeyCreate, change))), json);
      await tellSameName(store, change.name);
      return said;
    }
    case "list": {
      const items = (await store.list()).map(item);
      return json ? JSON.stringify(items, null, 2) : keysTable(items);
    }
    case "show":
      return shown(await store.find(which), json);
    case "update": {
      if (Object.keys(change).length === 0)
        throw usage("covey keys update needs something to change");
      return shown(await store.update(which, keyChange(parseRequest(KeyUpdate, change))), json);
    }
    case "rotate": {
      const overlap = text.overlap === undefined ? 0 : spanSeconds("overlap", text.overlap);
      return made(await store.rotate(which, overlap * 1000), json);
    }
    default:
      return shown(await store[action](which), json);
  }
}

/** On its own stream, so that what a program reads stays JSON. */
async function tellSameName(store: KeyStore, name: string): Promise<void> {
  const same = (await store.list()).filter((key) => key.name === name && key.revokedAt === null);
  if (same.length < 2) return;
  console.error(
    `covey: ${same.length} keys are now named "${name}": say which by its id or prefix in covey keys show, update, …`,
  );
}

function item(key: KnownKey) {
  const now = Date.now();
  return keyItem(key, keyState(key, now), now);
}

function shown(key: KnownKey, json: boolean): string {
  return json ? JSON.stringify(item(key), null, 2) : keyDetails(item(key));
}

function made({ key, secret }: NewKey, json: boolean): string {
  if (json) return JSON.stringify({ ...item(key), key: secret }, null, 2);
  return [
    keyDetails(item(key)),
    "",
    secret,
    "",
    "This is the key. It is shown once: keep it now. A running server takes it within a second.",
    ...oldText(key),
  ].join("\n");
}

/** What a rotation leaves of the text before. */
function oldText(key: KnownKey): string[] {
  const { previous } = item(key);
  return previous === null
    ? []
    : [`The old one, ${previous.prefix}-…, works until ${previous.works_until}.`];
}

function expectPlan({ plans, file }: Config, plan: string | null): void {
  if (plan === null || Object.hasOwn(plans, plan)) return;
  const names = Object.keys(plans);
  const has = names.length === 0 ? "has no [plans]" : `has ${names.join(", ")}`;
  throw usage(
    file === null
      ? `--plan: there is no plan "${plan}": no covey.toml was read; name the server's with --config`
      : `--plan: there is no plan "${plan}" in ${file}, which ${has}; name the server's config with --config if that is another`,
  );
}

/** As one line for the terminal, with the reason of the database. */
function told({ message, cause }: GatewayError): string {
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}

function usage(message: string): UserError {
  return new UserError(`${message}; see npx covey keys --help`, { exitCode: 2 });
}
