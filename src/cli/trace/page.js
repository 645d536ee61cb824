'use strict';
// Places of a span and of a burst in the data.
const [INSTRUCTION, PIPE, QUEUED, READY, STARTED, ENDED, LANE, TAKEN, FINISHED] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const [WRITE, REQUESTER, ADDRESS, BEATS, ASKED, FIRST, LAST, ANSWERED] = [0, 1, 2, 3, 4, 5, 6, 7];
const runs = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);
const canvas = $('timeline'), pen = canvas.getContext('2d');
const GUTTER = 74, ROW = 20, STRIP = 5, CHART = 56, AXIS = 22, MOST_ARROWS = 400;
let run, rows, height, view, selected = null, hover = null, color = {};

const grouped = n => Number(n).toLocaleString('en-US');
const percent = share => (100 * share).toFixed(2) + ' %';
const escaped = text => String(text).replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

// ---- rows: each a list of pieces that do not overlap, sorted by start ----

function lay() {
  rows = [];
  let y = AXIS;
  const add = (label, tall, row) => { rows.push({ label, y, tall, ...row }); y += tall; };
  const lanes = run.lanes.map(count => Array.from({ length: count }, () => []));
  run.spans.forEach((span, index) => lanes[span[PIPE]][span[LANE]].push({ start: span[STARTED], end: span[ENDED], span: index }));
  run.pipes.forEach((pipe, p) => {
    lanes[p].forEach((pieces, lane) => add(lane ? '' : pipe, ROW, { pieces, pipe: p, lane }));
    const [from, what] = run.activity[p];
    add('', STRIP + 4, { strip: true, from, what });
  });
  const channel = (label, wanted, start, end) => {
    const sent = [], lanesOf = [];
    run.bursts.forEach((burst, index) => {
      if (!!burst[WRITE] === wanted && start(burst) != null) sent.push({ start: start(burst), end: Math.max(start(burst) + 1, end(burst)), burst: index });
    });
    sent.sort((a, b) => a.start - b.start).forEach(piece => {
      let lane = lanesOf.findIndex(pieces => pieces[pieces.length - 1].end <= piece.start);
      // What needs more than four rows is drawn over what is in the last of them.
      if (lane < 0) lane = lanesOf.length < 4 ? lanesOf.push([]) - 1 : 3;
      lanesOf[lane].push(piece);
    });
    lanesOf.forEach((pieces, lane) => add(lane ? '' : label, 12, { pieces }));
  };
  channel('axi ar', false, b => b[ASKED], b => b[ASKED] + 1);
  channel('axi r', false, b => b[FIRST], b => (b[LAST] ?? run.cycles) + 1);
  channel('axi aw', true, b => b[ASKED], b => b[ASKED] + 1);
  channel('axi w', true, b => b[FIRST], b => (b[LAST] ?? run.cycles) + 1);
  channel('axi b', true, b => b[ANSWERED], b => b[ANSWERED] + 1);
  y += 6;
  add('B/cycle', CHART, { chart: true });
  height = y + 4;
}

// The first piece that ends behind cycle t.
function firstBehind(pieces, t, low = 0) {
  let high = pieces.length;
  while (low < high) { const mid = (low + high) >> 1; if (pieces[mid].end > t) high = mid; else low = mid + 1; }
  return low;
}

// ---- drawing ----

const x = t => GUTTER + (t - view.from) * (canvas.clientWidth - GUTTER) / (view.to - view.from);
const cycleAt = px => view.from + (px - GUTTER) * (view.to - view.from) / (canvas.clientWidth - GUTTER);

function draw() {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
  canvas.style.height = height + 'px';
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = '12px system-ui, sans-serif'; pen.textBaseline = 'middle';
  axis(width);
  pen.save();
  pen.beginPath(); pen.rect(GUTTER, 0, width - GUTTER, height); pen.clip();
  rows.forEach(row => row.strip ? strip(row) : row.chart ? chart(row) : pieces(row));
  arrows();
  pen.restore();
  pen.fillStyle = color.dim; pen.textAlign = 'left';
  rows.forEach(row => { if (row.label) pen.fillText(row.label, 4, row.y + Math.min(row.tall, ROW) / 2); });
  $('range').textContent = `cycles ${grouped(Math.round(view.from))} to ${grouped(Math.round(view.to))}`;
}

