import { type NumberDocument, newNumberSchema, specificNumberSchema } from "@ims/api";
import { canonicalImpu } from "@ims/ims";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Account, type AccountNumber, numbersOf } from "../accounts/account.ts";
import type { AddressBook } from "../numbers/address-book.ts";
import { formattedNumber } from "../numbers/number-range.ts";
import type { Allocation, Numbers } from "../numbers/numbers.ts";
import type { Provisioning } from "../numbers/provisioning.ts";
import { UNAVAILABLE } from "../store/documents.ts";
import { type AdmissionModules, accountOf, requesterOf, requireOperator } from "./admission.ts";
import { fieldsOf, read } from "./fields.ts";
import { Refusal, storeAway, upstream } from "./refusal.ts";
import { succeed } from "./replies.ts";

export interface NumberModules extends AdmissionModules {
  readonly numbers: Numbers;
  readonly provisioning: Provisioning;
  readonly addressBook: AddressBook;
}

export type NamedNumber = { Params: { email: string; uri: string } };
type Named = { Params: { email: string } };

/** Numbers of an account. */
export function numberRoutes(app: FastifyInstance, modules: NumberModules): void {
  const { numbers, provisioning, addressBook } = modules;

  app.get<Named>("/accounts/:email/numbers", { config: { resource: "numbers" } }, async (request, reply) => {
    const { account } = await accountOf(request, modules);
    return succeed(request, reply, 200, { numbers: numbersOf(account).map(documentOf) });
  });

  app.post<Named>("/accounts/:email/numbers", { config: { resource: "numbers" } }, async (request, reply) => {
    const { account, isOperator } = await accountOf(request, modules);
    const given = read(newNumberSchema, fieldsOf(request));
    const privateId = given.private_id;
    // Who is called by a private identity answers for it: nobody adds himself to somebody else's.
    if (privateId !== undefined && !isOperator && !hasPrivateId(account, privateId))
      throw new Refusal(404, "None of your numbers has that private identity");
    return succeed(
      request,
      reply,
      200,
      allocated(await numbers.allocate(account.email, given.pstn, privateId)),
    );
  });

  app.post<NamedNumber>(
    "/accounts/:email/numbers/:uri",
    { config: { resource: "number" } },
    async (request, reply) => {
      requireOperator(request, modules);
      const { account } = await accountOf(request, modules);
      const given = read(specificNumberSchema, fieldsOf(request));
      const privateId = given.private_id;
      const isNew = given.new_private_id ?? privateId === undefined;
      const { uri } = request.params;
      return succeed(
        request,
        reply,
        200,
        allocated(await numbers.provide(account.email, uri, { privateId, isNew })),
      );
    },
  );

  app.delete<NamedNumber>(
    "/accounts/:email/numbers/:uri",
    { config: { resource: "number" } },
    async (request, reply) => {
      const { account, number } = await numberOf(request, modules);
      const result = await numbers.remove(account.email, number);
      if (result.kind === "refused") throw new Refusal(result.status, result.reason);
      return succeed(request, reply, 200);
    },
  );

  app.post<NamedNumber>(
    "/accounts/:email/numbers/:uri/password",
    { config: { resource: "sipPassword" } },
    async (request, reply) => {
      const { number } = await numberOf(request, modules);
      const result = await provisioning.resetPassword(number.privateId);
      if (result.kind === "unknown") throw new Refusal(404, "homestead does not know the number");
      if (result.kind === "refused") throw new Refusal(409, result.problem);
      if (result.kind !== "reset") throw upstream("problem" in result ? result.problem : "try again");
      return succeed(request, reply, 200, { sip_password: result.password });
    },
  );

  app.get<NamedNumber>(
    "/accounts/:email/numbers/:uri/listed",
    { config: { resource: "listed" } },
    async (request, reply) => {
      const { number } = await numberOf(request, modules);
      return succeed(request, reply, 200, { gab_listed: number.listed ? 1 : 0 });
    },
  );

  app.put<{ Params: NamedNumber["Params"] & { listed: string } }>(
    "/accounts/:email/numbers/:uri/listed/:listed",
    { config: { resource: "listed" } },
    async (request, reply) => {
      const { listed } = request.params;
      if (listed !== "0" && listed !== "1") throw new Refusal(404, "listed/0 or listed/1");
      const { account, number } = await numberOf(request, modules);
      const result = await numbers.list(account.email, number.uri, listed === "1");
      if (result.kind === "refused") throw new Refusal(result.status, result.reason);
      return succeed(request, reply, 200);
    },
  );

  for (const path of ["/gab", "/1/gab"])
    app.get(path, { config: { resource: "gab" } }, async (request, reply) => {
      await requesterOf(request, modules);
      const contacts = await addressBook.contacts();
      if (contacts === UNAVAILABLE) throw storeAway();
      return succeed(request, reply, 200, {
        contacts: contacts.map(({ email, fullName, numbers: listed }) => ({
          email,
          full_name: fullName,
          numbers: listed,
        })),
      });
    });
}

/** The number that a path names; 404 when the account has none such. */
export async function numberOf(
  request: FastifyRequest<NamedNumber>,
  modules: AdmissionModules,
): Promise<{ readonly account: Account; readonly number: AccountNumber }> {
  const { account } = await accountOf(request, modules);
  const uri = canonicalImpu(request.params.uri);
  const number = numbersOf(account).find((each) => each.uri === uri);
  if (uri === undefined || number === undefined) throw new Refusal(404, "Number not found");
  return { account, number };
}

function hasPrivateId(account: Account, privateId: string): boolean {
  return numbersOf(account).some((number) => number.privateId === privateId);
}

function documentOf({ id, uri, privateId, pstn, listed }: AccountNumber): NumberDocument {
  const [, user = "", domain = ""] = /^sip:([^@]*)@(.*)$/.exec(uri) ?? [];
  return {
    number_id: id,
    sip_uri: uri,
    sip_username: user,
    domain,
    number: user,
    formatted_number: formattedNumber(user),
    private_id: privateId,
    pstn,
    gab_listed: listed ? 1 : 0,
  };
}

function allocated(allocation: Allocation): Record<string, unknown> {
  if (allocation.kind === "refused") throw new Refusal(allocation.status, allocation.reason);
  const { number, password } = allocation;
  return { ...documentOf(number), ...(password === undefined ? {} : { sip_password: password }) };
}
