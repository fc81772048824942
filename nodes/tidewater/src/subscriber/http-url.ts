import { InvalidArgumentError } from "commander";

/** For commander: an http or https URL; `usual` shows how it is written. */
export function httpUrl(usual: string): (text: string) => string {
  return (text) => {
    if (/^https?:$/.test(URL.parse(text)?.protocol ?? "")) return text;
    throw new InvalidArgumentError(`Write it as ${usual}.`);
  };
}
