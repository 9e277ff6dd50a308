/** Why a guide can't be made of what was sent: what is wrong, and where, as `properties.a.pattern`. */
export class SpecError extends Error {
  override readonly name = "SpecError";
  readonly path: string;

  constructor(message: string, path = "") {
    super(message);
    this.path = path;
  }

  /** The same, further in: `path` is put in front. */
  within(path: string): SpecError {
    return new SpecError(this.message, joinPath(path, this.path));
  }
}

/** `a` and `b[0]` to `a.b[0]`. */
export function joinPath(outer: string, inner: string): string {
  if (outer === "" || inner === "") return outer + inner;
  return inner.startsWith("[") ? outer + inner : `${outer}.${inner}`;
}
