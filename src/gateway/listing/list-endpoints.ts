import type { Endpoint, EndpointList, ProviderList } from "../../contract/openrouter.ts";
import type { Model, Target } from "../../types.ts";
import { type Gateway, stateOf } from "../gateway.ts";
import { describe, itemOf } from "./describe-model.ts";
import { nameOf } from "./provider-name.ts";

const WORKS: ReadonlySet<string> = new Set(["ready", "loadable", "loading"]);

/** Where one model is answered, in OpenRouter's shape: one endpoint a target. */
export function listEndpoints(gateway: Gateway, model: Model): EndpointList {
  const { id, name, created, description, architecture } = itemOf(gateway, model);
  const endpoints = gateway.models
    .targets(model)
    .map((target) => describeEndpoint(target, nameOf(gateway, target.provider), works(target)));
  return { data: { id, name, created, description, architecture, endpoints } };

  function works(target: Target): boolean {
    return target.barred === null && WORKS.has(stateOf(gateway, target).state);
  }
}

/** Speed and uptime are null: they are measured for choosing, not for publishing. */
export function describeEndpoint(target: Target, provider: string, works: boolean): Endpoint {
  const { model } = target;
  const item = describe(model, [target]);
  const { prompt, completion, request, image } = item.pricing;
  const tools = item.features.tool_use;
  return {
    name: `${provider} | ${model.id}`,
    model_id: model.id,
    model_name: item.name,
    provider_name: provider,
    tag: target.provider,
    context_length: item.context_length ?? 0,
    max_completion_tokens: item.max_completion_tokens,
    max_prompt_tokens: null,
    pricing: { prompt, completion, request, image, discount: 0 },
    quantization: item.quantization.toLowerCase(),
    status: works ? 0 : -1,
    supported_parameters: item.supported_parameters,
    supports_implicit_caching: false,
    supports_tool_choice: { auto: tools, function: tools, none: tools, required: tools },
    latency_last_30m: null,
    throughput_last_30m: null,
    uptime_last_5m: null,
    uptime_last_30m: null,
    uptime_last_1d: null,
  };
}

/** The providers that are configured, and the embedded engines. */
export function listProviders(gateway: Gateway): ProviderList {
  const data = [...gateway.backends.values()].map(({ id }) => ({
    name: nameOf(gateway, id),
    slug: id,
    privacy_policy_url: null,
    terms_of_service_url: null,
    status_page_url: null,
  }));
  return { data };
}
