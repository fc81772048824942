/** Tabs as the ARIA practices have them: arrows go from one to the next, one of them is in the order of focus. `shown(id)` hears which is. */
export function tabs(list, shown) {
  const all = [...list.querySelectorAll('[role="tab"]')];
  const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

  function show(tab, focus = false) {
    for (const each of all) {
      const is = each === tab;
      each.setAttribute("aria-selected", String(is));
      each.tabIndex = is ? 0 : -1;
      panelOf(each).hidden = !is;
    }
    if (focus) tab.focus();
    shown(panelOf(tab).id);
  }

  for (const tab of all) tab.addEventListener("click", () => show(tab));
  list.addEventListener("keydown", ({ key }) => {
    const at = all.indexOf(document.activeElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[key];
    if (at >= 0 && next !== undefined) show(all.at(next % all.length), true);
  });
  return {
    show: (id) => show(all.find((tab) => panelOf(tab).id === id)),
    isShown: (id) => !document.getElementById(id).hidden,
    count(id, number) {
      const badge = all.find((tab) => panelOf(tab).id === id).querySelector(".count");
      badge.hidden = number === 0;
      badge.textContent = String(number);
    },
  };
}
