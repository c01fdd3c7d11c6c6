import type { Arm } from './arms.js'
import type { Child } from './child.js'
import { parts, type Part } from './protocol.js'
import { figure, titleOf } from './report.js'
import { startService, type Subject } from './running.js'
import { shapes } from './shapes.js'
import { median } from './statistics.js'

const WARM_UP = 10
const ROUNDS = 7
const MILLISECONDS = 400

const PROFILED = ['bare', 'storage', 'floor', 'ours']

/** The arms that a profile compares, in this order. */
export function profiledArms(arms: readonly Arm[]): readonly Arm[] {
  return arms.filter(({ name }) => PROFILED.includes(name))
}

/** Profiles the arms in turn, round by round, and returns a section that says what an operation of each consists of. */
export async function profileSection(subject: Subject, arms: readonly Arm[]): Promise<string> {
  const services = await Promise.all(arms.map(arm => startService(arm, subject)))
  const rounds = services.map((): Record<Part, number>[] => [])
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (const [index, service] of services.entries()) {
      const profile = await profileOf(service, subject)
      if (round >= 0) rounds[index]?.push(profile)
    }
  }
  await Promise.all(services.map(service => service.stop()))
  const columns = rounds.map(profiles => parts.map(part => median(profiles.map(profile => profile[part]))))
  const lines = parts.map((part, row) => [part, ...columns.map(column => figure(column[row] ?? NaN))])
  const sums = columns.map(column => figure(column.reduce((sum, time) => sum + time, 0)))
  return `### ${titleOf(subject)}

${shapes[subject.shape].about}; µs an operation, medians of ${ROUNDS} rounds of ${MILLISECONDS} ms.

| | ${arms.map(({ title }) => title).join(' | ')} |
| --- | ${arms.map(() => '---').join(' | ')} |
${[...lines, ['all', ...sums]].map(cells => `| ${cells.join(' | ')} |`).join('\n')}
`
}

/** Microseconds an operation. */
async function profileOf(service: Child, { shape }: Subject): Promise<Record<Part, number>> {
  const { query, batch } = shapes[shape]
  const { count, profile } = await service.ask({ ask: 'profile', query, batch, milliseconds: MILLISECONDS })
  if (profile === undefined) throw new Error('a service made no profile: expected one')
  return Object.fromEntries(parts.map(part => [part, profile[part] / count])) as Record<Part, number>
}
