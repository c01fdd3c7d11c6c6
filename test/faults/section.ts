import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { root } from '../node.js'

const FILE = join(root, 'docs/reliability.md')

export function machine(): string {
  return `Node ${process.version}, ${cpus().length} cores, which the load generator shares.`
}

/** Puts `text` in the place of what the section holds, or at the end where there is none. */
export function writeSection(heading: string, text: string): void {
  const sections = (existsSync(FILE) ? readFileSync(FILE, 'utf8') : '# Reliability\n').split(/^(?=## )/m)
  const section = `## ${heading}\n\n${text}\n`
  const index = sections.findIndex(found => found.startsWith(`## ${heading}\n`))
  if (index === -1) sections.push(section)
  else sections[index] = section
  writeFileSync(FILE, `${sections.map(found => found.trimEnd()).join('\n\n')}\n`)
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map(row => (row[column] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
