/** What the API calls itself in its own description. The version is the API's, not the program's. */
export const API_INFO = {
  title: "Covey",
  version: "1",
  description:
    "One OpenAI-compatible API in front of every open-weight model you can reach. What is below /api/v1 speaks OpenRouter's dialect, and is below /openrouter/v1 too.",
};
