import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathOf } from "./cores.ts";
import { accepting, freePort, type Started, start, temporaryFolder } from "./processes.ts";

export interface Nginx extends Started {
  readonly url: string;
}

/** nginx with one worker and no logs, on one processor. */
async function startNginx(cpu: number, http: (port: number) => string): Promise<Nginx> {
  const folder = temporaryFolder();
  const port = freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `  ${kind}_temp_path ${join(folder, kind)};`)
    .join("\n");
  const config = `
daemon off; worker_processes 1; pid ${join(folder, "pid")}; error_log ${join(folder, "error.log")};
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; client_body_buffer_size 64k;
${temporary}
${http(port)}
}
`;
  const file = join(folder, "nginx.conf");
  writeFileSync(file, config);
  const nginx = start(
    [pathOf("nginx") ?? "nginx", "-e", join(folder, "error.log"), "-p", folder, "-c", file],
    { cpu },
  );
  await accepting(port);
  return { ...nginx, url: `http://127.0.0.1:${port}` };
}

/** A reverse proxy to `upstream` (an origin) that keeps its connections and passes events on at once. */
export function startProxy(cpu: number, upstream: string, buffering: boolean): Promise<Nginx> {
  const { host } = new URL(upstream);
  return startNginx(
    cpu,
    (port) => `
  upstream target { server ${host}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering ${buffering ? "on" : "off"};
    }
  }`,
  );
}

/** The cheapest upstream there is: one answer, whatever is asked. */
export function startFixedAnswer(cpu: number, json: string): Promise<Nginx> {
  return startNginx(
    cpu,
    (port) => `
  default_type application/json;
  server { listen 127.0.0.1:${port}; location / { return 200 '${json}'; } }`,
  );
}
