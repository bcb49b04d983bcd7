// From a score map to aircraft: the steps of src/aircraft/detection/peaks.py, with the same numbers.
// A map is {scores: Float32Array, rows, columns, stride}; scores[i * columns + j] is at x = stride * j, y = stride * i.

export function smoothScores({ scores, rows, columns, stride }, smooth) {
  const sigma = smooth / stride;
  const radius = Math.floor(4 * sigma + 0.5);
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, k) => Math.exp(-0.5 * ((k - radius) / sigma) ** 2));
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  const along = (source, length, index) => {
    const target = new Float32Array(source.length);
    for (let a = 0; a < source.length / length; a++) {
      for (let b = 0; b < length; b++) {
        let sum = 0;
        kernel.forEach((weight, k) => {
          sum += weight / total * source[index(a, Math.min(length - 1, Math.max(0, b + k - radius)))];
        });
        target[index(a, b)] = sum;
      }
    }
    return target;
  };
  const down = along(scores, rows, (j, i) => i * columns + j);
  return along(down, columns, (i, j) => i * columns + j);
}

export function peaks(map, threshold, { min_distance: minDistance, smooth }) {
  const { rows, columns, stride } = map;
  const smoothed = smoothScores(map, smooth);
  const highest = (i, j) => {
    for (let a = Math.max(0, i - 1); a <= Math.min(rows - 1, i + 1); a++) {
      for (let b = Math.max(0, j - 1); b <= Math.min(columns - 1, j + 1); b++) {
        if (smoothed[a * columns + b] > smoothed[i * columns + j]) return false;
      }
    }
    return true;
  };
  const found = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const score = smoothed[i * columns + j];
      if (score >= threshold && highest(i, j)) found.push({ x: stride * j, y: stride * i, score });
    }
  }
  found.sort((a, b) => b.score - a.score); // stable: ties in reading order
  const kept = [];
  for (const one of found) {
    if (kept.every(other => Math.hypot(one.x - other.x, one.y - other.y) > minDistance)) kept.push(one);
  }
  return kept.map(one => refine(map, one));
}

// The mean of the positions within `radius` pixels, weighted by their scores: finer than the stride.
function refine({ scores, rows, columns, stride }, { x, y, score }, radius = 16) {
  const reach = Math.floor(radius / stride);
  let [mass, dx, dy] = [0, 0, 0];
  for (let a = -reach; a <= reach; a++) {
    for (let b = -reach; b <= reach; b++) {
      const [i, j] = [y / stride + a, x / stride + b];
      if (a * a + b * b > reach * reach || i < 0 || j < 0 || i >= rows || j >= columns) continue;
      const weight = scores[i * columns + j];
      [mass, dx, dy] = [mass + weight, dx + weight * b, dy + weight * a];
    }
  }
  return { x: x + stride * dx / mass, y: y + stride * dy / mass, score };
}
