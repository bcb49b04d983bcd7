// The trained network in the browser, by onnxruntime's wasm: no picture leaves this computer.
import * as ort from '../vendor/ort/ort.wasm.min.mjs';
import { peaks } from './peaks.js';

ort.env.wasm.wasmPaths = new URL('../vendor/ort/', import.meta.url).href;
ort.env.wasm.numThreads = 1; // plain hosts send no headers that allow more
const LARGEST = 1024; // pixels a side
const BOX = 32; // the centre of the aircraft lies in this square
const BLUE = '#0072b2';
const at = id => document.getElementById(id);
let about, session;
let shown = null; // {bitmap, width, height, map, truth}
let turn = 0; // counts pictures, so that a late answer is not shown for a newer picture

async function start() {
  about = await (await fetch('../data/tiles.json')).json();
  session = await ort.InferenceSession.create('../models/detector.onnx', { executionProviders: ['wasm'] });
  at('threshold').value = about.threshold;
  about.tiles.forEach((tile, i) => {
    const button = document.createElement('button');
    button.innerHTML = `<img src="../data/${tile.file}" alt="Tile ${i + 1}">`;
    button.addEventListener('click', () => open(tile));
    at('tiles').append(button);
  });
  document.querySelector('main').hidden = false;
  at('threshold').addEventListener('input', draw);
  at('map').addEventListener('change', draw);
  at('file').addEventListener('change', () => at('file').files.length && openFile(at('file').files[0]));
  // The whole page takes a drop: a browser would leave the deck to show the picture.
  addEventListener('dragover', event => { event.preventDefault(); at('drop').classList.add('over'); });
  addEventListener('dragleave', () => at('drop').classList.remove('over'));
  addEventListener('drop', event => {
    event.preventDefault();
    at('drop').classList.remove('over');
    if (event.dataTransfer.files.length) openFile(event.dataTransfer.files[0]);
  });
  await open(about.tiles[0]);
}

async function open(tile) {
  const buttons = [...at('tiles').children];
  buttons.forEach((button, i) => button.setAttribute('aria-pressed', about.tiles[i] === tile));
  at('file').value = '';
  await detect(await (await fetch(`../data/${tile.file}`)).blob(), tile.centers);
}

async function openFile(file) {
  [...at('tiles').children].forEach(button => button.setAttribute('aria-pressed', false));
  await detect(file, null);
}

async function detect(blob, truth) {
  const mine = ++turn;
  delete document.body.dataset.done;
  at('said').textContent = 'Looking …';
  try {
    const picture = await read(blob);
    const begin = performance.now();
    const map = await scoreMap(picture.pixels, picture.width, picture.height);
    if (mine !== turn) return;
    shown = { ...picture, map, truth };
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    at('said').textContent = `${picture.cut ? 'Only the middle. ' : ''}${(map.rows * map.columns).toLocaleString('en')} windows, ` +
      `${seconds} s, computed in your browser.`;
    draw();
  } catch (error) {
    if (mine === turn) at('said').textContent = error.message;
  }
  document.body.dataset.done = String(mine);
}

async function read(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none' });
  } catch {
    throw new Error('This file is not a picture that the browser can read; try a JPEG or PNG.');
  }
  const [width, height] = [Math.min(bitmap.width, LARGEST), Math.min(bitmap.height, LARGEST)];
  if (Math.min(width, height) < about.window) throw new Error(`The picture is smaller than ${about.window} × ${about.window} pixels.`);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const [left, top] = [(bitmap.width - width) >> 1, (bitmap.height - height) >> 1];
  context.drawImage(bitmap, -left, -top);
  return { bitmap: canvas, width, height, cut: left > 0 || top > 0, pixels: context.getImageData(0, 0, width, height).data };
}

// The score of every window with its centre at multiples of the stride; the picture goes on as its mirror image.
async function scoreMap(pixels, width, height) {
  const { stride, window: side } = about;
  const half = side / 2;
  const mirrored = (k, size) => (size - 1) - Math.abs((size - 1) - Math.abs(k));
  const [rows, columns] = [Math.floor(height / stride) + 1, Math.floor(width / stride) + 1];
  const [h, w] = [(rows - 1) * stride + side, (columns - 1) * stride + side];
  const image = new Float32Array(3 * h * w);
  for (let y = 0; y < h; y++) {
    const row = mirrored(y - half, height) * width;
    for (let x = 0; x < w; x++) {
      const from = 4 * (row + mirrored(x - half, width));
      for (let c = 0; c < 3; c++) image[(c * h + y) * w + x] = pixels[from + c] / 255;
    }
  }
  const { logits } = await session.run({ image: new ort.Tensor('float32', image, [1, 3, h, w]) });
  return { scores: Float32Array.from(logits.data, z => 1 / (1 + Math.exp(-z))), rows, columns, stride };
}

function draw() {
  const threshold = Number(at('threshold').value);
  at('threshold-value').textContent = threshold.toFixed(2);
  if (!shown) return;
  const { bitmap, width, height, map, truth } = shown;
  const found = peaks(map, threshold, about);
  const zoom = Math.max(1, Math.round(1024 / Math.max(width, height)));
  const canvas = at('picture');
  [canvas.width, canvas.height] = [zoom * width, zoom * height];
  const context = canvas.getContext('2d');
  context.scale(zoom, zoom);
  context.drawImage(bitmap, 0, 0);
  if (at('map').checked) drawMap(context, map);
  for (const [colour, thick] of [['#ffffff', 4], [BLUE, 2]]) { // a white rim: seen on any ground
    context.strokeStyle = colour;
    context.lineWidth = thick * 1.1;
    found.forEach(({ x, y }) => context.strokeRect(x - BOX / 2, y - BOX / 2, BOX, BOX));
  }
  at('count').textContent = found.length;
  at('truth').textContent = truth ? `${truth.length} aircraft are there.` : 'How many do you count?';
  canvas.setAttribute('aria-label', `The picture with ${found.length} aircraft found`);
  window.detector = { ...shown, threshold, found }; // for the tests
}

// Orange where the score is high.
function drawMap(context, { scores, rows, columns, stride }) {
  scores.forEach((score, k) => {
    if (score < 0.02) return;
    context.fillStyle = `rgba(230, 159, 0, ${(0.8 * score).toFixed(3)})`;
    context.fillRect((k % columns) * stride - stride / 2, Math.floor(k / columns) * stride - stride / 2, stride, stride);
  });
}

start().catch(error => {
  document.querySelector('main').hidden = false;
  at('said').textContent = `The network could not be read: ${error.message}`;
}).finally(() => { document.body.dataset.ready = '1'; });
