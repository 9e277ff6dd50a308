/**
 * What came is not what the guide asks for, or what the request rules out leaves no way on: the request
 * fails with it, by its own fault.
 */
export class GuideError extends Error {
  override readonly name = "GuideError";
}
