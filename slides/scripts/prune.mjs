// Deletes from _site what no page of ours loads; after it no file names another host to load from.
import fs from 'node:fs';
import path from 'node:path';

const SITE = '_site';
const drop = name => fs.rmSync(path.join(SITE, name), { recursive: true, force: true });

['plugin/math', 'plugin/search', 'dist/theme/fonts', 'slides.html'].forEach(drop);
for (const name of fs.readdirSync(SITE, { recursive: true })) {
  const theme = /^dist.theme.(?!white\.css$)[^/\\]+\.css$/.test(name);
  if (theme || /\.map$|\.esm\.js$/.test(name) || /^plugin.[^/\\]+.plugin\.js$/.test(name)) drop(name);
}
// Our fonts come from vendor/fonts: the theme below ours need not bring its own.
const white = path.join(SITE, 'dist/theme/white.css');
fs.writeFileSync(white, fs.readFileSync(white, 'utf8').replace(/@import url\([^)]*\);\s*/g, ''));
