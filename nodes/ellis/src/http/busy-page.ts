import type { FastifyReply } from "fastify";

/** A page that is not served now, for people instead of JSON: it comes again by itself (the Refresh header of the HTML Living Standard). */
export function busyPage(reply: FastifyReply, retryAfterSeconds: number): FastifyReply {
  return reply
    .code(503)
    .headers({ "retry-after": retryAfterSeconds, refresh: String(retryAfterSeconds) })
    .type("text/html; charset=utf-8")
    .send(
      `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The server is busy</title>
<main>
  <h1>The server is busy</h1>
  <p role="status">The page comes again in ${retryAfterSeconds} seconds. <a href="">Try now</a>.</p>
</main>
</html>
`,
    );
}
