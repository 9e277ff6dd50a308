import packageFile from "../../package.json" with { type: "json" };
import type { App } from "../app.ts";
import type { ListState } from "../catalog/live-models.ts";
import { isLoopback } from "../config/loopback.ts";
import { type Gateway, isServable, stateOf } from "../gateway/gateway.ts";
import { chats, exampleModel } from "../gateway/resolve.ts";
import type { Model, ModelState } from "../types.ts";
import { formatTable } from "./format.ts";

type Greeted = Pick<App, "gateway" | "url" | "models" | "unusedKeys">;

/** What a person needs in the first minute: the address, the models that can answer, and something to paste. */
export function greeting({ gateway, url, models, unusedKeys }: Greeted, host: string): string {
  const named = gateway.models.models().filter((model) => models.index.isNamed(model));
  const here = named.filter((model) => isServable(gateway, model));
  const tooBig = named.filter((model) => !here.includes(model) && isTooBig(gateway, model));
  const absent = named.filter((model) => !here.includes(model) && !tooBig.includes(model));
  const lines = [`Covey ${packageFile.version} listens on ${url}`];
  if (!isLoopback(host)) lines.push(`and is reached from other machines: it is bound to ${host}`);
  lines.push("");
  const rows = [
    ...[...here, ...tooBig].map((model) => row(gateway, model)),
    ...models.lists().flatMap(listRow),
  ];
  if (rows.length > 0) lines.push(indent(formatTable(rows)));
  if (absent.length > 0) {
    const names = absent.map((model) => model.aliases[0] ?? model.id).join(", ");
    lines.push(`  not here yet (npx covey models tells more): ${names}`);
  }
  for (const { provider, variable } of unusedKeys)
    lines.push(
      `  ${variable} is set: [providers.${provider}] in covey.toml, or COVEY_PROVIDERS=${provider}, switches ${provider} on`,
    );
  const isReady = (model: Model): boolean =>
    gateway.models.targets(model).some((target) => stateOf(gateway, target).state === "ready");
  // A model that somebody chose, rather than the first of a long list.
  const known = here.filter(chats);
  const example = known.find(isReady) ?? known[0] ?? exampleModel(gateway);
  lines.push(
    "",
    ...(example === undefined
      ? [
          "No model can answer yet: npx covey models says what each one needs, and [providers] in",
          "covey.toml names servers that have some.",
        ]
      : ["Try it:", "", curl(url, example.aliases[0] ?? example.id, !gateway.auth.allowAnonymous)]),
  );
  return `${lines.join("\n")}\n\n`;
}

/** A provider whose list is fetched, in one line: its models may be thousands. */
function listRow({ provider, models, trouble, missingKey }: ListState): string[][] {
  if (models === null) return [];
  if (missingKey !== null)
    return [
      [
        `${provider} can't be used`,
        `${missingKey} is not set: set it in the environment or in .env`,
      ],
    ];
  const count = models === 1 ? "1 model" : `${models} models`;
  const note =
    trouble === null ? "GET /v1/models lists them" : `its list could not be fetched: ${trouble}`;
  return [
    [
      `${count} at ${provider}`,
      models === 0 && trouble === null ? "its list is being fetched" : note,
    ],
  ];
}

/** States that people call otherwise. */
const SHOWN: Readonly<Partial<Record<ModelState["state"], string>>> = {
  loadable: "ready to load",
  too_big: "too big",
};

/** Whether its weights are here, and take more memory than there may be. */
function isTooBig(gateway: Gateway, model: Model): boolean {
  return gateway.models
    .targets(model)
    .some((target) => stateOf(gateway, target).state === "too_big");
}

/** A model's id, who answers for it, and what an operator should know of that. */
function row(gateway: Gateway, model: Model): string[] {
  const targets = gateway.models.targets(model);
  const notes = targets.map((target) => {
    const { state, detail } = stateOf(gateway, target);
    const shown = SHOWN[state] ?? state;
    return `${target.provider}: ${detail === null ? shown : `${shown}, ${detail}`}`;
  });
  return [model.id, notes.join("; ")];
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, "  ");
}

function curl(url: string, model: string, needsKey: boolean): string {
  const body = JSON.stringify({
    model,
    stream: true,
    messages: [{ role: "user", content: "What is the capital of France?" }],
  });
  const key = needsKey ? ` -H "Authorization: Bearer $COVEY_ADMIN_KEY"` : "";
  return `  curl -N ${url}/v1/chat/completions -H 'Content-Type: application/json'${key} -d '${body}'`;
}
