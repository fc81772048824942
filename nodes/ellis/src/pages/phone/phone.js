import { accountPath, ask, isPassing, Refused } from "../api.js";
import { lastingFailure } from "../notices.js";
import { started } from "../start.js";
import { errorWords } from "./call/words.js";
import { instanceOfTab } from "./instance.js";
import { keepUser, keptUser, signOnForm, takeRefusal } from "./sign-on.js";
import { Softphone } from "./softphone.js";
import { byId, write } from "./view/dom.js";

/** Runs what a button does; what went wrong, or what is to be said, is shown. */
function attempt(work) {
  void performed(work);
}

async function performed(work) {
  write(byId("wrong"), "");
  try {
    const said = await work();
    if (typeof said === "string") write(byId("said"), said);
  } catch (error) {
    write(byId("wrong"), errorWords(error));
  }
}

function show(id) {
  for (const main of document.querySelectorAll("main")) main.hidden = main.id !== id;
}

async function begin() {
  try {
    await open();
  } catch (error) {
    byId("loading").hidden = true;
    if (!isPassing(error)) throw error;
    lastingFailure(error.message, () => attempt(begin));
  }
}

async function open() {
  let session;
  try {
    session = await ask("GET", "/session");
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 403) throw error;
    return show("log-in");
  }
  const { servers, home_domain: domain, turn } = await ask("GET", "/phone/configuration");
  if (servers.length === 0)
    throw new Error("There is no phone here: its operator has not set --phone-servers.");
  const wanted = new URLSearchParams(location.search).get("number") ?? "";
  const email = session.username;
  const numbers = await numbersOf(email);
  const instance = await instanceOfTab();
  let isOn = false;
  const signOn = (user) => {
    if (isOn) return;
    isOn = true;
    new Softphone({ user, servers, turn, instance }, { attempt, show }).start();
  };
  signOnForm({ email, numbers, domain, wanted }, { signOn, attempt });
  const user = keptUser();
  if (user !== undefined && (wanted === "" || wanted === user.impu)) return signOn(user);
  keepUser(undefined);
  show("sign-on");
  const refusal = takeRefusal();
  if (refusal === "") return;
  byId("credentials").elements.password.focus();
  throw new Error(refusal);
}

/** Of who has none, number and password are written by hand. */
async function numbersOf(email) {
  try {
    return (await ask("GET", `${accountPath(email)}/numbers`)).numbers;
  } catch (error) {
    if (error instanceof Refused && [403, 404].includes(error.status)) return [];
    throw error;
  }
}

started();
attempt(begin);
