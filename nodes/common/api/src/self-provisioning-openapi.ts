import { coreViewPaths, coreViewSchemas } from "./core-view-openapi.ts";
import { body, content, header, input, type Json, none, operation, output, path } from "./openapi-parts.ts";
import { phoneConfigurationSchema } from "./phone.ts";
import {
  addressBookSchema,
  allocatedNumberSchema,
  ellisErrorSchema,
  listedSchema,
  newAccountSchema,
  newNumberSchema,
  newSessionSchema,
  numberRangeSchema,
  numberRangesSchema,
  numbersDocumentSchema,
  sessionDocumentSchema,
  sipPasswordSchema,
  specificNumberSchema,
} from "./self-provisioning.ts";
import { staffPaths, staffSchemas } from "./staff-openapi.ts";
import { turnCredentialsSchema } from "./turn/credentials.ts";

/** The API of ellis as an OpenAPI 3.1 document, made from the schemas that validate it. */
export function ellisOpenApiDocument(): Json {
  const numbers = "/accounts/{email}/numbers";
  const number = `${numbers}/{uri}`;
  const session = { security: [{ session: [] }, { apiKey: [] }] };
  const operator = { security: [{ apiKey: [] }] };
  const email = path("email", "e-mail address of the account");
  const uri = path("uri", "SIP URI of the number");
  return {
    openapi: "3.1.0",
    info: {
      title: "Tidewater ellis",
      version: "1",
      description: "Accounts and numbers for users; the API of Clearwater's Ellis.",
    },
    components: {
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: "username", description: "given by POST /session" },
        apiKey: { type: "apiKey", in: "header", name: "NGV-API-Key", description: "of operators" },
      },
      schemas: {
        NewAccount: input(newAccountSchema),
        NewSession: input(newSessionSchema),
        Session: output(sessionDocumentSchema),
        NewNumber: input(newNumberSchema),
        SpecificNumber: input(specificNumberSchema),
        AllocatedNumber: output(allocatedNumberSchema),
        Numbers: output(numbersDocumentSchema),
        SipPassword: output(sipPasswordSchema),
        Listed: output(listedSchema),
        AddressBook: output(addressBookSchema),
        NumberRange: input(numberRangeSchema),
        NumberRanges: output(numberRangesSchema),
        TurnCredentials: output(turnCredentialsSchema),
        PhoneConfiguration: output(phoneConfigurationSchema),
        Error: output(ellisErrorSchema),
        ...staffSchemas(),
        ...coreViewSchemas(),
      },
    },
    security: [],
    paths: {
      "/accounts": {
        post: operation(
          "signUp",
          "Makes an account",
          { 201: content("Session") },
          {
            parameters: [header("NGV-Signup-Code", "sign-up code")],
            ...body("NewAccount"),
          },
        ),
      },
      "/accounts/{email}": {
        parameters: [email],
        delete: operation("leave", "Deletes an account and its numbers", { 204: none }, session),
      },
      "/accounts/{email}/password": {
        parameters: [email],
        post: operation(
          "recoverPassword",
          "Without a token a mail with one is sent; with one the password in the body is set",
          { 200: none },
          {
            parameters: [header("NGV-Recovery-Token", "token of the mail")],
            requestBody: { content: { "text/plain": { schema: { type: "string" } } } },
          },
        ),
      },
      "/session": {
        post: operation("logIn", "Gives a session cookie", { 201: content("Session") }, body("NewSession")),
        get: operation("session", "Who is logged in", { 200: content("Session") }, session),
        delete: operation("logOut", "Takes the cookie away", { 204: none }),
      },
      [numbers]: {
        parameters: [email],
        get: operation("numbers", "Numbers of an account", { 200: content("Numbers") }, session),
        post: operation(
          "allocate",
          "Gives a number of the pool",
          { 200: content("AllocatedNumber") },
          { ...session, ...body("NewNumber", false) },
        ),
      },
      [number]: {
        parameters: [email, uri],
        post: operation(
          "provide",
          "Gives that very number",
          { 200: content("AllocatedNumber") },
          { ...operator, ...body("SpecificNumber", false) },
        ),
        delete: operation("giveBack", "Takes a number back into the pool", { 200: none }, session),
      },
      [`${number}/password`]: {
        parameters: [email, uri],
        post: operation(
          "resetSipPassword",
          "A new password for SIP",
          { 200: content("SipPassword") },
          session,
        ),
      },
      [`${number}/simservs`]: document(
        "simservs",
        "application/vnd.etsi.simservs+xml",
        [email, uri],
        session,
      ),
      [`${number}/ifcs`]: document("ifcs", "application/xml", [email, uri], session),
      [`${number}/listed`]: {
        parameters: [email, uri],
        get: operation(
          "listed",
          "Whether the address book has the number",
          { 200: content("Listed") },
          session,
        ),
      },
      [`${number}/listed/{listed}`]: {
        parameters: [email, uri, path("listed", "1 or 0")],
        put: operation("list", "Puts a number into the address book, or out of it", { 200: none }, session),
      },
      "/gab": {
        get: operation(
          "addressBook",
          "Numbers that are listed, of all accounts",
          { 200: content("AddressBook") },
          session,
        ),
      },
      "/number-ranges": {
        get: operation("ranges", "Numbers that are given out", { 200: content("NumberRanges") }, operator),
        post: operation(
          "addRange",
          "More of them",
          { 201: content("NumberRange") },
          { ...operator, ...body("NumberRange") },
        ),
      },
      "/turn-credentials": {
        get: operation(
          "turnCredentials",
          "Credentials for the TURN server, where there is one",
          { 200: content("TurnCredentials") },
          session,
        ),
      },
      "/phone/configuration": {
        get: operation(
          "phoneConfiguration",
          "What the softphone page has to know",
          { 200: content("PhoneConfiguration") },
          session,
        ),
      },
      ...staffPaths(),
      ...coreViewPaths(),
      "/number-ranges/{first}": {
        parameters: [path("first", "first number of a range")],
        delete: operation("removeRange", "No more are given out of a range", { 204: none }, operator),
      },
    },
  };
}

function document(name: string, type: string, parameters: readonly Json[], security: Json): Json {
  const xml = { content: { [type]: { schema: { type: "string" } } } };
  return {
    parameters,
    get: operation(`get-${name}`, `Reads ${name}`, { 200: { description: name, ...xml } }, security),
    put: operation(
      `put-${name}`,
      `Replaces ${name}`,
      { 200: none },
      { ...security, requestBody: { required: true, ...xml } },
    ),
  };
}
