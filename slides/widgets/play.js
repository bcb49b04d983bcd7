// Two-dimensional points and a small network: the border between its classes, live.
const at = id => document.getElementById(id);
const CALM = matchMedia('(prefers-reduced-motion: reduce)').matches;
const LAST = 5000; // epochs, then it rests
const POINTS = 200, BATCH = 10; // half of the points are new: they are never learned from
const REACH = 1.3; // the picture goes from -REACH to REACH
const GRID = 60, SMALL = 20; // places that are asked along each side
const [BLUE, ORANGE] = [[0, 114, 178], [230, 159, 0]];
const pair = new Float32Array(2);
let net, learn, fresh, random, epoch, history, playing = false, drawn = 0;

const SHAPES = {
  clouds: (label, t, r) => { const a = label ? 0.45 : -0.45; return [a + 0.22 * NN.normal(r), a + 0.22 * NN.normal(r)]; },
  xor: (label, t, r) => { const x = (r() < 0.5 ? -1 : 1) * (0.1 + 0.9 * t), s = label ? -1 : 1; return [x, s * Math.sign(x) * (0.1 + 0.9 * r())]; },
  circles: (label, t, r) => { const d = label ? 0.45 * Math.sqrt(t) : 0.75 + 0.25 * t, a = 2 * Math.PI * r(); return [d * Math.cos(a), d * Math.sin(a)]; },
  spiral: (label, t) => { const a = 1.6 * Math.PI * Math.sqrt(t) * 1.3 + (label ? 0 : Math.PI); return [Math.sqrt(t) * Math.cos(a), Math.sqrt(t) * Math.sin(a)]; },
};

function begin() {
  const seed = Number(at('seed').value), noise = Number(at('noise').value);
  random = NN.seeded(seed + 50);
  const make = SHAPES[at('shape').value];
  const points = Array.from({ length: 2 * POINTS }, (_, i) => {
    const label = i % 2, [x, y] = make(label, random(), random);
    return { x: x + noise * NN.normal(random), y: y + noise * NN.normal(random), label };
  });
  [learn, fresh] = [points.slice(0, POINTS), points.slice(POINTS)];
  net = NN.pointNetwork({ depth: Number(at('depth').value), width: Number(at('width').value), activation: at('activation').value, seed });
  epoch = 0;
  history = { train: [], fresh: [] };
  judge();
  draw();
}

const ask = ({ x, y }) => { pair[0] = x; pair[1] = y; return net.logit(pair); };

function oneEpoch() {
  NN.shuffle(learn, random);
  for (let i = 0; i < POINTS; i += BATCH) {
    for (const one of learn.slice(i, i + BATCH)) { pair[0] = one.x; pair[1] = one.y; net.learn(pair, one.label); }
    net.step(Number(at('rate').value), BATCH);
  }
  epoch += 1;
}

function judge() {
  for (const [name, list] of [['train', learn], ['fresh', fresh]]) {
    const loss = list.reduce((sum, one) => sum + NN.bce(ask(one), one.label), 0) / list.length;
    history[name].push([epoch, loss]);
    if (history[name].length > 400) history[name] = history[name].filter((_, i) => i % 2 === 0);
  }
}

function draw() {
  drawPlane();
  drawNeurons();
  const { blue, vermilion } = Draw.COLOURS, all = [...history.train, ...history.fresh];
  Draw.plot(at('loss'), {
    lines: [{ points: history.train, colour: blue }, { points: history.fresh, colour: vermilion, dashed: true }],
    right: Math.max(10, epoch), top: Math.min(3, Math.max(0.8, ...all.map(point => point[1]))), x: 'epochs', y: 'loss',
  });
  const right = fresh.filter(one => (ask(one) > 0) === (one.label === 1)).length / fresh.length;
  at('epoch').textContent = epoch;
  at('right').textContent = `${Math.round(100 * right)} %`;
  at('plane').setAttribute('aria-label', `The points and the border between the colours; ${Math.round(100 * right)} % of new points are right`);
}

