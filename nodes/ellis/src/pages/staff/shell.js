import { ask, isPassing, Refused } from "../api.js";
import { lastingFailure } from "../notices.js";
import { loadAgain, started } from "../start.js";
import { mayAs, SECTIONS } from "./sections.js";

const byId = (id) => document.getElementById(id);
const message = byId("message");
const content = byId("content");

let session;
let close;
let opened = 0;
/** What was said on the way to another section stays. */
let isCarried = false;

function say(text, isWrong = false) {
  message.textContent = text;
  message.classList.toggle("wrong", isWrong);
}

/** Runs what a button does; what went wrong, or the text it gives, is shown and read out. */
async function attempt(work) {
  if (!isCarried) say("");
  isCarried = false;
  try {
    const said = await work();
    if (typeof said === "string") say(said);
    return true;
  } catch (error) {
    say(error.message, true);
    if (error instanceof Refused && error.status === 403) await checkSession();
    return false;
  }
}

/** `#section/part/part`, each part encoded. */
function route() {
  const [section = "", ...parts] = location.hash.slice(1).split("/").map(decoded);
  return { section, parts };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function allowed() {
  return SECTIONS.filter(({ role }) => mayAs(session.role, role));
}

/** Fills the page with the section that the address names. `isMoved`: who uses the keyboard goes on there. */
async function show(isMoved) {
  const turn = ++opened;
  close?.();
  close = undefined;
  const { section: id, parts } = route();
  const section = allowed().find((each) => each.id === id) ?? allowed()[0];
  document.title = `${section.title} - Tidewater`;
  for (const link of byId("sections").querySelectorAll("a"))
    if (link.hash === `#${section.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  const heading = document.createElement("h1");
  heading.tabIndex = -1;
  heading.textContent = section.title;
  const root = document.createElement("div");
  content.replaceChildren(heading, root);
  if (isMoved) heading.focus();
  await attempt(async () => {
    const module = await loaded(section);
    if (module === undefined) return;
    const ended = await module.open(root, portalFor(parts));
    if (turn === opened) close = ended;
    else ended?.();
  });
}

/** The module of a section; undefined: it could not be loaded, and the page comes anew. */
async function loaded(section) {
  try {
    const module = await section.load();
    started();
    return module;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    void loadAgain();
    return undefined;
  }
}

/** What a section may use. */
function portalFor(parts) {
  return {
    /** What follows the section in the address. */
    parts,
    name: session.name,
    role: session.role,
    may: (least) => mayAs(session.role, least),
    ask,
    attempt,
    say,
    /** Goes to an address: `go("ladders", callId)`. */
    go: (...to) => {
      isCarried = true;
      location.hash = to.map(encodeURIComponent).join("/");
    },
    /** The address of a place in the portal, for links. */
    hrefOf: (...to) => `#${to.map(encodeURIComponent).join("/")}`,
  };
}

function navigation() {
  byId("sections").replaceChildren(
    ...allowed().map(({ id, title }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `#${id}`;
      link.textContent = title;
      item.append(link);
      return item;
    }),
  );
}

async function checkSession() {
  try {
    session = await ask("GET", "/staff/session");
  } catch (error) {
    if (!isPassing(error)) leave();
    return error;
  }
  return undefined;
}

function leave() {
  close?.();
  close = undefined;
  session = undefined;
  content.replaceChildren();
  byId("frame").hidden = true;
  byId("who").hidden = true;
  byId("loading").hidden = true;
  byId("login").hidden = false;
}

async function enter(isMoved) {
  const refused = await checkSession();
  if (refused !== undefined) throw refused;
  byId("name").textContent = `${session.name} (${session.role})`;
  byId("login").hidden = true;
  byId("loading").hidden = true;
  byId("who").hidden = false;
  byId("frame").hidden = false;
  navigation();
  await show(isMoved);
}

byId("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  void attempt(async () => {
    await ask("POST", "/session", Object.fromEntries(new FormData(form)));
    form.reset();
    await enter(true);
  });
});
byId("logout").addEventListener("click", () =>
  attempt(async () => {
    await ask("DELETE", "/session");
    leave();
    byId("login-form").elements.email.focus();
  }),
);
addEventListener("hashchange", () => {
  if (session !== undefined) void show(true);
});
// An address of its own would be that of a section.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  (content.querySelector("h1") ?? byId("login-form").elements.email).focus();
});

async function begin() {
  try {
    await enter(false);
  } catch (error) {
    if (isPassing(error)) return lastingFailure(error.message, () => void begin());
    leave();
    if (!(error instanceof Refused) || error.status !== 403) say(error.message, true);
  }
}

void begin();
