import { createHash, randomUUID } from "node:crypto";
import type { Answer, Asked } from "./fake-cloud.ts";

export interface FakeImage {
  readonly id: string;
  readonly name: string;
  status: string;
  size: number;
  digest: string;
  /** Default: our project. */
  readonly owner?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Id of the project of the tokens. */
export const PROJECT = "project";

const FIELDS = new Set(["name", "disk_format", "container_format", "visibility", "min_disk", "min_ram"]);

/** Glance, image API v2: what is no field of an image is a property, and is shown beside the fields. */
export class FakeGlance {
  readonly images: FakeImage[] = [
    { id: "image-tidewater", name: "tidewater", status: "active", size: 1, digest: "00" },
    { id: "image-tidewater-next", name: "tidewater-next", status: "active", size: 1, digest: "01" },
  ];

  answer({ method, query, json, body }: Asked, [, , id = "", file = ""]: string[]): Answer {
    if (id === "" && method === "POST") {
      const properties = Object.fromEntries(Object.entries(json).filter(([name]) => !FIELDS.has(name)));
      const image = {
        ...{ id: randomUUID(), name: String(json["name"]), status: "queued", size: 0, digest: "" },
        properties,
      };
      this.images.push(image);
      return [201, shown(image)];
    }
    if (id === "") {
      const name = /^in:"(.*)"$/.exec(query.get("name") ?? "")?.[1];
      return [200, { images: this.images.filter((image) => image.name === name).map(shown) }];
    }
    const image = this.images.find((one) => one.id === id);
    if (image === undefined) return [404, "No image found"];
    if (method === "DELETE") {
      this.images.splice(this.images.indexOf(image), 1);
      return [204];
    }
    if (file === "file") {
      image.status = "active";
      image.size = body.length;
      image.digest = createHash("sha512").update(body).digest("hex");
      return [204];
    }
    return [200, shown(image)];
  }
}

function shown({ id, name, status, size, digest, owner = PROJECT, properties = {} }: FakeImage): object {
  return {
    ...properties,
    ...{ id, name, status, size, owner, min_disk: 0, min_ram: 0 },
    ...(status === "active" ? { os_hash_algo: "sha512", os_hash_value: digest } : {}),
  };
}
