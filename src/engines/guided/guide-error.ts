/** What came is not what the guide asks for, or the guide has no way on: the request fails with it. */
export class GuideError extends Error {
  override readonly name = "GuideError";
}
