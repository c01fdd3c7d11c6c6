/** One sample of Prometheus' text format. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: Sample[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/
const LABEL = /^(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>(?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/

/**
 * Prometheus' text format 0.0.4, read strictly: whatever is not in that format, a family told twice, a sample told twice or
 * outside its family is an error. https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parseText(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, Family>()
  const seen = new Set<string>()
  let help: [string, string] | undefined
  let current: [string, Family] | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (line.startsWith('#') && (keyword === undefined || !NAME.test(name))) throw new Error(`unknown comment: ${line}`)
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`${name} is told twice`)
      help = [name, rest]
    } else if (keyword === 'TYPE') {
      if (help?.[0] !== name || !['counter', 'gauge', 'histogram'].includes(rest)) throw new Error(`wrong: ${line}`)
      current = [name, { type: rest, help: help[1], samples: [] }]
      families.set(...current)
    } else {
      const sample = sampleOf(line)
      if (current === undefined || !belongs(sample, ...current)) throw new Error(`outside of its family: ${line}`)
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (seen.has(key)) throw new Error(`told twice: ${line}`)
      seen.add(key)
      current[1].samples.push(sample)
    }
  }
  return families
}

/** What a histogram says of each set of labels; an error where it is no right histogram. */
export function histogramsOf(family: Family | undefined): {
  readonly labels: Sample['labels']
  readonly count: number
  readonly sum: number
  readonly buckets: [number, number][]
}[] {
  const bySet = new Map<string, Sample[]>()
  for (const sample of family?.samples ?? []) {
    const key = JSON.stringify(Object.entries(withoutBound(sample.labels)).sort())
    bySet.set(key, [...(bySet.get(key) ?? []), sample])
  }
  return [...bySet.values()].map(samples => {
    const one = (end: string): number => {
      const [sample, ...others] = samples.filter(({ name }) => name.endsWith(end))
      if (sample === undefined || others.length > 0) throw new Error(`expected one ${end}`)
      return sample.value
    }
    const buckets = samples
      .filter(({ name }) => name.endsWith('_bucket'))
      .map(({ labels, value }): [number, number] => [numberOf(labels.le ?? ''), value])
    const count = one('_count')
    for (const [index, [bound, value]] of buckets.entries()) {
      const [before, less] = buckets[index - 1] ?? [-Infinity, 0]
      if (bound <= before || value < less) throw new Error(`le="${bound}" does not accumulate`)
    }
    const last = buckets.at(-1)
    if (last?.[0] !== Infinity || last[1] !== count) throw new Error('+Inf is not the count')
    return { labels: withoutBound(samples[0]?.labels ?? {}), count, sum: one('_sum'), buckets }
  })
}

function withoutBound(labels: Sample['labels']): Sample['labels'] {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== 'le'))
}

function belongs({ name }: Sample, family: string, { type }: Family): boolean {
  if (type !== 'histogram') return name === family
  return ['_bucket', '_count', '_sum'].some(end => name === `${family}${end}`)
}

function sampleOf(line: string): Sample {
  const { name, labels = '', value } = SAMPLE.exec(line)?.groups ?? {}
  if (name === undefined || value === undefined) throw new Error(`no sample: ${line}`)
  return { name, labels: labelsOf(labels), value: numberOf(value) }
}

function labelsOf(text: string): Sample['labels'] {
  const labels = new Map<string, string>()
  for (let rest = text; rest !== '';) {
    const match = LABEL.exec(rest)
    const { name, value } = match?.groups ?? {}
    if (match === null || name === undefined || value === undefined) throw new Error(`no label: ${rest}`)
    if (labels.has(name)) throw new Error(`the label ${name} twice`)
    labels.set(
      name,
      value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    )
    rest = rest.slice(match[0].length)
  }
  return Object.fromEntries(labels)
}

function numberOf(text: string): number {
  if (text === '+Inf' || text === '-Inf') return text === '+Inf' ? Infinity : -Infinity
  const value = Number(text)
  if (text === '' || Number.isNaN(value)) throw new Error(`no number: ${text}`)
  return value
}
