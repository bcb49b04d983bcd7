// A small neural network in plain JavaScript: layers with their slopes by hand, Adam, and how good the scores are.
// One function, so that its text can travel into a worker: pages that are opened by double click may not load one.
// Images lie as rows, columns, channels; a convolution's weights as filter, row, column, channel.
function makeNN() {
  // A random number generator with a seed (mulberry32): numbers in [0, 1).
  function seeded(seed) {
    let state = (seed * 0x9e3779b1) >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  const normal = random => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

  function shuffle(list, random) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
  }

  // Numbers that Adam moves: their values, their slopes, and Adam's two memories.
  function parameter(length, spread, random) {
    const value = Float32Array.from({ length }, () => (spread ? spread * normal(random) : 0));
    return { value, grad: new Float32Array(length), mean: new Float32Array(length), square: new Float32Array(length) };
  }

  // 3 x 3 convolution with a border of zeros, ReLU and the largest of each 2 x 2 block, all in one pass:
  // the four sums of a block stay in registers, for two filters at a time.
  function convBlock({ height, width, channels, filters, random, first = false }) {
    const [rows, columns] = [height >> 1, width >> 1];
    const line = (width + 2) * channels; // numbers in one row of the padded input
    const span = 3 * channels; // numbers that a window reads in one row
    const size = 3 * span; // and in all
    const weight = parameter(filters * size, Math.sqrt(2 / size), random);
    const bias = parameter(filters, 0, random);
    const padded = new Float32Array((height + 2) * line);
    const slopes = first ? null : new Float32Array(padded.length);
    const out = new Float32Array(rows * columns * filters);
    const from = new Int32Array(out.length); // where the window of the largest sum begins
    const back = first ? null : new Float32Array(height * width * channels);

    function keep(index, f, start, a, b, c, d) {
      let [best, at] = [a, start];
      if (b > best) { best = b; at = start + channels; }
      if (c > best) { best = c; at = start + line; }
      if (d > best) { best = d; at = start + line + channels; }
      best += bias.value[f];
      out[index] = best > 0 ? best : 0;
      from[index] = at;
    }

    function forward(input) {
      const x = padded, w = weight.value;
      for (let i = 0; i < height; i++) {
        x.set(input.subarray(i * width * channels, (i + 1) * width * channels), (i + 1) * line + channels);
      }
      for (let i = 0, index = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++, index += filters) {
          const start = 2 * i * line + 2 * j * channels;
          for (let f = 0; f < filters; f += 2) {
            let a0 = 0, b0 = 0, c0 = 0, d0 = 0, a1 = 0, b1 = 0, c1 = 0, d1 = 0;
            for (let k = 0; k < 3; k++) {
              let p = start + k * line, q = p + line, u = f * size + k * span, v = u + size;
              for (const end = u + span; u < end; u++, v++, p++, q++) {
                const w0 = w[u], w1 = w[v], a = x[p], b = x[p + channels], c = x[q], d = x[q + channels];
                a0 += w0 * a; b0 += w0 * b; c0 += w0 * c; d0 += w0 * d;
                a1 += w1 * a; b1 += w1 * b; c1 += w1 * c; d1 += w1 * d;
              }
            }
            keep(index + f, f, start, a0, b0, c0, d0);
            keep(index + f + 1, f + 1, start, a1, b1, c1, d1);
          }
        }
      }
      return out;
    }

    // Only the largest sum of a block was heard, and only if it was above 0: most slopes need no work.
    function backward(slope) {
      const x = padded, w = weight.value, dw = weight.grad;
      slopes?.fill(0);
      for (let index = 0; index < out.length; index++) {
        const g = slope[index];
        if (out[index] <= 0 || g === 0) continue;
        const f = index % filters;
        bias.grad[f] += g;
        for (let k = 0; k < 3; k++) {
          let p = from[index] + k * line, u = f * size + k * span;
          const end = u + span;
          if (first) for (; u < end; u++, p++) dw[u] += g * x[p];
          else for (; u < end; u++, p++) { dw[u] += g * x[p]; slopes[p] += g * w[u]; }
        }
      }
      if (first) return null;
      const length = width * channels;
      for (let i = 0; i < height; i++) {
        const begin = (i + 1) * line + channels;
        back.set(slopes.subarray(begin, begin + length), i * length);
      }
      return back;
    }

    return { kind: 'conv', rows, columns, channels, filters, out, parameters: [weight, bias], forward, backward };
  }

  // An activation and its slope, the slope written with the activation's own value y.
  const ACTIVATIONS = {
    linear: [z => z, () => 1],
    relu: [z => (z > 0 ? z : 0), y => (y > 0 ? 1 : 0)],
    tanh: [Math.tanh, y => 1 - y * y],
    sigmoid: [z => 1 / (1 + Math.exp(-z)), y => y * (1 - y)],
  };

  function dense({ inputs, units, activation = 'linear', random }) {
    const [act, slopeOf] = ACTIVATIONS[activation];
    const weight = parameter(units * inputs, Math.sqrt((activation === 'relu' ? 2 : 1) / inputs), random);
    const bias = parameter(units, 0, random);
    const out = new Float32Array(units), back = new Float32Array(inputs);
    let seen;

    function forward(input) {
      seen = input;
      const w = weight.value;
      for (let j = 0, u = 0; j < units; j++) {
        let sum = bias.value[j];
        for (let i = 0; i < inputs; i++, u++) sum += w[u] * input[i];
        out[j] = act(sum);
      }
      return out;
    }

    function backward(slope) {
      const w = weight.value, dw = weight.grad;
      back.fill(0);
      for (let j = 0, u = 0; j < units; j++) {
        const g = slope[j] * slopeOf(out[j]);
        bias.grad[j] += g;
        for (let i = 0; i < inputs; i++, u++) { dw[u] += g * seen[i]; back[i] += g * w[u]; }
      }
      return back;
    }

    return { kind: 'dense', units, inputs, out, parameters: [weight, bias], forward, backward };
  }

  // In training each number is left out with probability `share`, and the others grow to make up for it.
  function dropout({ share, random }) {
    let mask = null, out;
    return {
      kind: 'dropout', parameters: [],
      forward(input, training) {
        mask = training ? Float32Array.from(input, () => (random() < share ? 0 : 1 / (1 - share))) : null;
        out = mask ? input.map((value, i) => value * mask[i]) : input;
        return out;
      },
      backward: slope => (mask ? slope.map((value, i) => value * mask[i]) : slope),
    };
  }

  // The loss of a logit z for a label of 0 or 1; it stays finite however large z is.
  const bce = (z, label) => Math.max(z, 0) - z * label + Math.log1p(Math.exp(-Math.abs(z)));
  const sigmoid = z => 1 / (1 + Math.exp(-z));

  // A network with one logit at its end. `learn` adds the slopes of one example, `step` makes one step of Adam.
  function network(layers) {
    const parameters = layers.flatMap(layer => layer.parameters);
    let steps = 0;

    function logit(input, training = false) {
      let x = input;
      for (const layer of layers) x = layer.forward(x, training);
      return x[0];
    }

    function learn(input, label) {
      const z = logit(input, true);
      let slope = Float32Array.of(sigmoid(z) - label);
      for (let i = layers.length - 1; i >= 0; i--) slope = layers[i].backward(slope);
      return bce(z, label);
    }

    function step(rate, batch) {
      steps += 1;
      const fix1 = 1 - 0.9 ** steps, fix2 = 1 - 0.999 ** steps;
      for (const { value, grad, mean, square } of parameters) {
        for (let i = 0; i < value.length; i++) {
          const g = grad[i] / batch;
          mean[i] += 0.1 * (g - mean[i]);
          square[i] += 0.001 * (g * g - square[i]);
          value[i] -= rate * (mean[i] / fix1) / (Math.sqrt(square[i] / fix2) + 1e-8);
        }
        grad.fill(0);
      }
    }

    const size = parameters.reduce((sum, one) => sum + one.value.length, 0);
    return { layers, parameters, size, logit, learn, step, score: input => sigmoid(logit(input)) };
  }

  // Three blocks and one neuron: from a picture to the score that an aircraft is in its middle.
  function imageNetwork({ side = 32, filters = 8, drop = 0, seed = 0 }) {
    const random = seeded(seed + 1);
    const plan = [[3, filters], [filters, 2 * filters], [2 * filters, 2 * filters]];
    const layers = plan.map(([channels, count], i) => convBlock({
      height: side >> i, width: side >> i, channels, filters: count, random, first: i === 0,
    }));
    if (drop > 0) layers.push(dropout({ share: drop, random }));
    layers.push(dense({ inputs: (side >> 3) ** 2 * 2 * filters, units: 1, random }));
    return network(layers);
  }

  // Points of the plane: `depth` layers of `width` neurons each, and one neuron that decides.
  function pointNetwork({ depth, width, activation, seed = 0 }) {
    const random = seeded(seed + 1);
    const sizes = [2, ...new Array(depth).fill(width)];
    const layers = sizes.slice(1).map((units, i) => dense({ inputs: sizes[i], units, activation, random }));
    return network([...layers, dense({ inputs: sizes[depth], units: 1, random })]);
  }

  // From strict to lenient, one point for each score that occurs: threshold, alarms that are right, alarms in all.
  function ranking(scores, labels) {
    const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
    const points = [];
    let hits = 0;
    order.forEach((k, i) => {
      hits += labels[k];
      if (i + 1 === order.length || scores[order[i + 1]] !== scores[k]) points.push([scores[k], hits, i + 1]);
    });
    return points;
  }

  // The area under the ROC curve: how often a pair of both classes is in the right order.
  function auc(scores, labels) {
    const points = ranking(scores, labels);
    if (!points.length) return NaN;
    const [, positive, all] = points[points.length - 1];
    let [area, before, wrong] = [0, 0, 0];
    for (const [, hits, alarms] of points) {
      area += (alarms - hits - wrong) * (hits + before) / 2;
      [before, wrong] = [hits, alarms - hits];
    }
    return area / (positive * (all - positive));
  }

  return { seeded, normal, shuffle, convBlock, dense, dropout, bce, sigmoid, network, imageNetwork, pointNetwork, ranking, auc };
}

globalThis.NN = makeNN();
