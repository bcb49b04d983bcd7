// What trains beside the page: cuts the data into parts, learns in short bursts, and tells how it goes.
// A function, so that the page can make a worker of its text and of makeNN's.
function trainWorker() {
  const { NN } = globalThis;
  const SIDE = 32, LENGTH = SIDE * SIDE * 3;
  const BURST = 60; // milliseconds of learning before the worker looks for messages
  const LOOK = 1000; // examples to learn from before the next look at validation, at least
  const SHIFTS = [[0, 0], [1, 0], [0, 1], [1, 1]];
  const input = new Float32Array(LENGTH);
  let data, net, settings, watched = 0, turn = 0;

  // A patch as numbers from -1 to 1; an overlapping window is the same patch, moved by a pixel.
  function read({ from, k, dx, dy }) {
    const base = k * LENGTH;
    if (!dx && !dy) {
      for (let i = 0; i < LENGTH; i++) input[i] = from[base + i] / 127.5 - 1;
      return input;
    }
    for (let y = 0, i = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        let p = base + 3 * (Math.min(SIDE - 1, y + dy) * SIDE + Math.min(SIDE - 1, x + dx));
        for (let c = 0; c < 3; c++) input[i++] = from[p++] / 127.5 - 1;
      }
    }
    return input;
  }

  // The parts: a fifth of the places, or of the windows, is for validation.
  function cut({ images, split, overlap, seed }) {
    const random = NN.seeded(seed + 100);
    const windows = k => (overlap ? SHIFTS : SHIFTS.slice(0, 1)).map(([dx, dy]) =>
      ({ from: data.images, k, dx, dy, label: data.labels[k], site: data.sites[k] }));
    let order = NN.shuffle([...data.labels.keys()], random);
    if (overlap) order = order.slice(0, Math.ceil(images / SHIFTS.length * 1.25));
    let pool = order.flatMap(windows);
    let learn, val;
    if (split === 'place') {
      const sites = NN.shuffle([...new Set(pool.map(one => one.site))], random);
      const held = new Set(sites.slice(0, Math.round(sites.length / 5)));
      val = pool.filter(one => held.has(one.site));
      learn = pool.filter(one => !held.has(one.site));
    } else {
      pool = NN.shuffle(pool, random);
      const count = Math.round(pool.length / 5);
      val = pool.slice(0, count);
      learn = pool.slice(count);
    }
    learn = images < 100 ? balanced(learn, images) : learn.slice(0, images);
    const fresh = [...data.freshLabels.keys()].map(k => ({ from: data.fresh, k, dx: 0, dy: 0, label: data.freshLabels[k] }));
    return { learn, val, fresh, random };
  }

  // A handful of images has both classes.
  function balanced(pool, count) {
    return [0, 1].flatMap(label => pool.filter(one => one.label === label).slice(0, count / 2));
  }

  function judge(list) {
    const logits = list.map(one => net.logit(read(one)));
    const labels = list.map(one => one.label);
    const loss = logits.reduce((sum, z, i) => sum + NN.bce(z, labels[i]), 0) / list.length;
    return { loss, scores: logits.map(NN.sigmoid), labels, auc: NN.auc(logits, labels) };
  }

  // Filters of the first block, and what each block makes of the chosen patch.
  function inside() {
    const score = net.score(read({ from: data.images, k: watched, dx: 0, dy: 0 }));
    const blocks = net.layers.filter(layer => layer.kind === 'conv');
    return {
      score,
      filters: Float32Array.from(blocks[0].parameters[0].value),
      maps: blocks.map(({ rows, filters, out }) => ({ side: rows, count: filters, values: Float32Array.from(out) })),
    };
  }

  function start(mine) {
    const parts = cut(settings);
    net = NN.imageNetwork({ filters: settings.filters, drop: settings.drop, seed: settings.seed });
    let epoch = 0, at = 0, learned = 0, sum = 0, spent = 0, looks = 0, told = 0, since = 0;
    const say = (type, more) => postMessage({ type, run: settings.run, epoch: epoch + at / parts.learn.length, seconds: spent / 1000, ...more });
    const look = () => {
      const begin = performance.now();
      const val = judge(parts.val), fresh = judge(parts.fresh);
      spent += performance.now() - begin;
      say('look', {
        loss: learned ? sum / learned : null, valLoss: val.loss, auc: val.auc, freshAuc: fresh.auc,
        scores: val.scores, labels: val.labels, patches: parts.val.map(one => one.k), inside: inside(),
        sizes: [parts.learn.length, parts.val.length], parameters: net.size, done: looks === settings.looks,
      });
      [sum, learned] = [0, 0];
    };
    const burst = () => {
      if (mine !== turn) return;
      const begin = performance.now();
      while (performance.now() - begin < BURST) {
        if (at === 0) NN.shuffle(parts.learn, parts.random);
        const batch = parts.learn.slice(at, at + settings.batch);
        for (const one of batch) sum += net.learn(read(one), one.label);
        net.step(settings.rate, batch.length);
        learned += batch.length;
        since += batch.length;
        at += batch.length;
        if (at < parts.learn.length) continue;
        [epoch, at] = [epoch + 1, 0];
        if (since < LOOK) continue;
        since = 0;
        looks += 1;
        spent += performance.now() - begin;
        look();
        if (looks < settings.looks) setTimeout(burst);
        return;
      }
      spent += performance.now() - begin;
      if (spent - told > 250) {
        say('step', { inside: inside(), loss: sum / learned });
        [told, sum, learned] = [spent, 0, 0];
      }
      setTimeout(burst);
    };
    look();
    setTimeout(burst);
  }

  // The score of a window at each fourth pixel of a tile, row by row; beyond its edge the tile is its mirror image.
  function slide({ pixels, side, stride }) {
    const mine = ++turn, count = side / stride + 1, scores = new Float32Array(count * count);
    const mirrored = k => (k < 0 ? -k - 1 : k >= side ? 2 * side - 1 - k : k);
    let row = 0;
    const next = () => {
      if (mine !== turn) return;
      for (let column = 0; column < count; column++) {
        for (let y = 0, i = 0; y < SIDE; y++) {
          const line = mirrored(row * stride + y - SIDE / 2) * side;
          for (let x = 0; x < SIDE; x++) {
            let p = 3 * (line + mirrored(column * stride + x - SIDE / 2));
            for (let c = 0; c < 3; c++) input[i++] = pixels[p++] / 127.5 - 1;
          }
        }
        scores[row * count + column] = net.score(input);
      }
      row += 1;
      postMessage({ type: 'tile', run: settings.run, scores: Float32Array.from(scores), row, count, stride, done: row === count });
      if (row < count) setTimeout(next);
    };
    next();
  }

  onmessage = ({ data: message }) => {
    if (message.type === 'data') data = message;
    if (message.type === 'start') { settings = message.settings; start(++turn); }
    if (message.type === 'stop') turn += 1;
    if (message.type === 'tile' && net) slide(message);
    if (message.type === 'watch') {
      watched = message.patch;
      if (net) postMessage({ type: 'inside', run: settings.run, inside: inside() });
    }
  };
}
globalThis.trainWorker = trainWorker;
