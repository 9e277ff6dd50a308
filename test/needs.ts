/** Programs that a test needs beside npm's packages. Without them it is skipped, and says so; where all tests must run, it fails. */
export function isHere(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => Bun.which(program) === null);
  return missing.length === 0 || notHere(`install ${missing.join(", ")}`);
}

/** Says what is missing and returns false. Throws where nothing may be skipped. */
export function notHere(advice: string): false {
  const line = `tests are skipped: ${advice}`;
  if (process.env.COVEY_TEST_ALL === "1") throw new Error(line);
  console.warn(line);
  return false;
}
