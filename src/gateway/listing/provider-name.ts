import type { Call } from "../call.ts";
import type { Gateway } from "../gateway.ts";

/** What people call a provider. */
export function nameOf(gateway: Gateway, provider: string): string {
  return gateway.backends.get(provider)?.name ?? provider;
}

/** The provider that answers a call, as its caller's dialect names it; absent before there is one. */
export function shownProvider(gateway: Gateway, call: Call): string | undefined {
  const id = call.target?.provider;
  return id === undefined ? undefined : call.voice.provider(id, nameOf(gateway, id));
}

/** What people call the provider a call is at; null before there is one. */
export function providerOf(gateway: Gateway, call: Call): string | null {
  return call.target === null ? null : nameOf(gateway, call.target.provider);
}
