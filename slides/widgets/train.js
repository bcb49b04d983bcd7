// The page that trains: the knobs go to the worker, what it tells becomes pictures.
const at = id => document.getElementById(id);
const SIDE = 32;
const LOOKS = 12; // at validation, then a training ends
const CALM = matchMedia('(prefers-reduced-motion: reduce)').matches;
const PLAIN = { rate: '0.003', batch: '32', filters: '8', images: '2080', drop: '0', split: 'place', overlap: false };
const PRESETS = {
  rate: [{ rate: '0.3' }, 'Look at the loss: it jumps instead of falling, because every step flies over the valley.'],
  ten: [{ images: '10' }, 'Look at the two losses: training falls to zero while validation climbs, because ten images are learned by heart.'],
  random: [{ images: '640', split: 'random', overlap: true }, 'Look at the two AUCs: validation shines above new places, because it holds near-copies of what was learned.'],
};
let worker, data, tiles, run = 0, history, last, shownTile = null, chosen = 0;

async function start() {
  if (window !== window.top || location.hash === '#framed') document.documentElement.classList.add('framed');
  data = await readPatches();
  const texts = `const NN = globalThis.NN = (${makeNN})(); (${trainWorker})();`;
  worker = new Worker(URL.createObjectURL(new Blob([texts], { type: 'text/javascript' })));
  worker.onmessage = ({ data: message }) => { if (message.run === run) hear(message); };
  worker.onerror = event => { at('said').textContent = `The training stopped: ${event.message}`; };
  worker.postMessage({ type: 'data', ...data });
  document.querySelector('main').hidden = false;
  makeTabs();
  makeChoice();
  at('controls').addEventListener('submit', event => { event.preventDefault(); train(); });
  at('controls').addEventListener('change', event => {
    if (event.isTrusted) say('');
    document.querySelectorAll('[data-preset]').forEach(button => button.setAttribute('aria-pressed', false));
  });
  at('stop').addEventListener('click', () => { worker.postMessage({ type: 'stop' }); end('Stopped.'); });
  document.querySelectorAll('[data-preset]').forEach(button => button.addEventListener('click', () => preset(button)));
  document.querySelectorAll('.slide').forEach(button => button.addEventListener('click', () => slide(Number(button.dataset.tile))));
  at('threshold').addEventListener('input', drawCurves);
  at('strict').addEventListener('input', drawTile);
  addEventListener('resize', drawAll);
  say('');
  shownTile = { ...tiles[0], map: null };
  history = { train: [], val: [] };
  drawAll();
}

// The pictures of a script as one array of bytes.
async function readPatches() {
  const parts = await Promise.all(PATCHES.map(async part => ({ ...part, images: cutSheet(await pixels(part.sheet), part.labels.length) })));
  const learn = parts.filter(part => !part.new), [fresh] = parts.filter(part => part.new);
  const images = new Uint8Array(learn.reduce((sum, part) => sum + part.images.length, 0));
  learn.reduce((place, part) => { images.set(part.images, place); return place + part.images.length; }, 0);
  tiles = await Promise.all(fresh.tiles.map(async ({ picture, centers }) => {
    const { bitmap, width, rgba } = await pixels(picture);
    const bytes = new Uint8Array(3 * width * width);
    for (let i = 0; i < width * width; i++) for (let c = 0; c < 3; c++) bytes[3 * i + c] = rgba[4 * i + c];
    return { picture: bitmap, side: width, pixels: bytes, centers };
  }));
  return { images, labels: learn.flatMap(part => part.labels), sites: learn.flatMap(part => part.sites), fresh: fresh.images, freshLabels: fresh.labels };
}

async function pixels(source) {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.width, image.height];
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  return { bitmap: canvas, width: image.width, rgba: pen.getImageData(0, 0, image.width, image.height).data };
}

function cutSheet({ width, rgba }, count) {
  const bytes = new Uint8Array(count * SIDE * SIDE * 3), columns = width / SIDE;
  for (let k = 0, i = 0; k < count; k++) {
    for (let y = 0; y < SIDE; y++) {
      let p = 4 * ((Math.floor(k / columns) * SIDE + y) * width + (k % columns) * SIDE);
      for (let x = 0; x < SIDE; x++, p += 4) { bytes[i++] = rgba[p]; bytes[i++] = rgba[p + 1]; bytes[i++] = rgba[p + 2]; }
    }
  }
  return bytes;
}

