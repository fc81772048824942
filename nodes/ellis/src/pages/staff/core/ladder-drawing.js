const SVG = "http://www.w3.org/2000/svg";
const COLUMN = 170;
const ROW = 26;
const HEAD = 34;
const LEFT = 80;
const CHARACTER = 7;
/** In columns, from the line of who notes. */
const NOTE = 2;

/** One ladder as a picture; what it says stands beside it as text, too. */
export function drawingOf({ participants, rungs, start, method, from, to, outcome }, id) {
  const notes = rungs.filter(({ kind }) => kind === "note");
  const columns = notes.map(({ from: who }) => participants.indexOf(who) + 0.5 + NOTE);
  const width = LEFT + Math.max(participants.length, ...columns) * COLUMN;
  const height = HEAD + rungs.length * ROW + 12;
  const svg = shape("svg", {
    ...{
      class: "ladder",
      role: "img",
      "aria-labelledby": id,
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
    },
  });
  const title = shape("title", { id });
  title.textContent = `${method} ${from} to ${to}: ${outcome}. ${rungs.length} steps between ${participants.join(", ")}; the list has them as text.`;
  svg.append(title);
  const centre = (name) => LEFT + participants.indexOf(name) * COLUMN + COLUMN / 2;
  for (const name of participants) {
    const x = centre(name);
    svg.append(
      shape("line", { class: "lifeline", x1: x, x2: x, y1: HEAD, y2: height }),
      words(short(name, COLUMN - 10), { class: "name", x, y: 20, "text-anchor": "middle" }),
    );
  }
  rungs.forEach((rung, index) => {
    const y = HEAD + index * ROW + 20;
    svg.append(words(((rung.time - start) / 1_000).toFixed(3), { class: "time", x: 4, y }));
    svg.append(...(rung.kind === "note" ? noted(rung, centre(rung.from), y) : arrow(rung, centre, y)));
  });
  return svg;
}

function arrow({ from, to, label, failed, family }, centre, y) {
  const [a, b] = [centre(from), centre(to)];
  const way = b >= a ? 1 : -1;
  const style = `rung ${family}${failed ? " failed" : ""}`;
  const length = Math.abs(b - a);
  return [
    shape("line", { class: style, x1: a, x2: b, y1: y, y2: y }),
    shape("path", { class: `${style} head`, d: `M ${b} ${y} l ${-7 * way} -4 l 0 8 z` }),
    words(short(label, Math.max(length - 16, COLUMN - 30)), {
      class: `label${failed ? " failed" : ""}`,
      x: (a + b) / 2,
      y: y - 4,
      "text-anchor": "middle",
    }),
  ];
}

function noted({ title, failed }, x, y) {
  return [
    shape("circle", { class: `note${failed ? " failed" : ""}`, cx: x, cy: y - 4, r: 4 }),
    words(short(title, NOTE * COLUMN - 16), { class: "label", x: x + 8, y }),
  ];
}

function short(text, room) {
  const most = Math.floor(room / CHARACTER);
  return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`;
}

function words(text, attributes) {
  const element = shape("text", attributes);
  element.textContent = text;
  return element;
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
