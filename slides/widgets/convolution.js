// Convolution arithmetic: sliders set the shapes, the window walks over the input, the output fills.
const NAMES = ['size', 'kernel', 'stride', 'padding', 'dilation'];
const ROOM = { input: 440, output: 330, top: 84, height: 440 };
const at = id => document.getElementById(id);
let position = 0; // of the window, in reading order
let timer = null;

function outputSize({ size, kernel, stride, padding, dilation }) {
  const room = size + 2 * padding - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : Math.floor(room / stride) + 1;
}

function values() {
  return Object.fromEntries(NAMES.map(name => [name, Number(at(name).value)]));
}

function draw() {
  const v = values();
  const out = outputSize(v);
  const span = v.dilation * (v.kernel - 1) + 1;
  NAMES.forEach(name => { at(`${name}-value`).textContent = v[name]; });
  at('formula').innerHTML = `<p>The kernel spans ${span} × ${span} pixels.</p>` +
    `<p>⌊(${v.size} + 2·${v.padding} − ${span}) / ${v.stride}⌋ + 1</p>` +
    `<p class="big">${out ? `Output: ${out} × ${out}` : 'It does not fit: no output'}</p>`;
  at('step').disabled = at('play').disabled = !out;
  position = out ? position % (out * out) : 0;

  const padded = v.size + 2 * v.padding;
  const side = Math.min(50, ROOM.input / padded, ROOM.height / padded);
  const [row, column] = out ? [Math.floor(position / out), position % out] : [-1, -1];
  const reads = (i, first) => out > 0 && i >= first && i < first + span && (i - first) % v.dilation === 0;
  let picture = `<text x="0" y="24">Input ${v.size} × ${v.size}${v.padding ? ', with padding' : ''}</text>` +
    `<text x="0" y="52">${padded} × ${padded}${v.padding ? ' (dashed: zeros)' : ' pixels'}</text>`;
  for (let i = 0; i < padded; i++) {
    for (let j = 0; j < padded; j++) {
      const inside = k => k >= v.padding && k < v.padding + v.size;
      const read = reads(i, row * v.stride) && reads(j, column * v.stride);
      picture += cell(j * side, ROOM.top + i * side, side,
        `cell${inside(i) && inside(j) ? '' : ' pad'}${read ? ' read' : ''}`);
    }
  }
  if (out) {
    picture += `<rect class="window" x="${column * v.stride * side + 2.5}" y="${ROOM.top + row * v.stride * side}" ` +
      `width="${span * side}" height="${span * side}"/>`;
  }
  const left = ROOM.input + 60;
  const small = Math.min(50, ROOM.output / Math.max(out, 1));
  picture += `<text x="${left}" y="24">Output ${out} × ${out}</text>` +
    (out ? `<text x="${left}" y="52">row ${row + 1}, column ${column + 1}</text>` : '');
  for (let k = 0; k < out * out; k++) {
    picture += cell(left + (k % out) * small, ROOM.top + Math.floor(k / out) * small, small,
      `cell${k < position ? ' done' : k === position ? ' now' : ''}`);
  }
  at('picture').innerHTML = picture;
  at('picture').setAttribute('aria-label',
    out ? `The window is at row ${row + 1}, column ${column + 1} of an output of ${out} by ${out}` : 'The kernel does not fit');
}

function cell(x, y, side, kind) {
  return `<rect class="${kind}" x="${x + 2.5}" y="${y}" width="${side}" height="${side}"/>`;
}

function step() {
  position += 1;
  draw();
}

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(step, 400) : null;
  at('play').textContent = on ? 'Pause' : 'Play';
}

NAMES.forEach(name => at(name).addEventListener('input', () => { play(false); position = 0; draw(); }));
at('step').addEventListener('click', () => { play(false); step(); });
at('play').addEventListener('click', () => play(timer === null));
at('restart').addEventListener('click', () => { play(false); position = 0; draw(); });
document.querySelector('main').hidden = false;
draw();
document.body.dataset.ready = '1';
