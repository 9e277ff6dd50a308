#!/bin/bash
# ci-code-review.sh - Run AI code review on a diff
API_KEY="${FEATHERLESS_API_KEY}"
MODEL="Qwen/Qwen2.5-Coder-32B-Instruct"
DIFF=$(git diff main...HEAD)
RESPONSE=$(curl -s https://api.featherless.ai/v1/chat/completions \
-H "Authorization: Bearer $API_KEY" \
-H "Content-Type: application/json" \
-d "$(jq -n \
--arg model "$MODEL" \
--arg diff "$DIFF" \
'{
model: $model,
messages: [
{"role":"system","content":"You are a code reviewer. Be concise."},
{"role":"user","content":("Review this diff:\n"+$diff)}
],
max_tokens: 2048
}'
)")
echo "$RESPONSE" | jq -r '.choices[0].message.content'
# Post as PR comment (GitHub example)
COMMENT=$(echo "$RESPONSE" | jq -r '.choices[0].message.content')
# gh pr comment "$PR_NUMBER" --body "$COMMENT"