// From orange over white to blue, as value goes from 0 to 1.
function tint(value, strength = 0.75) {
  const end = value > 0.5 ? BLUE : ORANGE, part = Math.abs(2 * value - 1) * strength;
  return end.map(c => Math.round(255 + part * (c - 255)));
}

function field(cells, value) {
  const picture = new ImageData(cells, cells);
  for (let i = 0; i < cells * cells; i++) {
    const x = ((i % cells) + 0.5) / cells, y = (Math.floor(i / cells) + 0.5) / cells;
    picture.data.set([...tint(value({ x: REACH * (2 * x - 1), y: REACH * (1 - 2 * y) })), 255], 4 * i);
  }
  return Draw.bitmap(picture);
}

function drawPlane() {
  const canvas = at('plane'), pen = canvas.getContext('2d'), side = canvas.width;
  pen.drawImage(field(GRID, point => NN.sigmoid(ask(point))), 0, 0, side, side);
  for (const [list, size] of [[learn, 5], [fresh, 3]]) {
    for (const { x, y, label } of list) {
      const [px, py] = [side * (x / REACH + 1) / 2, side * (1 - y / REACH) / 2];
      pen.fillStyle = `rgb(${label ? BLUE : ORANGE})`;
      pen.strokeStyle = '#fff';
      pen.lineWidth = 1.5;
      pen.beginPath();
      if (label) pen.arc(px, py, size, 0, 7); else pen.rect(px - size, py - size, 2 * size, 2 * size);
      pen.fill();
      pen.stroke();
    }
  }
}

// A column for each hidden layer; values are stretched to the range of the neuron.
function drawNeurons() {
  const layers = net.layers.slice(0, -1), canvas = at('neurons');
  canvas.hidden = !layers.length;
  at('inside-title').hidden = !layers.length;
  at('said').textContent = layers.length ? '' : 'Without a hidden layer there is one neuron: it can draw one straight line.';
  if (!layers.length) return;
  const units = layers[0].units, side = Math.min(64, Math.floor(560 / units) - 6);
  canvas.width = units * (side + 6);
  canvas.height = layers.length * (side + 6);
  canvas.style.width = `${canvas.width * 0.8}px`;
  const pen = canvas.getContext('2d'), values = layers.map(layer => new Float32Array(SMALL * SMALL * layer.units));
  for (let i = 0; i < SMALL * SMALL; i++) {
    ask({ x: REACH * (2 * ((i % SMALL) + 0.5) / SMALL - 1), y: REACH * (1 - 2 * (Math.floor(i / SMALL) + 0.5) / SMALL) });
    layers.forEach((layer, l) => layer.out.forEach((value, u) => { values[l][u * SMALL * SMALL + i] = value; }));
  }
  layers.forEach((layer, l) => {
    for (let u = 0; u < layer.units; u++) {
      const mine = values[l].subarray(u * SMALL * SMALL, (u + 1) * SMALL * SMALL);
      const low = Math.min(...mine), range = Math.max(...mine) - low || 1;
      let k = 0;
      pen.drawImage(field(SMALL, () => (mine[k++] - low) / range), u * (side + 6), l * (side + 6), side, side);
    }
  });
}

function frame(now) {
  if (!playing) return;
  const end = performance.now() + 12;
  do oneEpoch(); while (performance.now() < end && epoch % 5);
  judge();
  if (epoch >= LAST) { play(false); return; }
  if (!CALM || now - drawn > 1000) { draw(); drawn = now; }
  requestAnimationFrame(frame);
}

function play(on) {
  playing = on;
  at('start').textContent = on ? 'Pause' : 'Start';
  if (on) requestAnimationFrame(frame); else draw();
}

if (window !== window.top || location.hash === '#framed') document.documentElement.classList.add('framed');
document.querySelector('main').hidden = false;
at('controls').addEventListener('submit', event => { event.preventDefault(); play(!playing); });
at('controls').addEventListener('change', event => { if (event.target.id !== 'rate') begin(); });
at('again').addEventListener('click', () => { play(false); begin(); });
at('step').addEventListener('click', () => { play(false); oneEpoch(); judge(); draw(); });
addEventListener('resize', draw);
begin();
document.body.dataset.ready = '1';
