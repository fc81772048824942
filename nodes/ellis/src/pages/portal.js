import { accountPath, ask, isPassing, Refused, recover } from "./api.js";
import { lastingFailure } from "./notices.js";
import { numbersOf, showContacts } from "./numbers.js";
import { started } from "./start.js";

const byId = (id) => document.getElementById(id);
const message = byId("message");

/** Runs what a button does; what went wrong, or what is to be said, is shown. */
function attempt(work) {
  void performed(work);
}

async function performed(work) {
  message.textContent = "";
  message.className = "";
  try {
    const said = await work();
    if (typeof said === "string") message.textContent = said;
  } catch (error) {
    message.textContent = error.message;
    message.className = "wrong";
  }
}

function show(id) {
  for (const main of document.querySelectorAll("main")) main.hidden = main.id !== id;
}

function onSubmit(id, work) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    attempt(() => work(Object.fromEntries(new FormData(form)), form));
  });
}

let numbers;

async function enter({ username, full_name: name }) {
  numbers = numbersOf(username, attempt);
  byId("name").textContent = name || username;
  byId("who").hidden = false;
  byId("leave").onclick = () => {
    if (!confirm("Delete your account and all its numbers?")) return;
    attempt(async () => {
      await ask("DELETE", accountPath(username));
      await ask("DELETE", "/session");
      location.assign("/");
    });
  };
  show("numbers");
  await numbers.load();
}

onSubmit("login", async (given, form) => {
  const session = await ask("POST", "/session", given);
  form.reset();
  await enter(session);
});

onSubmit("signup", async (given, form) => {
  await ask("POST", "/accounts", given);
  const session = await ask("POST", "/session", { email: given.email, password: given.password });
  form.reset();
  await enter(session);
});

onSubmit("reset", async ({ email, token, password }) => {
  await recover(email, token, password);
  history.replaceState(undefined, "", "/");
  show("welcome");
  return "Your password is set. Log in with it.";
});

byId("forgot").addEventListener("click", () =>
  attempt(async () => {
    const email = byId("login").elements.email.value;
    if (email === "") return "Write your e-mail address first.";
    await ask("POST", `${accountPath(email)}/password`);
    byId("reset").elements.email.value = email;
    show("recovery");
    return "If there is such an account, a mail is on its way.";
  }),
);
byId("logout").addEventListener("click", () =>
  attempt(async () => {
    await ask("DELETE", "/session");
    location.assign("/");
  }),
);
byId("allocate").addEventListener("click", () => attempt(() => numbers.allocate({})));
byId("allocate-pstn").addEventListener("click", () => attempt(() => numbers.allocate({ pstn: true })));
byId("book").addEventListener("toggle", ({ target }) => {
  if (target.open) attempt(showContacts);
});

async function begin() {
  const params = new URLSearchParams(location.search);
  if (params.has("token")) {
    byId("reset").elements.email.value = params.get("email") ?? "";
    byId("reset").elements.token.value = params.get("token");
    return show("recovery");
  }
  try {
    await enter(await ask("GET", "/session"));
  } catch (error) {
    if (isPassing(error)) {
      show("failed");
      return lastingFailure(error.message, () => attempt(begin));
    }
    show("welcome");
    // Nobody is logged in: that is how it begins.
    if (!(error instanceof Refused) || error.status !== 403) throw error;
  }
}

started();
attempt(begin);
