#!/usr/bin/env bash
# Has a model review what this branch changes against main, and prints what it says.
# Needs git, curl and jq. Ends with an error when no review could be had.
#
#   COVEY_BASE_URL  where Covey is; http://127.0.0.1:8080/v1 without it
#   COVEY_API_KEY   a key, where one is needed
#   COVEY_MODEL     the model that reviews; tinyllama, which comes with Covey, without it: for small diffs.
#                   A real one reviews better: Qwen/Qwen2.5-Coder-32B-Instruct at a provider, or what npx covey pull brings
#   BASE_BRANCH     what the branch is compared with; main without it
#   PR_NUMBER       a pull request on GitHub that gets the review as a comment, by the gh command
set -euo pipefail

base_url="${COVEY_BASE_URL:-http://127.0.0.1:8080/v1}"
model="${COVEY_MODEL:-tinyllama}"

# Through pipes, since a diff can be longer than a command line may be.
response=$(
  git diff "${BASE_BRANCH:-main}...HEAD" |
    jq --raw-input --slurp --arg model "$model" '{
      model: $model,
      messages: [
        {role: "system", content: "You are a code reviewer. Be concise."},
        {role: "user", content: ("Review this diff:\n" + .)}
      ],
      max_tokens: 2048
    }' |
    curl --silent --show-error "$base_url/chat/completions" \
      -H "Authorization: Bearer ${COVEY_API_KEY:-none}" \
      -H "Content-Type: application/json" \
      --data-binary @-
)

review=$(jq --raw-output '.choices[0].message.content // empty' <<<"$response")
if [ -z "$review" ]; then
  jq --raw-output '.error.message // "no review in the answer"' <<<"$response" >&2
  exit 1
fi
printf '%s\n' "$review"

if [ -n "${PR_NUMBER:-}" ]; then
  gh pr comment "$PR_NUMBER" --body "$review"
fi
