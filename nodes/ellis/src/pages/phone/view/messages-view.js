import { shown, targetOf } from "../sip/header.js";
import { byId, made, when } from "./dom.js";

/** Conversations, and the one that is open. */
export function messagesView({ messages, kept, domain, attempt, isShown, counted }) {
  const form = byId("compose");
  const { to, text } = form.elements;
  const texts = byId("texts");

  const peer = () => {
    const uri = targetOf(to.value, domain);
    const known = kept.conversations().find((each) => each.uri === uri || each.name === to.value.trim());
    return known ?? (uri === undefined ? undefined : { uri, name: shown(uri, domain) });
  };

  function update() {
    const open = peer();
    if (open !== undefined && isShown()) kept.markRead(open.uri);
    const all = kept.conversations();
    counted(all.reduce((sum, { unread }) => sum + unread, 0));
    const list = all.find(({ uri }) => uri === open?.uri)?.messages ?? [];
    texts.replaceChildren(...list.map(line));
    texts.scrollTop = texts.scrollHeight;
    byId("conversations").replaceChildren(
      ...all.map(({ uri, name, unread, messages: those }) => {
        const item = document.createElement("li");
        const news = unread === 0 ? "" : ` (${unread} new)`;
        item.append(made("button", `${name}${news}`, { onclick: () => show({ uri, name }) }));
        item.append(made("small", those.at(-1)?.text.slice(0, 80) ?? ""));
        return item;
      }),
    );
  }

  function line({ isOurs, text: words, at, state }) {
    const element = made("p", words, { className: isOurs ? "ours" : "theirs" });
    element.append(
      made("small", `${isOurs ? "You" : "They"}, ${when(at)}${state === "" ? "" : `. ${state}`}`),
    );
    return element;
  }

  function show({ uri, name }) {
    const parts = targetOf(name, domain) === uri ? name : shown(uri, domain);
    to.value = targetOf(parts, domain) === uri ? parts : uri;
    update();
    text.focus();
  }

  to.addEventListener("change", update);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => {
      const one = peer();
      if (one === undefined) throw new Error("Write to whom: a number or an address.");
      const problem = messages.problemOf(text.value);
      if (problem !== undefined) throw new Error(problem);
      messages.send({ uri: one.uri, name: one.name }, text.value);
      text.value = "";
    });
  });
  // As in other chats: Enter sends, with Shift it makes a line.
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  byId("forget-conversation").addEventListener("click", () => {
    const one = peer();
    if (one !== undefined) kept.forgetConversation(one.uri);
    update();
  });
  update();
  return { update, show };
}
