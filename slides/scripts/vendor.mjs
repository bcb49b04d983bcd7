// Copies what the pages load from node_modules to vendor/: formulas' style, fonts, onnxruntime. Run by npm before a build.
import fs from 'node:fs';
import path from 'node:path';

const FONTS = {
  'source-sans-3': ['400', '400-italic', '600', '600-italic'],
  'source-code-pro': ['400', '600'],
};
const SUBSETS = ['latin', 'latin-ext', 'greek'];
const ORT = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

fs.rmSync('vendor', { recursive: true, force: true });
katex();
fonts();
ORT.forEach(name => copy(`node_modules/onnxruntime-web/dist/${name}`, `vendor/ort/${name}`));

function katex() {
  const from = 'node_modules/katex/dist';
  copy(`${from}/katex.min.css`, 'vendor/katex/katex.min.css');
  fs.readdirSync(`${from}/fonts`).filter(n => n.endsWith('.woff2'))
    .forEach(n => copy(`${from}/fonts/${n}`, `vendor/katex/fonts/${n}`));
  copy('node_modules/katex/LICENSE', 'vendor/katex/LICENSE');
}

function fonts() {
  let css = '';
  for (const [family, faces] of Object.entries(FONTS)) {
    const from = `node_modules/@fontsource/${family}`;
    copy(`${from}/LICENSE`, `vendor/fonts/${family}-LICENSE.txt`);
    for (const face of faces) {
      // Of each face (400.css) the rules of the wanted subsets, woff2 only.
      for (const rule of fs.readFileSync(`${from}/${face}.css`, 'utf8').split(/(?=\/\* )/)) {
        const file = rule.match(/url\(\.\/files\/([^)]+\.woff2)\)/)?.[1];
        if (!file || !SUBSETS.some(s => file.startsWith(`${family}-${s}-${face.slice(0, 3)}`))) continue;
        copy(`${from}/files/${file}`, `vendor/fonts/${file}`);
        css += rule.replace(/src:[^;]+;/, `src: url(${file}) format('woff2');`).trimEnd() + '\n';
      }
    }
  }
  fs.writeFileSync('vendor/fonts/fonts.css', css);
}

function copy(from, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
}
