/** One way of doing the same work. */
export interface Arm {
  readonly name: string
  /** Makes ready what a run uses up; not timed. */
  readonly prepare?: () => void
  /** Does the work once and returns how many units of it were done. */
  readonly run: () => number
}

export interface Scenario {
  readonly title: string
  /** What one unit is: "span", "snapshot". */
  readonly unit: string
  /** How its result is written: microseconds or milliseconds a unit. */
  readonly scale: 'µs' | 'ms'
  /** What it promises, in words, and the limit that the last arm must keep, by itself or beyond the first one. */
  readonly promise: string
  readonly measured: 'last' | 'last less first'
  readonly limit: number
  readonly note: string
  readonly arms: readonly Arm[]
}

export interface Result {
  readonly name: string
  /** All in the scenario's scale. */
  readonly median: number
  readonly least: number
  readonly most: number
  /** CPU time of the process, user and system. */
  readonly cpu: number
}

const ROUNDS = 25
const WARM_UP = 5

/** Runs all arms in turn, round by round, so that a machine that slows down slows all of them. */
export function measure({ arms, scale }: Scenario): Result[] {
  const perUnit = scale === 'µs' ? 1e6 : 1e3
  const wall = arms.map((): number[] => [])
  const cpu = arms.map((): number[] => [])
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    arms.forEach((arm, index) => {
      arm.prepare?.()
      const cpuBefore = process.cpuUsage()
      const before = performance.now()
      const units = arm.run()
      const seconds = (performance.now() - before) / 1000
      const { user, system } = process.cpuUsage(cpuBefore)
      if (round < 0) return
      wall[index]?.push((seconds / units) * perUnit)
      cpu[index]?.push(((user + system) / 1e6 / units) * perUnit)
    })
  }
  return arms.map(({ name }, index) => {
    const times = [...(wall[index] ?? [])].sort((one, other) => one - other)
    return {
      name,
      median: medianOf(times),
      least: times[0] ?? NaN,
      most: times.at(-1) ?? NaN,
      cpu: medianOf([...(cpu[index] ?? [])].sort((one, other) => one - other))
    }
  })
}

function medianOf(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