function train() {
  const value = id => Number(at(id).value);
  run += 1;
  history = { train: [], val: [] };
  last = null;
  shownTile.map = null;
  ['epoch', 'seconds', 'auc', 'fresh'].forEach(id => { at(id).textContent = '–'; });
  delete document.body.dataset.done;
  at('stop').disabled = false;
  document.querySelectorAll('.slide').forEach(button => { button.disabled = true; });
  at('said').textContent = 'Learning …';
  worker.postMessage({ type: 'watch', patch: chosen });
  worker.postMessage({ type: 'start', settings: {
    run, looks: LOOKS, rate: value('rate'), batch: value('batch'), filters: value('filters'), images: value('images'),
    drop: value('drop'), split: at('split').value, overlap: at('overlap').checked, seed: value('seed'),
  } });
  drawAll();
}

function preset(button) {
  const [change, words] = PRESETS[button.dataset.preset];
  for (const [id, value] of Object.entries({ ...PLAIN, ...change })) {
    if (id === 'overlap') at(id).checked = value; else at(id).value = value;
  }
  document.querySelectorAll('[data-preset]').forEach(one => one.setAttribute('aria-pressed', one === button));
  say(words);
  train();
}

function say(words) { at('watch').textContent = words; at('watch').hidden = !words; }

function hear(message) {
  if (message.type === 'tile') return hearTile(message);
  if (message.type === 'inside') { if (last) last.inside = message.inside; return drawInside(message.inside); }
  at('epoch').textContent = message.epoch.toFixed(message.epoch < 10 ? 1 : 0);
  at('seconds').textContent = message.seconds.toFixed(0);
  if (message.loss !== null) history.train.push([message.epoch, message.loss]);
  if (message.type === 'look') {
    last = message;
    history.val.push([message.epoch, message.valLoss]);
    at('auc').textContent = message.auc.toFixed(3);
    at('fresh').textContent = message.freshAuc.toFixed(3);
    drawCurves();
    drawMistakes();
    if (message.done) end(`Done: ${message.parameters.toLocaleString('en')} weights learned from ${message.sizes[0].toLocaleString('en')} images.`);
  }
  if (message.type === 'look' || !CALM) { drawLoss(); drawInside(message.inside); }
}

function end(words) {
  at('said').textContent = `${words} Now put it on a tile, or turn a knob and start again.`;
  at('stop').disabled = true;
  document.querySelectorAll('.slide').forEach(button => { button.disabled = !last; });
  document.body.dataset.done = String(run);
}

function drawAll() { drawLoss(); drawCurves(); drawMistakes(); drawTile(); if (last) drawInside(last.inside); }

function drawLoss() {
  const { blue, vermilion } = Draw.COLOURS, { train: learned, val } = history;
  const all = [...learned, ...val], highest = Math.max(0.8, ...all.map(point => point[1]));
  Draw.plot(at('loss'), {
    lines: [{ points: learned, colour: blue }, { points: val, colour: vermilion, dashed: true }],
    right: Math.max(1, ...all.map(point => point[0])), top: Math.min(4, highest), x: 'epochs', y: 'loss',
  });
}

function drawCurves() {
  const threshold = Number(at('threshold').value);
  at('threshold-value').textContent = threshold.toFixed(2);
  const { scores = [], labels = [] } = last ?? {};
  const points = NN.ranking(scores, labels), positive = labels.reduce((a, b) => a + b, 0), negative = labels.length - positive;
  const alarms = scores.filter(score => score >= threshold).length;
  const hits = scores.filter((score, i) => labels[i] && score >= threshold).length;
  const roc = points.map(([, right, all]) => [(all - right) / negative, right / positive]);
  const pr = points.map(([, right, all]) => [right / positive, right / all]);
  const { blue } = Draw.COLOURS;
  Draw.plot(at('roc'), { lines: [{ points: roc.length ? [[0, 0], ...roc] : [], colour: blue }], dot: last && [(alarms - hits) / negative, hits / positive], x: 'false alarm rate', y: 'recall' });
  Draw.plot(at('pr'), { lines: [{ points: pr, colour: blue }], dot: last && alarms && [hits / positive, hits / alarms], x: 'recall', y: 'precision' });
  at('rates').textContent = last ? `Of ${positive} aircraft ${hits} are found, with ${alarms - hits} false alarms among ${negative} patches of background.` : 'The curves come with the first look at validation.';
}

