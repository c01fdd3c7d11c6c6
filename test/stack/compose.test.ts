/** docker-compose.yml as far as it can be judged without an engine. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { parse } from 'yaml'
import { addressNames } from '../../stack/programs.js'
import { root } from '../node.js'

interface Service {
  readonly image: string
  readonly build?: string
  readonly pull_policy?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly restart?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
}

interface Compose {
  readonly name: string
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, null>>
}

type Components = Readonly<Record<string, readonly { readonly gomod: string }[]>>

const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const text = read('docker-compose.yml')
const compose = parse(text) as Compose
const services = Object.entries(compose.services)

/** The variables that a configuration reads, each with its default. */
function variablesOf(file: string): Record<string, string> {
  const found = read(file).matchAll(/\$\{env:(\w+):-([^}]+)\}/g)
  return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, value]))
}

test('every image has an exact tag', t => {
  const bases = [...read('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image = '']) => image)
  for (const image of [...bases, ...services.map(([, service]) => service.image)]) {
    t.match(image, /^[\w./-]+:v?\d+(\.\d+)+(-[\w.-]+)?$/)
  }
  t.equal(new Set(bases).size, 1, 'one base image')
  const built = services.filter(([, { build }]) => build !== undefined)
  t.strictSame(
    built.map(([name, { pull_policy }]) => [name, pull_policy]),
    [['tracker', 'build']],
    'what is built is never pulled'
  )
  t.end()
})

test('nothing is published but on the loopback interface', t => {
  const ports = services.flatMap(([, service]) => service.ports ?? [])
  t.ok(ports.length > 5)
  for (const port of ports) t.match(port, /^127\.0\.0\.1:\d+:\d+$/)
  t.end()
})

test('every service has a health check or says why not', t => {
  for (const [name, { healthcheck }] of services) {
    const block = new RegExp(`^  ${name}:\n(?:    .*\n)+`, 'm').exec(text)?.[0] ?? ''
    if (healthcheck === undefined) t.match(block, /# (No health check: |Its health check is in the Dockerfile)/, name)
    else t.equal(healthcheck.test[0], 'CMD', `${name} needs no shell`)
  }
  t.match(read('Dockerfile'), /^HEALTHCHECK /m)
  for (const [name, { depends_on = {} }] of services) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      t.ok(compose.services[other]?.healthcheck, `${name} waits for ${other}, whose health can be seen`)
      t.equal(condition, 'service_healthy')
    }
  }
  t.notOk(compose.services.tracker?.depends_on?.collector, 'the Tracker does not wait for the Collector')
  t.end()
})

test('no service may write where it should not, nor gain rights', t => {
  for (const [name, { read_only, cap_drop, security_opt }] of services) {
    t.strictSame([read_only, cap_drop, security_opt], [true, ['ALL'], ['no-new-privileges:true']], name)
  }
  t.end()
})

test('every service comes back after a crash and after the machine was off', t => {
  for (const [name, { restart }] of services) t.equal(restart, 'unless-stopped', name)
  t.end()
})

test('what is mounted exists', t => {
  for (const volume of services.flatMap(([, service]) => service.volumes ?? [])) {
    const [source = '', target = '', mode] = volume.split(':')
    if (!source.startsWith('./')) t.ok(source in compose.volumes, `${source} is declared`)
    else t.ok(existsSync(join(root, source)) && mode === 'ro', `${source} exists and is read only`)
    t.match(target, /^\//)
  }
  t.end()
})

test('what the configurations read from the environment is what docker-compose.yml sets', t => {
  for (const [name, file] of [
    ['collector', 'otel-collector.yaml'],
    ['jaeger', 'stack/jaeger.yaml']
  ] as const) {
    const variables = variablesOf(file)
    t.strictSame(Object.keys(compose.services[name]?.environment ?? {}).sort(), Object.keys(variables).sort(), name)
    t.ok(Object.keys(variables).every(variable => [...addressNames, 'PROMETHEUS_URL'].includes(variable)))
    for (const address of Object.values(variables)) t.match(address, /^(http:\/\/)?127\.0\.0\.1:\d+$/)
  }
  t.end()
})

test('the programs agree on their addresses', t => {
  const { tracker, collector, jaeger } = compose.services
  const portOf = (address = ''): string => address.slice(address.lastIndexOf(':'))
  t.equal(
    tracker?.environment?.OTEL_EXPORTER_OTLP_ENDPOINT,
    `http://collector${portOf(collector?.environment?.COLLECTOR_HTTP)}`
  )
  t.equal(collector?.environment?.JAEGER_OTLP, `jaeger${portOf(jaeger?.environment?.JAEGER_OTLP)}`)
  t.match(jaeger?.healthcheck?.test.join(' '), `http://${String(jaeger?.environment?.JAEGER_HEALTH)}/`)
  t.end()
})

test('no secret stands in the file', t => {
  for (const [, { environment = {} }] of services) {
    for (const [name, value] of Object.entries(environment)) {
      if (/PASSWORD|TOKEN|SECRET/.test(name)) t.match(value, /^\$\{\w+:-(only-on-this-machine)?\}$/, name)
    }
  }
  t.end()
})

test('the lines for production make the secrets once, and a project of its own', t => {
  const folder = mkdtempSync(join(tmpdir(), 'compose-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  writeFileSync(join(folder, 'docker'), '#!/bin/sh\necho "$*"\n', { mode: 0o755 })
  const lines = [...text.matchAll(/^# {3}(.+)$/gm)].map(([, line]) => line).join('\n')
  const runLines = (): string =>
    execFileSync('sh', ['-c', lines], {
      cwd: folder,
      env: { PATH: `${folder}:${process.env.PATH ?? ''}` },
      encoding: 'utf8'
    })
  const [, project = '', file = ''] = /--project-name (\S+) --env-file (\S+) up$/m.exec(runLines()) ?? []
  t.not(project, compose.name)
  const secrets = readFileSync(join(folder, file), 'utf8')
  t.equal(statSync(join(folder, file)).mode & 0o077, 0, 'nobody else may read them')
  t.ok(read('.gitignore').split('\n').includes(file), 'nor may it be committed')
  const variables = [...text.matchAll(/\$\{(TRACKER_MODE|\w*(?:PASSWORD|TOKEN)):-/g)].map(([, name = '']) => name)
  t.equal(variables.length, 4)
  for (const name of variables) {
    t.match(secrets, new RegExp(`^${name}=${name === 'TRACKER_MODE' ? 'production' : '[0-9a-f]{64}'}$`, 'm'))
  }
  runLines()
  t.equal(readFileSync(join(folder, file), 'utf8'), secrets, 'a second time they stay')
  t.end()
})

test('the Collector that npm run stack builds has what its configuration names, in the version of the image', t => {
  const manifest = parse(read('stack/collector.yaml')) as Components & { readonly dist: { readonly version: string } }
  const configuration = parse(read('otel-collector.yaml')) as Readonly<Record<string, Record<string, unknown>>>
  const image = compose.services.collector?.image ?? ''
  t.equal(manifest.dist.version, image.split(':')[1])
  for (const kind of ['extensions', 'receivers', 'processors', 'exporters'] as const) {
    const named = new Set(Object.keys(configuration[kind] ?? {}).map(name => name.split('/')[0]?.replaceAll('_', '')))
    const built = (manifest[kind] ?? []).map(
      ({ gomod }) => /(\w+?)(?:extension|receiver|processor|exporter) v/.exec(gomod)?.[1]
    )
    // The exporter over gRPC is older than the others' names.
    t.strictSame([...named].map(name => (name === 'otlpgrpc' ? 'otlp' : name)).sort(), built.sort(), kind)
  }
  t.ok(
    Object.values(manifest)
      .flat()
      .every(part => !('gomod' in part) || / v(0\.159\.0|1\.65\.0)$/.test(part.gomod))
  )
  t.end()
})

test('the images of Jaeger and Prometheus are the versions that Go builds for the tests', t => {
  const moduleOf = (name: string): readonly number[] => {
    const found = new RegExp(`^\\tgithub\\.com/.+/${name} v(\\d+)\\.(\\d+)\\.(\\d+)`, 'm').exec(
      read(`stack/${name}/go.mod`)
    )
    return (found ?? []).slice(1).map(Number)
  }
  const tagOf = (name: string): string | undefined => compose.services[name]?.image.split(':')[1]
  // Jaeger's version 2 began with the 63rd of version 1, and is still published as a module of that.
  const [, jaeger = 0, jaegerPatch] = moduleOf('jaeger')
  t.equal(tagOf('jaeger'), `2.${jaeger - 63}.${jaegerPatch}`)
  // Prometheus 3.16.0 is the module's v0.316.0.
  const [, prometheus = 0, prometheusPatch] = moduleOf('prometheus')
  t.equal(tagOf('prometheus'), `v${Math.floor(prometheus / 100)}.${prometheus % 100}.${prometheusPatch}`)
  const text = read('README.md')
  for (const version of [tagOf('collector'), tagOf('jaeger'), tagOf('prometheus')?.slice(1)]) {
    t.ok(version !== undefined && text.includes(version), `README says ${version}`)
  }
  t.end()
})
