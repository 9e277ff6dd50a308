/** Values of a database's options that are words of the manual, not secrets. */
const PUBLIC_OPTION = /^(?:sslmode|ssl|application_name|connect_timeout|options)$/i;
const SHORTEST = 4;

/**
 * What of a service's address nobody may read: its password as it is written and as it is meant, the
 * values of its options, and the address itself. A password that is also the user's, the host's or the
 * database's name is said elsewhere, and no secret; one of less than four letters is only known beside its
 * `@`. Empty for null and for what is no URL.
 */
export function urlSecrets(url: string | null): string[] {
  const parsed = url === null ? null : URL.parse(url);
  if (url === null || parsed === null) return [];
  const { username, password, hostname, pathname, protocol, searchParams } = parsed;
  const said = new Set([username, hostname, pathname.slice(1), protocol.slice(0, -1)].map(decoded));
  const options = [...searchParams].flatMap(([name, value]) =>
    PUBLIC_OPTION.test(name) ? [] : [value, encodeURIComponent(value)],
  );
  const whole = [password, decoded(password), ...options].filter(
    (text) => text.length >= SHORTEST && !said.has(text),
  );
  const beside = password === "" ? [] : [`:${password}@`, `:${decoded(password)}@`];
  const address = password === "" && options.length === 0 ? [] : [url];
  return [...new Set([...address, ...beside, ...whole])];
}

/** A text from a service or its client, fit to be shown: without the address and what is secret in it. */
export function withoutUrl(text: string, url: string, name: string): string {
  let shown = text.replaceAll(url, `(${name})`);
  for (const secret of urlSecrets(url)) shown = shown.replaceAll(secret, "[key]");
  return shown;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