function axis(width) {
  const span = view.to - view.from, raw = span / Math.max(2, width / 130), power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, [1, 2, 5, 10].map(f => f * power).find(s => s >= raw));
  pen.strokeStyle = color.line; pen.fillStyle = color.dim; pen.textAlign = 'left'; pen.lineWidth = 1;
  for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
    const px = Math.round(x(t)) + .5;
    if (px < GUTTER) continue;
    pen.beginPath(); pen.moveTo(px, 4); pen.lineTo(px, height); pen.stroke();
    pen.fillText(grouped(t || 0), px + 3, 9);
  }
}

function pieces(row) {
  const list = row.pieces, width = canvas.clientWidth, tall = row.tall - 3;
  let last = -1;
  // Pieces narrower than a pixel are drawn once per pixel, so that the cost is that of the width and not of the program.
  for (let i = firstBehind(list, view.from); i < list.length && list[i].start < view.to;) {
    const piece = list[i], from = x(piece.start), to = x(piece.end);
    pen.fillStyle = piece.burst == null ? color[run.pipes[row.pipe]] : color[run.bursts[piece.burst][REQUESTER]];
    const isSelected = selected && (piece.burst == null ? selected.span === piece.span : selected.burst === piece.burst);
    if (to - from < 1 && !isSelected) {
      const px = Math.floor(from);
      if (px !== last) { pen.globalAlpha = .75; pen.fillRect(px, row.y, 1, tall); pen.globalAlpha = 1; last = px; }
      i = Math.max(i + 1, firstBehind(list, cycleAt(px + 1), i));
      continue;
    }
    const left = Math.max(from, GUTTER), wide = Math.max(1, Math.min(to, width) - left - (to - from > 3 ? 1 : 0));
    pen.fillRect(left, row.y, wide, tall);
    if (isSelected) { pen.strokeStyle = color.select; pen.lineWidth = 2; pen.strokeRect(left + 1, row.y + 1, Math.max(2, wide - 2), tall - 2); }
    if (wide > 60 && tall > 12 && piece.span != null) {
      pen.save(); pen.beginPath(); pen.rect(left, row.y, wide, tall); pen.clip();
      pen.fillStyle = '#fff'; pen.textAlign = 'left'; pen.fillText(run.texts[run.spans[piece.span][INSTRUCTION]], left + 4, row.y + tall / 2); pen.restore();
    }
    i++;
  }
}

function strip(row) {
  const { from, what } = row;
  let low = 0, high = from.length;
  while (low < high) { const mid = (low + high) >> 1; if (from[mid] <= view.from) low = mid + 1; else high = mid; }
  for (let i = Math.max(0, low - 1); i < from.length && from[i] < view.to;) {
    const end = i + 1 < from.length ? from[i + 1] : run.cycles, a = Math.max(GUTTER, x(from[i])), b = x(end);
    pen.fillStyle = color[run.activities[what[i]]];
    pen.fillRect(a, row.y, Math.max(.5, b - a), STRIP);
    i++;
    if (b - a < .5) {
      const t = cycleAt(Math.floor(b) + 1);
      let lo = i, hi = from.length;
      while (lo < hi) { const mid = (lo + hi) >> 1; if (from[mid] <= t) lo = mid + 1; else hi = mid; }
      i = Math.max(i, lo - 1);
    }
  }
}

function chart(row) {
  const { width: wide, read, written } = run.bandwidth, limit = run.bus;
  const up = rate => row.y + row.tall - 2 - (row.tall - 12) * rate / limit;
  pen.strokeStyle = color.line; pen.beginPath(); pen.moveTo(GUTTER, up(limit)); pen.lineTo(canvas.clientWidth, up(limit)); pen.stroke();
  for (const [rates, name] of [[read, 'mte2'], [written, 'fix']]) {
    pen.strokeStyle = color[name]; pen.lineWidth = 1.5; pen.beginPath();
    const first = Math.max(0, Math.floor(view.from / wide)), end = Math.min(rates.length, Math.ceil(view.to / wide) + 1);
    const per = Math.max(1, Math.floor((end - first) / canvas.clientWidth));
    for (let i = first; i < end; i += per) {
      let sum = 0; const n = Math.min(per, end - i);
      for (let j = 0; j < n; j++) sum += rates[i + j];
      const py = up(sum / n);
      i === first ? pen.moveTo(x(i * wide), py) : pen.lineTo(x(i * wide), py);
      pen.lineTo(x((i + n) * wide), py);
    }
    pen.stroke();
  }
  pen.fillStyle = color.dim; pen.textAlign = 'right';
  pen.fillText(`bus: ${limit} bytes per cycle and direction`, canvas.clientWidth - 4, up(limit) - 7);
}

