/** A small writer of line charts as SVG: places side by side, seconds upwards on a logarithmic scale. Same input, same bytes. */

export interface Line {
  readonly name: string;
  /** Number of its colour. */
  readonly color: number;
  readonly dashed: boolean;
  /** Seconds at each position; undefined where there is none. */
  readonly values: readonly (number | undefined)[];
}

export interface LineChart {
  readonly title: string;
  /** What stands below the chart, left to right. */
  readonly positions: readonly string[];
  readonly lines: readonly Line[];
}

const WIDTH = 800;
const HEIGHT = 400;
const LEFT = 64;
const RIGHT = 270;
const TOP = 44;
const BOTTOM = 40;
const LEGEND_STEP = 22;
/** To be told apart also by those who do not see red and green (Okabe and Ito). */
const COLORS = ['#0072b2', '#009e73', '#d55e00', '#cc79a7'];

/** Lines without a value at any position are left out. */
export function lineChart({ title, positions, lines }: LineChart): string {
  const drawn = lines.filter(({ values }) => values.some((value) => value !== undefined));
  const scale = scaleOf(drawn.flatMap(({ values }) => values.filter((value) => value !== undefined)));
  const x = (index: number): number => LEFT + 20 + (index * (WIDTH - LEFT - RIGHT - 40)) / Math.max(1, positions.length - 1);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(LEFT, 24, title, 'font-weight="bold" font-size="15"'),
    ...scale.ticks.map((tick) => grid(scale.y(tick), tick)),
    ...positions.map((name, index) => text(x(index), HEIGHT - BOTTOM + 22, name, 'text-anchor="middle"')),
    ...drawn.map((line) => drawLine(line, (index) => x(index), scale.y)),
    ...drawn.map((line, row) => legend(line, TOP + 8 + row * LEGEND_STEP)),
    '</svg>',
  ].join('\n')}\n`;
}

interface Scale {
  readonly ticks: readonly number[];
  readonly y: (seconds: number) => number;
}

/** Whole decades around all values, with 1, 2 and 5 marked in each. */
function scaleOf(values: readonly number[]): Scale {
  const low = Math.floor(Math.log10(Math.min(...values, 1)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values, 1))));
  const y = (seconds: number): number => HEIGHT - BOTTOM - ((Math.log10(seconds) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const decades = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  const ticks = decades.flatMap((decade) => [1, 2, 5].map((step) => step * decade)).filter((tick) => tick <= 10 ** high);
  return { ticks, y };
}

function grid(y: number, tick: number): string {
  const line = `<path d="M${LEFT} ${number(y)}H${WIDTH - RIGHT}" stroke="#dddddd"/>`;
  return `${line}\n${text(LEFT - 8, y + 4, `${Number(tick.toPrecision(1))} s`, 'text-anchor="end" fill="#555555"')}`;
}

function drawLine({ color, dashed, values }: Line, x: (index: number) => number, y: (seconds: number) => number): string {
  const points = values.flatMap((value, index) => (value === undefined ? [] : [`${number(x(index))},${number(y(value))}`]));
  const dots = points.map((point) => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3" fill="${colorOf(color)}"/>`);
  return [`<polyline points="${points.join(' ')}" fill="none" ${stroke(color, dashed)}/>`, ...dots].join('\n');
}

function legend({ name, color, dashed }: Line, y: number): string {
  const from = WIDTH - RIGHT + 16;
  return `<path d="M${from} ${y}h28" ${stroke(color, dashed)}/>\n${text(from + 36, y + 4, name)}`;
}

function stroke(color: number, dashed: boolean): string {
  return `stroke="${colorOf(color)}" stroke-width="2"${dashed ? ' stroke-dasharray="6 4"' : ''}`;
}

function colorOf(color: number): string {
  return COLORS[color % COLORS.length] ?? '#000000';
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${number(x)}" y="${number(y)}"${attributes === '' ? '' : ` ${attributes}`}>${escaped}</text>`;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}
