/** JSON with a space after each comma and colon, as Python writes it, and so what models have learned. */
export function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([name, field]) => `${JSON.stringify(name)}: ${spacedJson(field)}`,
  );
  return `{${fields.join(", ")}}`;
}