function drawInside({ filters, maps, score }) {
  const room = canvas => canvas.parentElement.clientWidth - 32;
  Draw.kernels(at('kernels'), filters, room(at('kernels')), 250);
  Draw.maps(at('maps'), maps, room(at('maps')), document.documentElement.classList.contains('framed') ? 250 : 330);
  at('score').textContent = score.toFixed(2);
}

// The validation patches whose scores are farthest from the truth.
function drawMistakes() {
  const list = at('mistakes');
  if (!last) { list.innerHTML = '<li>They come with the first look at validation.</li>'; return; }
  const wrong = last.scores.map((score, i) => ({ score, label: last.labels[i], patch: last.patches[i], far: Math.abs(score - last.labels[i]) }))
    .filter(one => one.far > 0.5).sort((a, b) => b.far - a.far).slice(0, 6);
  list.replaceChildren(...wrong.map(({ score, label, patch }) => {
    const item = document.createElement('li'), truth = label ? 'aircraft' : 'background';
    item.append(Draw.patch(data.images, patch, 104, `A patch of ${truth} with the score ${score.toFixed(2)}`), `${truth}`, document.createElement('br'), score.toFixed(2));
    return item;
  }));
}

function makeChoice() {
  const some = [...data.labels.keys()].filter(k => data.labels[k]).slice(0, 5).concat(data.labels.indexOf(0));
  chosen = some[0];
  const buttons = some.map((patch, i) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(Draw.patch(data.images, patch, 56, data.labels[patch] ? `Aircraft ${i + 1}` : 'Background'));
    button.setAttribute('aria-pressed', i === 0);
    button.addEventListener('click', () => {
      chosen = patch;
      buttons.forEach(one => one.setAttribute('aria-pressed', one === button));
      worker.postMessage({ type: 'watch', patch });
    });
    return button;
  });
  at('choice').append(...buttons);
}

// In the deck one view shows at a time.
function makeTabs() {
  const views = [...document.querySelectorAll('[data-tab]')];
  at('tabs').append(...views.map((view, i) => {
    const button = document.createElement('button');
    button.textContent = view.dataset.tab;
    button.setAttribute('aria-pressed', i === 0);
    button.addEventListener('click', () => {
      views.forEach(one => one.classList.toggle('chosen', one === view));
      [...at('tabs').children].forEach(one => one.setAttribute('aria-pressed', one === button));
      drawAll();
    });
    return button;
  }));
}

function slide(number) {
  shownTile = { ...tiles[number], map: null };
  delete document.body.dataset.tile;
  at('truth').textContent = 'The window walks …';
  at('count').textContent = '–';
  worker.postMessage({ type: 'tile', pixels: shownTile.pixels, side: shownTile.side, stride: 4 });
}

function hearTile(message) {
  shownTile.map = message;
  if (message.done || !CALM) drawTile();
  if (message.done) document.body.dataset.tile = '1';
}

function drawTile() {
  const threshold = Number(at('strict').value), { map, centers } = shownTile;
  at('strict-value').textContent = threshold.toFixed(3);
  const found = map?.done ? Draw.peaks(map, threshold) : [], matched = Draw.match(found, centers);
  Draw.tile(at('tile'), { ...shownTile, found, matched });
  if (!map?.done) return;
  const hits = matched.hits.filter(Boolean).length;
  at('count').textContent = found.length;
  at('truth').textContent = `${centers.length} aircraft are there: ${hits} hit, ${matched.missed.length} missed, ${found.length - hits} false alarms. Can a threshold mend it?`;
}

start().catch(error => {
  document.querySelector('main').hidden = false;
  at('said').textContent = `The page could not begin: ${error.message}`;
}).finally(() => { document.body.dataset.ready = '1'; });
