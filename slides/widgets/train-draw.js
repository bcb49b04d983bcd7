// What the training page draws: curves as SVG whose letters keep their size, filters and maps on canvases.
const Draw = (() => {
  const COLOURS = { blue: '#0072b2', orange: '#e69f00', vermilion: '#d55e00', green: '#009e73', line: '#767676' };
  const SIDE = 32;

  // lines: [{points: [[x, y]], colour, dashed}]; dot: [x, y] or nothing; the axes go from 0 to the largest values.
  function plot(svg, { lines, dot, right = 1, top = 1, x, y }) {
    const width = svg.clientWidth || 600, height = svg.clientHeight || 270;
    const [left, low] = [58, height - 56];
    const px = value => left + value / right * (width - left - 18);
    const py = value => low - Math.min(1, value / top) * (low - 42);
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const ticks = [0, 0.5, 1].map(part => `<line x1="${left}" x2="${width - 18}" y1="${py(part * top)}" y2="${py(part * top)}" stroke="#dfe3e8"/>
      <text x="${left - 8}" y="${py(part * top) + 6}" text-anchor="end">${short(part * top)}</text>
      <text x="${px(part * right)}" y="${low + 22}" text-anchor="${part === 1 ? 'end' : 'middle'}">${short(part * right)}</text>`).join('');
    const paths = lines.filter(line => line.points.length).map(({ points, colour, dashed }) =>
      `<polyline fill="none" stroke="${colour}" stroke-width="4" stroke-linejoin="round" ${dashed ? 'stroke-dasharray="10 7"' : ''}
        points="${points.map(([a, b]) => `${px(a).toFixed(1)},${py(b).toFixed(1)}`).join(' ')}"/>` +
      (points.length === 1 ? `<circle cx="${px(points[0][0])}" cy="${py(points[0][1])}" r="5" fill="${colour}"/>` : '')).join('');
    svg.innerHTML = `${ticks}${paths}<text x="${width - 18}" y="${height - 8}" text-anchor="end">${x}</text>
      <text x="${left - 44}" y="24">${y}</text>` +
      (dot ? `<circle class="point" cx="${px(dot[0])}" cy="${py(dot[1])}" r="9" fill="${COLOURS.vermilion}" stroke="#fff" stroke-width="3"/>` : '');
  }

  const short = value => String(Number(value.toFixed(value < 3 ? 2 : 0)));

  // Each filter as 3 x 3 coloured cells, stretched so that its smallest weight is dark and its largest bright.
  function kernels(canvas, weights, room, height) {
    const size = 27, count = weights.length / size;
    const across = Math.min(4, count), cell = Math.floor(Math.min(height / Math.ceil(count / across) / 3 - 3, (room / across - 8) / 3)), step = 3 * cell + 8;
    canvas.width = across * step;
    canvas.height = Math.ceil(count / across) * step;
    const pen = canvas.getContext('2d');
    for (let f = 0; f < count; f++) {
      const one = weights.subarray(f * size, (f + 1) * size);
      const low = Math.min(...one), range = Math.max(...one) - low || 1;
      for (let k = 0; k < 9; k++) {
        const colour = [0, 1, 2].map(c => Math.round(255 * (one[3 * k + c] - low) / range));
        pen.fillStyle = `rgb(${colour})`;
        pen.fillRect((f % across) * step + (k % 3) * cell, Math.floor(f / across) * step + Math.floor(k / 3) * cell, cell, cell);
      }
    }
  }

  // A row of maps for each block; bright where the filter answers. Rows that are too long for the room are cut.
  function maps(canvas, blocks, room, height = 330) {
    const side = Math.floor(Math.min(78, height / blocks.length - 6));
    canvas.width = Math.floor(Math.min(room, 8 * (side + 6)));
    canvas.height = blocks.length * (side + 6);
    const pen = canvas.getContext('2d');
    pen.imageSmoothingEnabled = false;
    blocks.forEach(({ side: cells, count, values }, row) => {
      const top = values.reduce((a, b) => Math.max(a, b), 1e-6);
      for (let f = 0; f < Math.min(count, Math.floor((canvas.width + 6) / (side + 6))); f++) {
        const picture = new ImageData(cells, cells);
        for (let k = 0; k < cells * cells; k++) {
          const part = Math.sqrt(values[k * count + f] / top);
          picture.data.set([255 * part, 40 + 190 * part, 90 + 60 * part, 255], 4 * k);
        }
        pen.drawImage(bitmap(picture), f * (side + 6), row * (side + 6), side, side);
      }
    });
  }

  function bitmap(picture) {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext('2d').putImageData(picture, 0, 0);
    return canvas;
  }

  // A patch, enlarged, as a canvas with words for those who cannot see it.
  function patch(images, k, size, words) {
    const picture = new ImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) {
      const p = 3 * (k * SIDE * SIDE + i);
      picture.data.set([images[p], images[p + 1], images[p + 2], 255], 4 * i);
    }
    const canvas = bitmap(picture);
    canvas.style.width = canvas.style.height = `${size}px`;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', words);
    return canvas;
  }

  // Highest scores first, each at least 12 pixels from those before it; a hit is within 8 pixels of an aircraft.
  function peaks({ scores, count, stride }, threshold) {
    const found = [];
    [...scores.keys()].filter(k => scores[k] >= threshold).sort((a, b) => scores[b] - scores[a]).forEach(k => {
      const one = { x: (k % count) * stride, y: Math.floor(k / count) * stride };
      if (found.every(other => Math.hypot(one.x - other.x, one.y - other.y) > 12)) found.push(one);
    });
    return found;
  }

  function match(found, centers) {
    const free = new Set(centers.keys());
    const hits = found.map(({ x, y }) => {
      const near = [...free].map(k => [Math.hypot(centers[k][0] - x, centers[k][1] - y), k]).sort((a, b) => a[0] - b[0])[0];
      if (!near || near[0] > 8) return false;
      return free.delete(near[1]);
    });
    return { hits, missed: [...free] };
  }

  // Hit: green box; false alarm: vermilion cross; missed: orange dashed ring: form and colour say the same.
  function tile(canvas, { picture, side, map, found, matched, centers }) {
    const zoom = 3;
    canvas.width = canvas.height = zoom * side;
    const pen = canvas.getContext('2d');
    pen.scale(zoom, zoom);
    pen.drawImage(picture, 0, 0);
    if (!map) return;
    map.scores.slice(0, map.row * map.count).forEach((score, k) => {
      pen.fillStyle = `rgba(230, 159, 0, ${(0.45 * score ** 2).toFixed(2)})`;
      pen.fillRect((k % map.count - 0.5) * map.stride, (Math.floor(k / map.count) - 0.5) * map.stride, map.stride, map.stride);
    });
    if (!map.done) {
      pen.strokeStyle = '#fff';
      pen.lineWidth = 2;
      pen.strokeRect(0.5, map.row * map.stride - SIDE / 2, side - 1, SIDE);
      return;
    }
    const twice = (colour, path) => [['#fff', 3.4], [colour, 1.8]].forEach(([style, width]) => {
      [pen.strokeStyle, pen.lineWidth] = [style, width];
      pen.beginPath(); path(); pen.stroke();
    });
    found.forEach(({ x, y }, i) => (matched.hits[i]
      ? twice(COLOURS.green, () => pen.rect(x - 8, y - 8, 16, 16))
      : twice(COLOURS.vermilion, () => { pen.moveTo(x - 5, y - 5); pen.lineTo(x + 5, y + 5); pen.moveTo(x + 5, y - 5); pen.lineTo(x - 5, y + 5); })));
    pen.setLineDash([4, 3]);
    matched.missed.forEach(k => twice(COLOURS.orange, () => pen.arc(centers[k][0], centers[k][1], 9, 0, 7)));
    pen.setLineDash([]);
  }

  return { COLOURS, plot, kernels, maps, patch, bitmap, peaks, match, tile };
})();
