import { GatewayError } from "../contract/errors.ts";
import type { Gateway } from "./gateway.ts";
import type { Preferences } from "./preferences.ts";

const SHOWN = 12;

/**
 * Checks the providers that a caller names: asking for none but unknown ones is an error that says
 * which there are; unknown ones in an order of preference come back, to be told as dropped.
 * @throws GatewayError 400
 */
export function unknownProviders(
  gateway: Gateway,
  { only, order }: Pick<Preferences, "only" | "order">,
): string[] {
  if (only === null && order.length === 0) return [];
  const ids = [...gateway.backends.keys()];
  const names = new Set(ids.flatMap((id) => gateway.routing.providerNames(id)));
  if (only !== null && !only.some((name) => names.has(name))) {
    const shown = ids.slice(0, SHOWN).join(", ");
    const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : "";
    const asked = only.slice(0, SHOWN).map((name) => `'${name.slice(0, 64)}'`);
    throw new GatewayError(
      "invalid_request",
      `There is no provider ${asked.join(" or ")} here; there are ${shown}${more}.`,
      { param: "provider.only" },
    );
  }
  return order.some((name) => !names.has(name)) ? ["provider.order"] : [];
}
