import { parseArgs } from 'node:util'
import { StartError } from './settings.js'

export interface LoadOptions {
  readonly seconds: number
  readonly connections: number
  readonly url: string
}

const usage = 'npm run load -- --seconds 20 --connections 10 [--url http://127.0.0.1:4000/graphql]'

/** @throws StartError naming the argument, its value and what would be right */
export function readLoadOptions(args: readonly string[]): LoadOptions {
  const values = parse(args)
  return {
    seconds: readCount('--seconds', values.seconds, 3_600),
    connections: readCount('--connections', values.connections, 1_000),
    url: readUrl(values.url)
  }
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seconds: { type: 'string', default: '20' },
        connections: { type: 'string', default: '10' },
        url: { type: 'string', default: 'http://127.0.0.1:4000/graphql' }
      }
    })
    return values
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('. ')
    throw new StartError(`${reason.replaceAll('\n', ' ')}. Usage: ${usage}`)
  }
}

function readCount(name: string, value: string, max: number): number {
  const count = Number(value)
  if (/^\d+$/.test(value) && count >= 1 && count <= max) return count
  throw new StartError(`${name} is ${JSON.stringify(value)}: expected a whole number from 1 to ${max}. Usage: ${usage}`)
}

function readUrl(value: string): string {
  const isHttp = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
  if (isHttp) return value
  throw new StartError(`--url is ${JSON.stringify(value)}: expected something like http://127.0.0.1:4000/graphql`)
}
