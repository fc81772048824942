// Whether the node of this container is ready, for what asks by running a program: health.mjs PORT [ADDRESS]
const [port, address = "127.0.0.1"] = process.argv.slice(2);
try {
  const url = `http://${address.includes(":") ? `[${address}]` : address}:${port}/health/ready`;
  const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
  process.stdout.write(await response.text());
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
