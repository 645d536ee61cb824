'use strict';
// What the tests of the page do to it: real events on the canvas, and an account in <pre id="verdict">.
const say = {};

function event(kind, type, px, py, more) {
  const box = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new kind(type, { bubbles: true, cancelable: true, pointerId: 1, clientX: box.left + px, clientY: box.top + py, ...more }));
}

// Clicks the nth span for which `wanted` holds, after bringing it into view.
function click(wanted, nth) {
  const index = run.spans.map((span, at) => [span, at]).filter(([span]) => wanted(span))[nth][1], span = run.spans[index];
  look(span[STARTED] - 100, span[ENDED] + 100);
  draw();
  const row = rowOf(span), px = x((span[STARTED] + span[ENDED]) / 2), py = row.y + row.tall / 3;
  event(PointerEvent, 'pointerdown', px, py);
  event(PointerEvent, 'pointerup', px, py);
  draw();
}

function wheel(by, px) {
  say.under = cycleAt(px);
  event(WheelEvent, 'wheel', px, 60, { deltaY: by });
}

const press = key => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));

// How many pixels of the canvas are not empty.
function painted(name) {
  draw();
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
  say[name] = count;
}

// How often `what` calls the canvas.
function calls(what) {
  let count = 0;
  const kept = {};
  for (const name of ['fillRect', 'strokeRect', 'lineTo', 'moveTo', 'fillText', 'bezierCurveTo', 'stroke']) {
    kept[name] = pen[name];
    pen[name] = function (...given) { count++; return kept[name].apply(pen, given); };
  }
  what();
  for (const name in kept) delete pen[name];
  return count;
}

function verdict() {
  const text = document.createElement('pre');
  text.id = 'verdict';
  text.textContent = JSON.stringify(say);
  document.body.append(text);
}
