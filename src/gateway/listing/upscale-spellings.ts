/**
 * A body as the contract spells it, where clients spell it otherwise: a format in any case (`PNG`), `jpg`,
 * and base64 of URLs (`-` and `_`). What is no object, and what is wrong, stays as it is. Pure.
 */
export function contractSpelling(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const { format, image }: { format?: unknown; image?: unknown } = body;
  return {
    ...body,
    ...(typeof format === "string" ? { format: formatOf(format) } : {}),
    ...(typeof image === "string" ? { image: plainBase64(image) } : {}),
  };
}

function formatOf(told: string): string {
  const name = told.toLowerCase();
  return name === "jpg" ? "jpeg" : name;
}

/** The longest head of a data URI that is looked for. */
const HEAD = 300;

function plainBase64(image: string): string {
  const isUri = /^[a-z][a-z0-9+.]*:/i.test(image.slice(0, 20));
  const comma = image.slice(0, HEAD).indexOf(",");
  // A URL is none of it, and is refused as what it is.
  if (isUri && comma === -1) return image;
  const begin = isUri ? comma + 1 : 0;
  if (image.indexOf("-", begin) === -1 && image.indexOf("_", begin) === -1) return image;
  const bytes = image.slice(begin).replaceAll("-", "+").replaceAll("_", "/");
  return image.slice(0, begin) + bytes;
}
