// A threshold over the scores of two classes: confusion matrix, ROC and precision-recall follow.
const at = id => document.getElementById(id);
const BINS = 25;
let data; // {aircraft, background, rare}

function chosen() {
  const rare = document.querySelector('input[name=ratio]:checked').value === 'rare';
  return {
    aircraft: data.aircraft,
    background: rare ? data.background : data.background.filter((_, i) => i % data.rare === 0),
  };
}

// An alarm is a score of at least the threshold, as in aircraft.metrics.confusion.
function confusion({ aircraft, background }, threshold) {
  const alarms = scores => scores.reduce((sum, score) => sum + (score >= threshold), 0);
  const [tp, fp] = [alarms(aircraft), alarms(background)];
  return { tp, fp, fn: aircraft.length - tp, tn: background.length - fp };
}

function rates({ tp, fp, fn, tn }) {
  return {
    recall: tp / (tp + fn), fpr: fp / (fp + tn), precision: tp / (tp + fp),
    f1: 2 * tp / (2 * tp + fp + fn), accuracy: (tp + tn) / (tp + fp + fn + tn),
  };
}

// One point a score that occurs: [false alarm rate, recall, precision], from strict to lenient.
function curve({ aircraft, background }) {
  const all = [...aircraft.map(s => [s, 1]), ...background.map(s => [s, 0])].sort((a, b) => b[0] - a[0]);
  const points = [];
  let [tp, fp] = [0, 0];
  all.forEach(([score, truth], i) => {
    if (truth) tp += 1; else fp += 1;
    if (i + 1 === all.length || all[i + 1][0] !== score) {
      points.push([fp / background.length, tp / aircraft.length, tp / (tp + fp)]);
    }
  });
  return points;
}

function counts(scores) {
  const bins = new Array(BINS).fill(0);
  scores.forEach(score => { bins[Math.min(BINS - 1, Math.floor(score * BINS))] += 1; });
  return bins;
}

function draw() {
  const set = chosen();
  const threshold = Number(at('threshold').value);
  const matrix = confusion(set, threshold);
  const found = rates(matrix);
  at('threshold-value').textContent = threshold.toFixed(2);
  Object.entries(matrix).forEach(([name, count]) => { at(name).textContent = count.toLocaleString('en'); });
  Object.entries(found).forEach(([name, rate]) => { at(name).textContent = Number.isNaN(rate) ? '–' : rate.toFixed(3); });
  histogram(set, threshold);
  const points = curve(set);
  plot('roc', 'ROC', 'false alarm rate', 'recall', [[0, 0], ...points.map(p => [p[0], p[1]])], [found.fpr, found.recall],
    [[0, 0], [1, 1]]);
  const share = set.aircraft.length / (set.aircraft.length + set.background.length);
  // Steps, as in the lessons: precision holds until the next recall.
  const steps = points.flatMap((p, i) => [[p[1], i ? points[i - 1][2] : p[2]], [p[1], p[2]]]);
  plot('pr', 'Precision-recall', 'recall', 'precision', [[0, points[0][2]], ...steps], [found.recall, found.precision],
    [[0, share], [1, share]]);
}

function histogram(set, threshold) {
  const box = { left: 10, width: 600, middle: 130, height: 98 };
  const x = score => box.left + score * box.width;
  const [above, below] = [counts(set.aircraft), counts(set.background)];
  const most = Math.max(...above, ...below);
  const tall = n => box.height * Math.sqrt(n / most); // a root, so that rare aircraft can still be seen
  const width = box.width / BINS - 2;
  const bar = (n, i, y, colour) =>
    `<rect fill="var(--${colour})" x="${x(i / BINS) + 1}" y="${y}" width="${width}" height="${tall(n)}"/>`;
  let picture = above.map((n, i) => bar(n, i, box.middle - tall(n), 'orange')).join('') +
    below.map((n, i) => bar(n, i, box.middle, 'blue')).join('') +
    `<line class="axis" x1="${x(0)}" x2="${x(1)}" y1="${box.middle}" y2="${box.middle}"/>` +
    `<line class="cut" x1="${x(threshold)}" x2="${x(threshold)}" y1="26" y2="232"/>`;
  [0, 0.25, 0.5, 0.75, 1].forEach(s => {
    picture += `<text x="${x(s)}" y="250" text-anchor="${s === 0 ? 'start' : s === 1 ? 'end' : 'middle'}">${s}</text>`;
  });
  picture += `<text class="name" x="${x(0)}" y="20">aircraft: ${set.aircraft.length.toLocaleString('en')} patches</text>` +
    `<text class="name" x="${x(1)}" y="228" text-anchor="end">background: ${set.background.length.toLocaleString('en')} patches</text>` +
    `<text x="${x(0)}" y="274">score (heights: square root of the number of patches)</text>`;
  at('histogram').innerHTML = picture;
}

function plot(id, title, across, up, line, point, chance) {
  const box = { left: 46, right: 296, top: 34, bottom: 246 };
  const x = v => box.left + v * (box.right - box.left);
  const y = v => box.bottom - v * (box.bottom - box.top);
  const path = points => points.map(([a, b], i) => `${i ? 'L' : 'M'}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join('');
  let picture = `<text x="${box.left}" y="22" font-weight="600">${title}</text>`;
  [0, 0.5, 1].forEach(v => {
    picture += `<line class="grid" x1="${x(v)}" x2="${x(v)}" y1="${y(0)}" y2="${y(1)}"/>` +
      `<line class="grid" x1="${x(0)}" x2="${x(1)}" y1="${y(v)}" y2="${y(v)}"/>` +
      `<text x="${x(v)}" y="268" text-anchor="${v === 1 ? 'end' : 'middle'}">${v}</text>` +
      `<text x="${box.left - 8}" y="${y(v) + 7}" text-anchor="end">${v}</text>`;
  });
  picture += `<text x="${(box.left + box.right) / 2}" y="292" text-anchor="middle">${across}</text>` +
    `<text transform="translate(24 ${(box.top + box.bottom) / 2 - 53}) rotate(-90)" text-anchor="middle">${up}</text>` +
    `<line class="axis" x1="${x(0)}" x2="${x(1)}" y1="${y(0)}" y2="${y(0)}"/><line class="axis" x1="${x(0)}" x2="${x(0)}" y1="${y(0)}" y2="${y(1)}"/>` +
    `<path class="chance" d="${path(chance)}"/><path class="curve" d="${path(line)}"/>`;
  if (!point.some(Number.isNaN)) {
    picture += `<circle class="point" cx="${x(point[0])}" cy="${y(point[1])}" r="11" data-x="${point[0]}" data-y="${point[1]}"/>`;
  }
  at(id).innerHTML = picture;
}

function still() { // opened from a disk, a page may not read its data
  const image = document.querySelector('noscript').textContent;
  document.querySelector('main').outerHTML = image;
}

fetch('../data/scores.json').then(answer => answer.json()).then(read => {
  data = read;
  document.querySelector('main').hidden = false;
  at('threshold').addEventListener('input', draw);
  document.querySelectorAll('input[name=ratio]').forEach(input => input.addEventListener('change', draw));
  draw();
}).catch(still).finally(() => { document.body.dataset.ready = '1'; });
