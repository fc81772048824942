import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A private key and its certificate, PEM files; the key has no pass phrase, or openssl asks for it. */
export interface Signer {
  readonly keyFile: string;
  readonly certificateFile: string;
}

export type CmsResult =
  | { readonly kind: "done"; readonly pem: string }
  | { readonly kind: "failed"; readonly problem: string; readonly remedy: string };

const OUTPUT_MAX = 1024 ** 2;

/**
 * A detached CMS signature (RFC 5652) over bytes, PEM, with the signer's certificate inside. No signed attributes, so no time of
 * signing: with an RSA key the same bytes get the same signature.
 */
export async function signDetached(
  content: Uint8Array,
  { keyFile, certificateFile }: Signer,
): Promise<CmsResult> {
  const { code, stdout, stderr } = await openssl(
    [
      "cms",
      "-sign",
      "-binary",
      "-noattr",
      "-nosmimecap",
      "-md",
      "sha256",
      "-outform",
      "PEM",
      "-signer",
      certificateFile,
      "-inkey",
      keyFile,
    ],
    content,
  );
  if (code === 0) return { kind: "done", pem: stdout };
  return {
    kind: "failed",
    ...whyNot(code, stderr, "check that key and certificate are PEM files that belong together"),
  };
}

export interface VerifyRequest {
  readonly content: Uint8Array;
  readonly cmsPem: string;
  /** PEM file of certificates that are trusted; default: any signer, so that only changes are noticed. */
  readonly trustFile?: string;
}

export async function verifyDetached({ content, cmsPem, trustFile }: VerifyRequest): Promise<CmsResult> {
  const folder = await mkdtemp(join(tmpdir(), "tidewater-cms-"));
  try {
    const [cms, data] = [join(folder, "cms.pem"), join(folder, "content")];
    await writeFile(cms, cmsPem);
    await writeFile(data, content);
    const trust = trustFile === undefined ? ["-noverify"] : ["-CAfile", trustFile, "-purpose", "any"];
    const { code, stderr } = await openssl(
      [
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "PEM",
        "-in",
        cms,
        "-content",
        data,
        "-out",
        join(folder, "out"),
        ...trust,
      ],
      new Uint8Array(),
    );
    if (code === 0) return { kind: "done", pem: cmsPem };
    return {
      kind: "failed",
      ...whyNot(code, stderr, "fetch the package again; if it stays so, ask who signed it"),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function whyNot(
  code: number | "missing",
  stderr: string,
  remedy: string,
): { problem: string; remedy: string } {
  if (code === "missing") return { problem: "there is no openssl", remedy: "install openssl 3" };
  // openssl's lines are id:error:code:library:function:reason:file:line:more.
  const reasons = stderr.split("\n").flatMap((line) => {
    const [, reason = "", more = ""] = /:error:[^:]*:[^:]*:[^:]*:([^:]*):[^:]*:\d+:(.*)$/.exec(line) ?? [];
    return reason === "" ? [] : [`${reason}${more === "" ? "" : ` (${more})`}`];
  });
  const problem =
    reasons.join(", ") ||
    stderr.split("\n").find((line) => line.trim() !== "") ||
    `openssl ended with ${code}`;
  return { problem: problem.slice(0, 300), remedy };
}

function openssl(
  args: readonly string[],
  input: Uint8Array,
): Promise<{ code: number | "missing"; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn("openssl", [...args], { stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < OUTPUT_MAX) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < OUTPUT_MAX) stderr += text;
    });
    child.stdin.on("error", () => undefined); // it may end before it has read everything
    child.on("error", () => resolve({ code: "missing", stdout, stderr }));
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
    child.stdin.end(input);
  });
}
