/**
 * Something the person at the terminal can put right: a config line, a missing file, a port in use.
 * The message is complete and is shown without a stack trace; it says what is wrong, where, and
 * what to do about it.
 */
export class UserError extends Error {
  override readonly name: string = "UserError";
  /** Exit code of the command: 1, or 2 for a command line that could not be understood. */
  readonly exitCode: 1 | 2;

  constructor(message: string, options: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}
