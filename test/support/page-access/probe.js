// Runs in pages under test: what can be read, reached by the keyboard, and seen to have the focus (WCAG 2.2).
(() => {
  const REACHABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const ENTRIES = "input:not([type=checkbox], [type=radio], [type=file]), select, textarea";
  let reachable = [];

  function colourOf(text) {
    const numbers = (text.match(/[\d.]+(?:e-?\d+)?/g) ?? []).map(Number);
    const [r = 0, g = 0, b = 0, alpha = 1] = numbers;
    return text.startsWith("color(srgb") ? [r * 255, g * 255, b * 255, alpha] : [r, g, b, alpha];
  }

  function over([r, g, b, alpha], below) {
    return [r, g, b].map((one, at) => one * alpha + below[at] * (1 - alpha));
  }

  function luminance(colour) {
    const [r, g, b] = colour.map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function ratioOf(one, other) {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }

  /** What a page is painted on: it depends on the colour scheme. */
  function canvas() {
    const probe = document.createElement("div");
    probe.style.setProperty("background-color", "Canvas");
    document.body.append(probe);
    const colour = colourOf(getComputedStyle(probe).backgroundColor);
    probe.remove();
    return colour.slice(0, 3);
  }

  function ancestorsOf(element) {
    const all = [];
    for (let at = element; at instanceof Element; at = at.parentElement) all.push(at);
    return all;
  }

  function behind(element) {
    return ancestorsOf(element)
      .reverse()
      .reduce((below, one) => over(colourOf(getComputedStyle(one).backgroundColor), below), canvas());
  }

  function opacityOf(element) {
    return ancestorsOf(element).reduce((product, one) => product * Number(getComputedStyle(one).opacity), 1);
  }

  function isSeen(element) {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    const { width, height } = element.getBoundingClientRect();
    return width > 0 && height > 0;
  }

  function nameOf(element) {
    const text =
      element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    return `${element.localName}${element.id ? `#${element.id}` : ""} "${(text ?? "").trim().slice(0, 60)}"`;
  }

  /** Texts that are not enough unlike what they stand on (1.4.3), fields and buttons whose bounds are not (1.4.11). */
  function weakContrasts() {
    const weak = new Set();
    const judge = (element, colour, what) => {
      const style = getComputedStyle(element);
      const below = behind(element);
      const [r, g, b, alpha] = colourOf(colour);
      const ratio = ratioOf(over([r, g, b, alpha * opacityOf(element)], below), below);
      const size = Number.parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (isLarge ? 3 : 4.5)) weak.add(`${what} of ${nameOf(element)}: ${ratio.toFixed(2)}`);
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let read = 0;
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (texts.currentNode.data.trim() === "" || !isSeen(element)) continue;
      if (element.closest(":disabled, option, script, svg title") !== null) continue;
      read++;
      const style = getComputedStyle(element);
      judge(element, element.closest("svg") === null ? style.color : style.fill, "text");
    }
    for (const entry of document.querySelectorAll(`${ENTRIES}, button`)) {
      if (!isSeen(entry) || entry.disabled) continue;
      const style = getComputedStyle(entry);
      judge(entry, style.color, "text");
      if (entry.placeholder) judge(entry, getComputedStyle(entry, "::placeholder").color, "placeholder");
      const around = behind(entry.parentElement);
      const edge =
        Number.parseFloat(style.borderTopWidth) > 0 ? over(colourOf(style.borderTopColor), around) : around;
      const ratio = Math.max(ratioOf(edge, around), ratioOf(behind(entry), around));
      if (ratio < 3) weak.add(`bounds of ${nameOf(entry)}: ${ratio.toFixed(2)}`);
    }
    return { weak: [...weak], read };
  }

  /** Notes what the keyboard has to reach now; how many they are. */
  function begin() {
    reachable = [...document.querySelectorAll(REACHABLE)].filter((one) => isSeen(one) && !one.disabled);
    return reachable.length;
  }

  /** Of those: which one has the focus, and whether it is seen to have it. */
  function focused() {
    const element = document.activeElement;
    if (element === null || element === document.body) return undefined;
    const style = getComputedStyle(element);
    const around = behind(element.parentElement ?? element);
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return {
      name: nameOf(element),
      index: reachable.indexOf(element),
      isOutlined: style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2,
      contrast: ratioOf(over(colourOf(style.outlineColor), around), around),
      isOnScreen: right > 0 && bottom > 0 && left < innerWidth && top < innerHeight,
    };
  }

  globalThis.pageAccess = {
    weakContrasts,
    begin,
    focused,
    nameAt: (index) => nameOf(reachable[index]),
    background: () => luminance(canvas()),
  };
})();
