/** A plot with logarithmic axes as SVG, from numbers alone. */
import { figure } from './figures.ts'

/** One line of a plot. */
export interface Series {
  readonly name: string
  readonly colour: string
  readonly points: readonly (readonly [number, number])[]
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 420, 70, 190, 50, 60]

/** Draws the series over one horizontal axis; both axes are logarithmic, with a line for each power of ten. */
export function logPlot(title: string, xLabel: string, series: readonly Series[]): string {
  const all = series.flatMap(({ points }) => points).filter(([x, y]) => x > 0 && y > 0)
  const [x0, x1] = decades(all.map(([x]) => x))
  const [y0, y1] = decades(all.map(([, y]) => y))
  const x = (value: number) => LEFT + ((Math.log10(value) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT)
  const y = (value: number) => HEIGHT - BOTTOM - ((Math.log10(value) - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="26" font-size="15" font-weight="bold">${title}</text>`,
  ]
  for (let i = y0; i <= y1; i++) parts.push(...gridRow(y(10 ** i), figure(10 ** i)))
  for (let i = x0; i <= x1; i++) parts.push(...gridColumn(x(10 ** i), figure(10 ** i)))
  parts.push(`<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 16}" text-anchor="middle">${xLabel}</text>`)
  series.forEach((one, i) => {
    const points = one.points.filter(([, value]) => value > 0)
    const line = points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(' ')
    parts.push(`<polyline points="${line}" fill="none" stroke="${one.colour}" stroke-width="2"/>`)
    for (const [a, b] of points)
      parts.push(`<circle cx="${x(a).toFixed(1)}" cy="${y(b).toFixed(1)}" r="4" fill="${one.colour}"/>`)
    const at = TOP + 20 + i * 22
    parts.push(`<rect x="${WIDTH - RIGHT + 16}" y="${at - 10}" width="12" height="12" fill="${one.colour}"/>`)
    parts.push(`<text x="${WIDTH - RIGHT + 34}" y="${at}">${one.name}</text>`)
  })
  return `${[...parts, '</svg>'].join('\n')}\n`
}

function gridRow(at: number, label: string): string[] {
  return [
    `<line x1="${LEFT}" y1="${at}" x2="${WIDTH - RIGHT}" y2="${at}" stroke="#dddddd"/>`,
    `<text x="${LEFT - 8}" y="${at + 4}" text-anchor="end">${label}</text>`,
  ]
}

function gridColumn(at: number, label: string): string[] {
  return [
    `<line x1="${at}" y1="${TOP}" x2="${at}" y2="${HEIGHT - BOTTOM}" stroke="#dddddd"/>`,
    `<text x="${at}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${label}</text>`,
  ]
}

/** The powers of ten around the values; at least one apart. */
function decades(values: readonly number[]): [number, number] {
  const low = Math.floor(Math.log10(Math.min(...values)))
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))]
}