const rowOf = span => rows.find(row => row.pipe === span[PIPE] && row.lane === span[LANE]);

function arrow(by, raised, to, strong) {
  const a = rowOf(by), b = rowOf(to), x0 = x(raised), x1 = x(to[STARTED]), y0 = a.y + a.tall / 2, y1 = b.y + b.tall / 2;
  if (Math.max(x0, x1) < GUTTER || Math.min(x0, x1) > canvas.clientWidth) return;
  pen.strokeStyle = strong ? color.select : color.dim; pen.globalAlpha = strong ? 1 : .35; pen.lineWidth = strong ? 1.6 : 1;
  const bend = Math.max(12, Math.abs(x1 - x0) / 2);
  pen.beginPath(); pen.moveTo(x0, y0); pen.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1, y1); pen.stroke();
  pen.beginPath(); pen.moveTo(x1 - 6, y1 - 4); pen.lineTo(x1, y1); pen.lineTo(x1 - 6, y1 + 4); pen.stroke();
  pen.globalAlpha = 1;
}

function arrows() {
  const shown = [];
  rows.forEach(row => {
    if (row.pipe == null || !row.pieces) return;
    for (let i = firstBehind(row.pieces, view.from); i < row.pieces.length && row.pieces[i].start < view.to && shown.length <= MOST_ARROWS; i++) shown.push(row.pieces[i].span);
  });
  if (shown.length <= MOST_ARROWS) shown.forEach(index => run.spans[index][TAKEN].forEach(([, by, raised]) => arrow(run.spans[by], raised, run.spans[index], false)));
  if (selected?.span == null) return;
  const span = run.spans[selected.span];
  span[TAKEN].forEach(([, by, raised]) => arrow(run.spans[by], raised, span, true));
  (run.takers[selected.span] || []).forEach(([to, raised]) => arrow(span, raised, run.spans[to], true));
}

// ---- selection ----

function pieceAt(px, py) {
  const t = cycleAt(px), row = rows.find(row => row.pieces && py >= row.y && py < row.y + row.tall);
  if (!row || px < GUTTER) return null;
  // Within three pixels is near enough.
  const near = 3 * (view.to - view.from) / canvas.clientWidth;
  const i = firstBehind(row.pieces, t - near), piece = row.pieces[i];
  return piece && piece.start <= t + near ? piece : null;
}

const link = index => `<a class="go" data-span="${index}">${escaped(run.texts[run.spans[index][INSTRUCTION]].split(/\s/)[0])} (instruction ${run.spans[index][INSTRUCTION]})</a>`;

function operands(text) {
  const rest = [];
  for (const word of text.trim().split(/\s+/).slice(1)) {
    const at = word.indexOf('='), last = rest[rest.length - 1];
    if (at > 0) rest.push([word.slice(0, at), word.slice(at + 1)]);
    // Any number of flags may follow `wait` and `set`.
    else if (last && ['wait', 'set'].includes(last[0]) && !['wait', 'set'].includes(word)) last[1] += (last[1] ? ', ' : '') + word;
    else rest.push([word, '']);
  }
  return rest;
}

