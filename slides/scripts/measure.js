// Run in the page by walk.py: what is wrong with the slide that is shown, as a list of "kind: detail".
// Sizes are in pixels of the slide (1280x720), whatever the window.
async () => {
  const slide = Reveal.getCurrentSlide();
  const scale = Reveal.getScale();
  const origin = document.querySelector('.reveal .slides').getBoundingClientRect();
  const config = Reveal.getConfig();
  const found = new Set();
  const short = text => JSON.stringify(text.replace(/\s+/g, ' ').trim().slice(0, 50));

  const SKIP = 'aside.notes, aside.notes *, script, style, .katex-mathml, .katex-mathml *, svg *, pre code *';
  const shown = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const name = element => {
    const kind = element.className && typeof element.className === 'string' ? '.' + element.className.split(/\s+/)[0] : '';
    return `${element.tagName.toLowerCase()}${kind} ${short(element.alt || element.textContent)}`;
  };
  const place = rect => ({
    left: (rect.left - origin.left) / scale, right: (rect.right - origin.left) / scale,
    top: (rect.top - origin.top) / scale, bottom: (rect.bottom - origin.top) / scale,
  });
  const outside = r => r.left < -1 || r.top < -1 || r.right > config.width + 1 || r.bottom > config.height + 1;

  function texts(root) { // [text node, its element, its rectangles]
    const rows = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const parent = node.parentElement;
      if (!node.textContent.trim() || parent.matches(SKIP) || !shown(parent)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      rows.push([node, parent, [...range.getClientRects()].filter(r => r.width > 1 && r.height > 1)]);
    }
    return rows;
  }

  // Outside the slide, or clipped by a box that scrolls.
  const elements = [...slide.querySelectorAll('*')].filter(e => !e.matches(SKIP) && shown(e));
  for (const element of elements) {
    const rect = element.getBoundingClientRect();
    const inner = element.closest('.katex') && !element.matches('.katex-html > .base');
    if (!inner && rect.width > 0 && rect.height > 0 && outside(place(rect))) {
      const p = place(rect);
      const numbers = [p.left, p.top, p.right, p.bottom].map(Math.round).join(', ');
      found.add(`overflow: ${name(element)} reaches [${numbers}]`);
    }
    const style = getComputedStyle(element);
    const hides = axis => style[`overflow${axis}`] !== 'visible' && style.display !== 'inline';
    if ((hides('X') && element.scrollWidth > element.clientWidth + 1) ||
        (hides('Y') && element.scrollHeight > element.clientHeight + 1)) {
      found.add(`clipped: ${name(element)} holds ${element.scrollWidth} x ${element.scrollHeight} ` +
        `in ${element.clientWidth} x ${element.clientHeight}`);
    }
  }

  // Text: outside, covered, too small, or Markdown and TeX that were not read.
  for (const [node, parent, rects] of texts(slide)) {
    const formula = parent.closest('.katex');
    if (!formula && rects.some(r => outside(place(r)))) found.add(`overflow: text ${short(node.textContent)}`);
    for (const r of rects) {
      const top = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
      const mine = top === null || top.contains(parent) || parent.contains(top) || (formula && formula.contains(top));
      if (!mine && !parent.closest('pre')) found.add(`covered: text ${short(node.textContent)} by ${name(top)}`);
    }
    const size = parseFloat(getComputedStyle(formula ?? parent).fontSize);
    if (size < 24 && !parent.closest('sup, sub')) found.add(`small text: ${short(node.textContent)} has ${size} px`);
    if (!formula && !parent.closest('code') && /\*\*|\]\(|\$[^$]+\$|^#+ /.test(node.textContent)) {
      found.add(`raw Markdown: ${short(node.textContent)}`);
    }
  }
  for (const code of slide.querySelectorAll('pre > code:not(.fragment)')) {
    if (parseFloat(getComputedStyle(code).fontSize) < 24) found.add(`small text: listing ${short(code.textContent)}`);
    const lines = code.querySelectorAll('tr').length || code.textContent.trimEnd().split('\n').length;
    if (lines > 12) found.add(`length: a listing of ${lines} lines`);
  }

  // Title and length.
  const title = slide.querySelector('h1, h2');
  if (!title) found.add('title: none');
  else {
    const style = getComputedStyle(title);
    const lines = new Set(texts(title).flatMap(([, , rects]) => rects.map(r => Math.round(r.bottom / 12)))).size;
    const height = parseFloat(style.lineHeight) * 2.2;
    if (lines > 2 && title.offsetHeight > height) found.add(`title: ${lines} lines`);
  }
  const items = slide.querySelectorAll('li').length;
  if (items > 5) found.add(`length: ${items} lines in lists`);

  // Formulas.
  for (const wrong of slide.querySelectorAll('.katex-error')) found.add(`formula: ${short(wrong.textContent)}`);
  const loaded = [...document.fonts].some(f => f.family.includes('KaTeX') && f.status === 'loaded');
  if (slide.querySelector('.katex') && !loaded) found.add('formula: no KaTeX font');

  // Images.
  for (const image of slide.querySelectorAll('img')) {
    const source = image.getAttribute('src') ?? image.dataset.src;
    if (!image.complete || image.naturalWidth === 0) found.add(`image: ${source} was not loaded`);
    if (!(image.alt ?? '').trim()) found.add(`image: ${source} has no alt text`);
    if (shown(image) && image.naturalWidth > 0 && !image.matches('.icon')) {
      const room = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
      const [w, h] = [image.naturalWidth * room, image.naturalHeight * room].map(Math.round);
      if (w < 150 && h < 150) found.add(`image: ${source} is shown at ${w} x ${h} only`);
    }
  }

  // Widgets.
  for (const frame of slide.querySelectorAll('iframe')) {
    const source = frame.getAttribute('src') ?? frame.dataset.src;
    if (!(frame.title ?? '').trim()) found.add(`iframe: ${source} has no title`);
    const inside = frame.contentDocument;
    if (!inside?.body?.dataset.ready) { found.add(`iframe: ${source} is not ready`); continue; }
    const page = inside.documentElement;
    if (page.scrollHeight > page.clientHeight + 1 || page.scrollWidth > page.clientWidth + 1) {
      found.add(`iframe: ${source} scrolls, ${page.scrollWidth} x ${page.scrollHeight} ` +
        `in ${page.clientWidth} x ${page.clientHeight}`);
    }
  }
  return [...found];
}
