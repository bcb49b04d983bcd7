// What happens to the Markdown before reveal.js sees it: formulas become HTML (so that Markdown cannot spoil them and
// no script draws them), labels in the notes become bold, and a slide with two notes or a wrong formula stops the build.
import katex from 'katex';

const building = process.argv.some(a => a.startsWith('--static'));

// Group 1 is left alone: fenced blocks, inline code, HTML comments.
const TOKEN = /(^(```+|~~~+)[^\n]*\n[\s\S]*?^\2[^\n]*$|`[^`\n]+`|<!--[\s\S]*?-->)|(?<!\\)\$\$([\s\S]+?)\$\$|(?<![\\$\w])\$(?![\s$])([^$\n]+?)(?<![\s\\])\$(?![\d\w$])/gm;
const NOTE = /^(?=notes?:)/im;
const LABEL = /^(Minutes|Ask|Watch for|Say|Source|Time):/gm;

export default (markdown, { separator, verticalSeparator }) => {
  const separators = new RegExp(`(${[separator, verticalSeparator].filter(Boolean).join('|')})`, 'm');
  return markdown.split(separators).map(part => (separators.test(part) ? part : slide(part))).join('');
};

function slide(text) {
  const [front, ...notes] = text.split(NOTE);
  if (notes.length > 1) complain(`two notes on one slide: ${titleOf(text)}`);
  return formulas(front, 'htmlAndMathml', text) + notes.map(n => labels(formulas(n, 'mathml', text))).join('');
}

function formulas(text, output, context) {
  return text
    .replace(TOKEN, (all, plain, _fence, display, inline) =>
      plain ? plain : render(display ?? inline, display !== undefined, output, context))
    .replace(/\\\$/g, '$');
}

function render(tex, displayMode, output, context) {
  const options = { displayMode, output, throwOnError: true, strict: 'error' };
  let html;
  try {
    html = katex.renderToString(tex.trim(), options);
  } catch (error) {
    complain(`${titleOf(context)}: formula ${tex.trim()}: ${error.message}`);
    html = katex.renderToString(tex.trim(), { ...options, throwOnError: false, strict: 'ignore' });
  }
  return html.replace(/\n/g, ' ').replace(/[_*`\\[\]~$]/g, c => `&#${c.charCodeAt(0)};`); // nothing left for Markdown
}

const labels = note => note.replace(LABEL, '\n**$1:**');

const titleOf = text => (text.match(/^#+ (.*)$/m) ?? [, 'a slide without a title'])[1];

function complain(line) {
  if (building) throw new Error(line);
  console.warn(line);
}
