import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'tap'
import { root } from './node.js'

const source = join(root, 'src')

/** Which rooms each room may import; files beside the rooms (config, errors) are everyone's. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  spans: ['lib'],
  store: ['lib', 'spans'],
  self: ['lib', 'store'],
  logging: ['lib', 'spans'],
  cache: ['lib'],
  graphql: ['lib', 'spans', 'store'],
  metrics: ['lib', 'spans', 'store'],
  database: ['lib', 'spans'],
  history: ['lib', 'store', 'database', 'metrics'],
  tracker: ['lib', 'database']
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8')
  return [...text.matchAll(/^(?:import|export) [^;]*? from '(\.[^']+)'/gm)].map(([, path = '']) =>
    relative(source, normalize(join(source, dirname(file), path)))
  )
}

const roomOf = (file: string): string | undefined => (file.includes('/') ? file.split('/')[0] : undefined)

test('Architecture Overview: data flows one way, each room imports only what lies before it', t => {
  t.ok(files.length > 50)
  for (const file of files) {
    const room = roomOf(file)
    if (room === undefined) continue
    const reach = allowed[room]
    t.ok(reach, `the room ${room} is in the picture`)
    for (const target of importsOf(file).map(roomOf)) {
      if (target !== undefined && target !== room) t.ok(reach?.includes(target), `${file} imports from ${target}`)
    }
    const beside = importsOf(file).filter(target => roomOf(target) === undefined)
    t.strictSame(
      beside.filter(target => !['config.js', 'errors.js'].includes(target)),
      [],
      `${file} imports nothing that puts rooms together`
    )
  }
  t.end()
})

test('Architecture Overview: readers leave each other alone; of metrics, history knows what they are called', t => {
  const shared = ['metrics/names.js', 'metrics/prometheus-names.js']
  const known = files.filter(file => roomOf(file) === 'history').flatMap(importsOf)
  t.strictSame([...new Set(known.filter(file => roomOf(file) === 'metrics'))].sort(), shared)
  t.end()
})

test('Architecture Overview: the vocabulary of spans is spoken in two files alone, that of metrics in one', t => {
  const speaking = files.filter(file => /'(?:db|graphql)\.[a-z.]+'/.test(readFileSync(join(source, file), 'utf8')))
  t.strictSame(speaking.sort(), ['metrics/names.ts', 'spans/sample.ts', 'spans/scrub.ts'])
  t.end()
})