function details() {
  const panel = $('details');
  if (!selected) { panel.innerHTML = '<p class="hint">Click an instruction or a burst to see what it did and what it waited for.</p>'; return; }
  const line = (name, value) => `<tr><th>${name}</th><td class="n">${value}</td></tr>`;
  if (selected.burst != null) {
    const b = run.bursts[selected.burst], at = t => t == null ? 'never' : grouped(t);
    panel.innerHTML = `<h2>${b[WRITE] ? 'write' : 'read'} burst of ${b[REQUESTER]}</h2><table>` + line('address', '0x' + b[ADDRESS].toString(16)) + line('beats', b[BEATS]) +
      line('address taken in cycle', at(b[ASKED])) + line('first beat', at(b[FIRST])) + line('last beat', at(b[LAST])) + line('answered', at(b[ANSWERED])) + '</table>';
    return;
  }
  const span = run.spans[selected.span], text = run.texts[span[INSTRUCTION]];
  const queue = span[READY] - span[QUEUED], wait = span[STARTED] - span[READY], work = span[ENDED] - span[STARTED];
  const flags = span[TAKEN].map(([flag, by, raised]) =>
    `<tr><td>${escaped(flag)}</td><td>${link(by)}</td><td class="n">${grouped(raised)}</td><td>${raised > span[READY] ? `waited ${grouped(raised - span[READY])} cycles for it` : 'was there'}</td></tr>`).join('');
  const late = span[TAKEN].reduce((most, [, , raised]) => Math.max(most, raised - span[READY]), 0);
  const why = wait <= 1 ? '' : late > 0 ? ', of which for flags ' + grouped(Math.min(late, wait)) : ', for the engine';
  const takers = (run.takers[selected.span] || []).map(([to]) => link(to)).join(', ');
  panel.innerHTML = `<h2>${run.pipes[span[PIPE]]}, instruction ${span[INSTRUCTION]}, pc 0x${(span[INSTRUCTION] * 32).toString(16)}</h2><code>${escaped(text)}</code><div class="split"><table>` +
    line('queued in cycle', grouped(span[QUEUED])) + line('behind others', grouped(queue) + ' cycles') + line('waited', grouped(wait) + ' cycles' + why) +
    line('started', grouped(span[STARTED])) + line(span[FINISHED] ? 'finished' : 'not finished by', grouped(span[ENDED] - 1)) + line('worked', grouped(work) + ' cycles') + '</table><table>' +
    operands(text).map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`).join('') + '</table><div>' +
    (flags ? `<table><tr><th>flag</th><th>raised by</th><th class="n">in cycle</th><th></th></tr>${flags}</table>` : '<p class="hint">It waits for no flag.</p>') +
    (takers ? `<p>Its flags let go: ${takers}</p>` : '') + '</div></div>';
}

function select(what, show) {
  selected = what;
  if (what && show) {
    const [from, to] = what.span != null ? [run.spans[what.span][STARTED], run.spans[what.span][ENDED]] : [run.bursts[what.burst][ASKED], run.bursts[what.burst][ASKED] + 1];
    if (from < view.from || to > view.to) { const half = (view.to - view.from) / 2, mid = (from + to) / 2; look(mid - half, mid + half); }
  }
  details(); redraw();
}

function step(by) {
  if (selected?.span == null) { if (run.spans.length) select({ span: 0 }, true); return; }
  const next = selected.span + by, same = run.spans[next]?.[PIPE] === run.spans[selected.span][PIPE];
  if (same) select({ span: next }, true);
}

function find(text) {
  const words = text.trim().toLowerCase();
  if (!words) return;
  const begin = selected?.span ?? -1, count = run.spans.length;
  const wanted = /^0x[0-9a-f]+$/.test(words) ? parseInt(words, 16) / 32 : /^\d+$/.test(words) ? Number(words) : null;
  for (let i = 1; i <= count; i++) {
    const index = (begin + i) % count, at = run.spans[index][INSTRUCTION];
    if (wanted != null ? at === wanted : run.texts[at].toLowerCase().includes(words)) { select({ span: index }, true); return; }
  }
  $('range').textContent = `nothing has ${text}`;
}

// ---- moving ----

let waiting = false;
function redraw() { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); } }

function look(from, to) {
  const most = run.cycles * 1.02 + 10, wide = Math.min(most, Math.max(8, to - from));
  const low = -0.01 * run.cycles - 5;
  from = Math.max(low, Math.min(from, low + most - wide));
  view = { from, to: from + wide };
  redraw();
}
const whole = () => look(-0.01 * run.cycles - 5, run.cycles * 1.01 + 5);
function zoom(factor, t = (view.from + view.to) / 2) { look(t - (t - view.from) * factor, t + (view.to - t) * factor); }
const pan = share => look(view.from + share * (view.to - view.from), view.to + share * (view.to - view.from));

canvas.addEventListener('wheel', event => {
  event.preventDefault();
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / 600);
  else zoom(2 ** (event.deltaY / 300), cycleAt(event.offsetX));
}, { passive: false });
let drag = null;
canvas.addEventListener('pointerdown', event => { drag = { px: event.offsetX, from: view.from, to: view.to, moved: false }; canvas.setPointerCapture?.(event.pointerId); });
canvas.addEventListener('pointermove', event => {
  if (!drag) { const piece = pieceAt(event.offsetX, event.offsetY); canvas.title = piece?.span != null ? run.texts[run.spans[piece.span][INSTRUCTION]] : ''; return; }
  const moved = event.offsetX - drag.px;
  if (Math.abs(moved) > 3) drag.moved = true;
  if (drag.moved) { const by = moved * (drag.to - drag.from) / (canvas.clientWidth - GUTTER); look(drag.from - by, drag.to - by); }
});
canvas.addEventListener('pointerup', event => {
  if (drag && !drag.moved) { const piece = pieceAt(event.offsetX, event.offsetY); select(piece && (piece.burst == null ? { span: piece.span } : { burst: piece.burst })); }
  drag = null;
});
document.addEventListener('keydown', event => {
  if (event.target.tagName === 'INPUT') { if (event.key === 'Escape') event.target.blur(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const fit = () => { if (selected?.span != null) { const s = run.spans[selected.span], wide = s[ENDED] - s[STARTED]; look(s[STARTED] - wide / 2, s[ENDED] + wide / 2); } };
  const act = { ArrowLeft: () => pan(-.2), ArrowRight: () => pan(.2), a: () => pan(-.2), d: () => pan(.2), '+': () => zoom(.6), '=': () => zoom(.6), w: () => zoom(.6), '-': () => zoom(1 / .6), s: () => zoom(1 / .6),
    0: whole, n: () => step(1), p: () => step(-1), f: fit, Escape: () => select(null), '/': () => $('search').focus() }[event.key];
  if (act) { event.preventDefault(); act(); }
});
$('search').addEventListener('keydown', event => { if (event.key === 'Enter') find(event.target.value); });
$('in').onclick = () => zoom(.6); $('out').onclick = () => zoom(1 / .6); $('all').onclick = whole;
$('details').addEventListener('click', event => { const index = event.target.dataset?.span; if (index != null) select({ span: Number(index) }, true); });
window.addEventListener('resize', redraw);

// ---- figures ----

function went() {
  const names = { busy: 'works', wait_flag: 'waits for a flag', wait_block: 'waits for a block', wait_memory: 'waits for memory', wait_queue: 'has nothing to do' };
  const head = run.activities.map(a => `<th class="n"><i style="background:var(--${a})"></i>${a.replace('_', ' ')}</th>`).join('');
  $('went').innerHTML = `<table><tr><th>pipe</th>${head}<th style="width:35%">of ${grouped(run.cycles)} cycles</th></tr>` + run.pipes.map((pipe, p) => {
    const spent = run.spent[p];
    return `<tr><td>${pipe}</td>${spent.map(n => `<td class="n">${grouped(n)}</td>`).join('')}<td><div class="bar">${spent.map((n, a) =>
      `<div style="width:${100 * n / Math.max(1, run.cycles)}%;background:var(--${run.activities[a]})" title="${pipe} ${names[run.activities[a]]}: ${percent(n / run.cycles)}"></div>`).join('')}</div></td></tr>`;
  }).join('') + '</table>';
  $('legend').innerHTML = 'thin line below a pipe: ' + run.activities.map(a => `<span><i style="background:var(--${a})"></i>${names[a]}</span>`).join('');
}

function roofline() {
  const macs = run.macs, bytes = (run.read ?? 0) + (run.written ?? 0);
  if (!macs || !bytes || !run.cycles) { $('roofline').innerHTML = '<p class="hint">A point needs a finished run with products and memory traffic.</p>'; return; }
  const rate = run.memory.rate ?? run.bus, peak = run.peak, point = { i: macs / bytes, p: macs / run.cycles };
  const w = 460, h = 250, left = 56, bottom = 34, lo = Math.min(point.i, peak / rate) / 8, hi = Math.max(point.i, peak / rate) * 8, floor = Math.min(point.p, lo * rate) / 2, top = peak * 2;
  const px = i => left + (w - left - 12) * Math.log(i / lo) / Math.log(hi / lo), py = p => h - bottom - (h - bottom - 10) * Math.log(p / floor) / Math.log(top / floor);
  const ridge = peak / rate, bound = Math.min(peak, point.i * rate);
  $('roofline').innerHTML = `<svg viewBox="0 0 ${w} ${h}" width="100%" role="img" aria-label="Roofline: ${point.p.toFixed(1)} MACs per cycle at ${point.i.toFixed(1)} MACs per byte">
    <path d="M${px(lo)} ${py(lo * rate)}L${px(ridge)} ${py(peak)}L${px(hi)} ${py(peak)}" fill="none" stroke="var(--ink)" stroke-width="1.5"/>
    <path d="M${left} 10V${h - bottom}H${w - 12}" fill="none" stroke="var(--line)"/>
    <path d="M${px(point.i)} ${py(bound)}V${py(point.p)}" stroke="var(--dim)" stroke-dasharray="3 3"/>
    <circle cx="${px(point.i)}" cy="${py(point.p)}" r="5" fill="var(--select)"/>
    <text x="${px(hi)}" y="${py(peak) - 6}" text-anchor="end">cube: ${grouped(peak)} MACs per cycle</text>
    <text x="${px(ridge) - 14}" y="${py(peak) + 4}" text-anchor="end">memory: ${rate} B per cycle</text>
    <text x="${w / 2}" y="${h - 8}" text-anchor="middle">MACs per byte (log)</text>
    <text transform="translate(14 ${h / 2}) rotate(-90)" text-anchor="middle">MACs per cycle (log)</text></svg>
    <p>${point.p.toFixed(2)} MACs per cycle at ${point.i.toFixed(2)} MACs per byte: <b>${percent(point.p / bound)}</b> of the roof there, which is the ${point.i * rate < peak ? 'memory' : 'cube'}'s.
    The slope takes reads and writes together; each direction has ${rate} bytes per cycle.</p>`;
}

function facts() {
  const m = run.memory, tu = run.steps / run.cycles, ou = run.macs == null ? null : run.macs / (run.cycles * run.peak);
  $('facts').innerHTML = `core <b>${escaped(run.core)}</b> (cube ${run.cube.join(' x ')}), <b>${grouped(run.cycles)}</b> cycles, ${grouped(run.spans.length)} operations; ` +
    (ou == null ? '' : `OU <b>${percent(ou)}</b>, SU ${percent(ou / tu || 0)}, TU ${percent(tu)}; `) +
    `memory: latency ${m.latency}, ${m.rate ?? run.bus} B per cycle${m.shared ? ' shared' : ''}${m.stall ? `, stalls ${m.stall}` : ''}${run.done ? '' : '; <b>ended with a fault</b>'}`;
}

function open(index) {
  run = runs[index];
  run.takers = {};
  run.spans.forEach((span, to) => span[TAKEN].forEach(([, by, raised]) => (run.takers[by] ||= []).push([to, raised])));
  selected = null;
  lay(); facts(); went(); roofline(); details(); whole();
}

function colors() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['dim', 'line', 'select', 'busy', 'wait_flag', 'wait_block', 'wait_memory', 'wait_queue', 's', 'mte2', 'mte1', 'm', 'fix', 'mte3']) color[name] = style.getPropertyValue('--' + name).trim();
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { colors(); redraw(); });

colors();
if (runs.length > 1) {
  $('choose').hidden = false;
  $('run').innerHTML = runs.map((r, i) => `<option value="${i}">${i + 1} of ${runs.length}: ${grouped(r.cycles)} cycles</option>`).join('');
  $('run').onchange = event => open(Number(event.target.value));
}
open(0);
