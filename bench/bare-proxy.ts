/**
 * A process: the least a JSON gateway on Bun does. It reads the request's JSON, sends it on, and
 * answers with the JSON that comes back. Argument: the upstream's origin. Prints its own address.
 */

const [upstream = ""] = process.argv.slice(2);
const url = `${upstream}/v1/chat/completions`;
const headers = { "content-type": "application/json" };

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const body = JSON.stringify(await request.json());
    const response = await fetch(url, { method: "POST", headers, body });
    return Response.json(await response.json());
  },
});
console.log(`listens on http://127.0.0.1:${server.port}`);

export {};
