# Commands from providers' documentation, word for word. The test changes base URL, key and model.

curl https://api.featherless.ai/v1/models \
-H "Authorization: Bearer YOUR_API_KEY"

curl https://api.featherless.ai/v1/chat/completions \
-H "Authorization: Bearer YOUR_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"model": "nousresearch/hermes-3-llama-3.1-8b",
"messages": [
{"role": "system", "content": "You are a helpful assistant."},
{"role": "user", "content": "Explain quantum computing in simple terms."}
],
"temperature": 0.7,
"max_tokens": 1024
}'

curl https://api.featherless.ai/v1/completions \
-H "Authorization: Bearer YOUR_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"model": "qwen/qwen2.5-coder-7b",
"prompt": "def fibonacci(n):",
"max_tokens": 256,
"temperature": 0.3
}'

curl https://api.featherless.ai/v1/tokenize \
-H "Authorization: Bearer YOUR_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"model": "nousresearch/hermes-3-llama-3.1-8b",
"input": "Hello, how are you today?"
}'

curl https://api.featherless.ai/v1/chat/completions \
  -H "Authorization: Bearer sk-YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "Qwen/Qwen2.5-72B-Instruct",
    "messages": [
      {"role": "system", "content": "You are a helpful assistant."},
      {"role": "user", "content": "Explain quantum computing in one sentence."}
    ],
    "temperature": 0.7,
    "max_tokens": 200
  }'

curl https://api.featherless.ai/v1/completions \
  -H "Authorization: Bearer sk-YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "Qwen/Qwen2.5-72B-Instruct",
    "prompt": "The meaning of life is",
    "max_tokens": 50,
    "temperature": 0.8
  }'

curl https://api.featherless.ai/v1/tokenize \
  -H "Authorization: Bearer sk-YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "Qwen/Qwen2.5-72B-Instruct",
    "messages": [{"role": "user", "content": "Hello, how are you?"}]
  }'

curl https://api.featherless.ai/v1/models \
  -H "Authorization: Bearer sk-YOUR_KEY"

curl https://api.featherless.ai/v1/models?available_on_current_plan=1 \
  -H "Authorization: Bearer sk-YOUR_KEY"

curl https://api.featherless.ai/v1/chat/completions \
  -H "Authorization: Bearer sk-YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "google/gemma-3-27b-it",
    "messages": [{
      "role": "user",
      "content": [
        { "type": "text", "text": "Extract all text from this image. Output only the text, nothing else." },
        { "type": "image_url", "image_url": { "url": "https://example.com/receipt.jpg" } }
      ]
    }],
    "max_tokens": 500
  }'

curl https://api.arliai.com/v1/chat/completions \
  -H "Authorization: Bearer sk-YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "Qwen/Qwen2.5-72B-Instruct",
    "messages": [
      {"role": "system", "content": "You are a coding expert."},
      {"role": "user", "content": "Write a Python function to sort a list."}
    ],
    "temperature": 0.6,
    "top_p": 0.9,
    "max_tokens": 500,
    "repetition_penalty": 1.1
  }'

curl https://api.arliai.com/v1/completions \
  -H "Authorization: Bearer sk-YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "Qwen/Qwen2.5-72B-Instruct",
    "prompt": "Complete this: The future of AI is",
    "max_tokens": 100,
    "temperature": 0.8
  }'

curl https://api.arliai.com/v1/models \
  -H "Authorization: Bearer sk-YOUR_KEY"

curl https://api.arliai.com/v1/tokenize \
  -H "Authorization: Bearer sk-YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "Qwen/Qwen2.5-72B-Instruct",
    "messages": [{"role": "user", "content": "Count my tokens"}]
  }'
