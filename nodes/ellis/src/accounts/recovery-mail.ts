import { spawn } from "node:child_process";

export interface RecoveryMailOptions {
  /** Takes a whole message at its standard input and sends it to whom its To names: sendmail -t -i. */
  readonly program: string;
  readonly sender: string;
  /** Empty: the mail has no link. */
  readonly portalUrl: string;
}

const SENT_WITHIN_MS = 30_000;

/** Sends the token that a forgotten password is set with. Rejects when the program does not take it. */
export function sendRecoveryMail(
  { program, sender, portalUrl }: RecoveryMailOptions,
  to: { readonly email: string; readonly fullName: string },
  token: string,
): Promise<void> {
  const link =
    portalUrl === ""
      ? ""
      : `\nOr follow this link:\n${portalUrl}${portalUrl.includes("?") ? "&" : "?"}${new URLSearchParams({ email: to.email, token })}\n`;
  const message = [
    `From: ${sender}`,
    `To: ${to.email}`,
    "Subject: Your password",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "Auto-Submitted: auto-generated",
    "",
    lines(
      `Hello ${to.fullName},\n\nsomebody, you we hope, wants a new password for your account.\n\nTo set it, give this code within an hour:\n${token}\n${link}\nIf it was not you, do nothing.\n`,
    ),
    "",
  ].join("\r\n");
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["-t", "-i"], {
      stdio: ["pipe", "ignore", "ignore"],
      timeout: SENT_WITHIN_MS,
    });
    child.once("error", reject);
    child.once("close", (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${program} ended with ${signal ?? code}`)),
    );
    child.stdin.once("error", reject);
    child.stdin.end(message);
  });
}

function lines(text: string): string {
  return (
    Buffer.from(text)
      .toString("base64")
      .match(/.{1,76}/g)
      ?.join("\r\n") ?? ""
  );
}
