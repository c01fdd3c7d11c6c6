import { readFileSync } from 'node:fs'
import { buildSchema, extendSchema, parse, printSchema } from 'graphql'
import { test } from 'tap'
import { options } from '../src/config.js'
import { metricsSdl, timingSdl, timingTypeSdl } from '../src/graphql/sdl.js'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const readme = read('README.md')

test('docs/schema.graphql is what the plugin adds to a schema', t => {
  const ours = `${metricsSdl('Query')}\n${timingTypeSdl}\n${timingSdl(['Issue'])}`
  const schema = extendSchema(buildSchema('type Query { issue: Issue } type Issue { id: ID }'), parse(ours))
  const printed = `# What the plugin adds to a schema, here one of \`type Query { issue: Issue }\` and \`type Issue { id: ID }\`.\n\n${printSchema(schema)}\n`
  t.equal(read('docs/schema.graphql'), printed)
  t.end()
})

test('the README has each variable, option and error code', t => {
  for (const [option, { variable }] of Object.entries(options)) {
    for (const name of [option, variable]) t.match(readme, `\`${name}\``)
  }
  const codes = new Set(read('src/errors.ts').match(/MPERF_[A-Z_]+/g))
  t.ok(codes.size > 10)
  for (const code of codes) t.match(readme, code)
  t.end()
})
