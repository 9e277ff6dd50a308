"""The same as client.mjs, with OpenAI's SDK for Python."""

import json
import sys
import time

import openai


def client_of(job):
    return openai.OpenAI(
        base_url=job["url"] + "/v1", api_key=job["key"], max_retries=job.get("retries", 0)
    )


def messages(job):
    return [{"role": "user", "content": job["text"]}]


def chat(job):
    answer = client_of(job).chat.completions.create(
        model=job["model"], messages=messages(job), **job.get("more", {})
    )
    choice = answer.choices[0]
    return {
        "model": answer.model,
        "text": choice.message.content,
        "role": choice.message.role,
        "finish": choice.finish_reason,
        "tokens": answer.usage.completion_tokens,
        "id": answer.id,
        "request": answer._request_id,
    }


def stream(job):
    seen = {"text": "", "finish": None, "tokens": None, "id": None}
    for chunk in client_of(job).chat.completions.create(
        model=job["model"],
        messages=messages(job),
        stream=True,
        stream_options={"include_usage": True},
        **job.get("more", {}),
    ):
        seen["id"] = chunk.id
        if chunk.choices:
            seen["text"] += chunk.choices[0].delta.content or ""
            seen["finish"] = chunk.choices[0].finish_reason or seen["finish"]
        if chunk.usage:
            seen["tokens"] = chunk.usage.completion_tokens
    return seen


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
REPORT = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "number"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
# A PNG of one pixel.
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def tools(job):
    client, asked = client_of(job), messages(job)
    more = job.get("more", {})
    first = client.chat.completions.create(
        model=job["model"], messages=asked, tools=[WEATHER], **more
    )
    message = first.choices[0].message
    call = message.tool_calls[0]
    said = "sunny in " + json.loads(call.function.arguments)["city"]
    answered = [*asked, message, {"role": "tool", "tool_call_id": call.id, "content": said}]
    free = {**more, "tool_choice": "auto"}
    last = client.chat.completions.create(
        model=job["model"], messages=answered, tools=[WEATHER], **free
    )
    called = {"name": call.function.name, "arguments": call.function.arguments}
    return {"called": called, "text": last.choices[0].message.content}


def tool_stream(job):
    with client_of(job).chat.completions.stream(
        model=job["model"], messages=messages(job), tools=[WEATHER], **job.get("more", {})
    ) as stream:
        stream.until_done()
        called = stream.get_final_completion().choices[0].message.tool_calls[0].function
    return {"called": {"name": called.name, "arguments": called.arguments}}


def schema(job):
    answer = client_of(job).chat.completions.create(
        model=job["model"],
        messages=messages(job),
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "report", "strict": True, "schema": REPORT},
        },
    )
    return json.loads(answer.choices[0].message.content)


def vision(job):
    image = {"type": "image_url", "image_url": {"url": PIXEL}}
    content = [{"type": "text", "text": job["text"]}, image]
    answer = client_of(job).chat.completions.create(
        model=job["model"], messages=[{"role": "user", "content": content}]
    )
    return {"text": answer.choices[0].message.content}


def completions(job):
    answer = client_of(job).completions.create(
        model=job["model"], prompt=job["prompt"], **job.get("more", {})
    )
    return [{"index": c.index, "text": c.text, "finish": c.finish_reason} for c in answer.choices]


def completion_stream(job):
    pieces = client_of(job).completions.create(
        model=job["model"], prompt=job["prompt"], stream=True, **job.get("more", {})
    )
    return {"text": "".join(piece.choices[0].text for piece in pieces if piece.choices)}


def embeddings(job):
    answer = client_of(job).embeddings.create(
        model=job["model"], input=job["prompt"], **job.get("more", {})
    )
    return {
        "vectors": [item.embedding for item in answer.data],
        "indexes": [item.index for item in answer.data],
        "tokens": answer.usage.prompt_tokens,
    }


def models(job):
    client = client_of(job)
    one = client.models.retrieve(job["model"])
    return {"ids": [m.id for m in client.models.list()], "one": one.id, "owner": one.owned_by}


def leave(job):
    pieces = client_of(job).chat.completions.create(
        model=job["model"], messages=messages(job), stream=True
    )
    seen = {"id": None, "pieces": 0}
    for chunk in pieces:
        seen["id"] = chunk.id
        if chunk.choices and chunk.choices[0].delta.content:
            seen["pieces"] += 1
        if seen["pieces"] == 3:
            pieces.close()
            break
    return seen


JOBS = {
    "chat": chat,
    "stream": stream,
    "tools": tools,
    "toolStream": tool_stream,
    "schema": schema,
    "vision": vision,
    "completions": completions,
    "completionStream": completion_stream,
    "embeddings": embeddings,
    "models": models,
    "leave": leave,
}

for job in json.load(sys.stdin):
    began = time.monotonic()
    try:
        result = {"ok": JOBS[job["do"]](job)}
    except openai.APIError as error:
        response = getattr(error, "response", None)
        headers = response.headers if response is not None else {}
        result = {
            "error": {
                "class": type(error).__name__,
                "status": getattr(error, "status_code", None),
                "code": error.code,
                "param": error.param,
                "type": error.type,
                "retryAfter": headers.get("retry-after"),
                "shouldRetry": headers.get("x-should-retry"),
            }
        }
    print(json.dumps({**result, "seconds": time.monotonic() - began}), flush=True)
