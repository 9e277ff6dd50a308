/** Whether a field of a delta says anything: servers write null, an empty text or an empty list for nothing. */
export function says(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== null && value !== undefined && value !== "";
}
