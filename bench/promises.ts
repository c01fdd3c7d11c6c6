import type { Table } from './table.js'
import { targets, type Measured, type Target } from './targets.js'

/** The section that holds what was promised against what was measured. */
export function promisesOf(tables: readonly Table[]): string {
  const majors = [...new Set(tables.map(({ node }) => node.major))]
  const lines = targets.map(target => {
    const { what, must, aim, atLeast = false, unit = '' } = target
    const sign = atLeast ? '≥' : '≤'
    const limits = must[0] === must[1] ? String(must[0]) : must.join(' / ')
    const cells = majors.map(major =>
      cellOf(
        target,
        tables.filter(({ node }) => node.major === major),
        major
      )
    )
    return `| ${[what, `${sign} ${limits}${unit}`, `${aim}${unit}`, ...cells].join(' | ')} |`
  })
  return `## What it promises

Ratios to bare and bare once more, together, in the same run; nothing exported unless said otherwise, SQL attribution on.
Wall time decides; beside it stands the same of CPU time (for requests a second, the ratio of CPU time a request). Garbage
collection has the settings that "How it was measured" names; the tables "V8 left alone" are without them. Where a target is
not kept, the same of the arm "two clock readings a call, a context an async one" stands beside it, the floor.

| | must, Node 20 / 24 | aim | ${majors.map(major => `Node ${major}`).join(' | ')} |
| --- | --- | --- | ${majors.map(() => '---').join(' | ')} |
${lines.join('\n')}
`
}

function cellOf(
  { must, atLeast = false, unit = '', measure, floor }: Target,
  tables: readonly Table[],
  major: number
): string {
  const wall = measure(tables, 'wall')
  const cpu = measure(tables, 'cpu')
  if (wall === undefined || cpu === undefined || Number.isNaN(wall.value)) return 'not run'
  const limit = must[major < 24 ? 0 : 1]
  const keeps = ({ value }: Measured): boolean => (atLeast ? value >= limit : value <= limit)
  const figures = `${wall.value.toFixed(3)}${unit}, CPU ${cpu.value.toFixed(3)}${unit}`
  if (keeps(wall)) return `${figures}: kept${remarkOf(wall)}`
  const least = floor?.(tables, 'wall')
  if (least === undefined || Number.isNaN(least.value)) return `${figures}: **not kept**${remarkOf(wall)}`
  return `${figures}: **not kept**; the floor ${least.value.toFixed(3)}${unit}, ${keeps(least) ? 'which keeps it' : 'which misses it too'}`
}

function remarkOf({ remark }: Measured): string {
  return remark === undefined ? '' : `; ${remark}`
}
