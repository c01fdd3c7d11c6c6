import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { addressNames, type Addresses } from './programs.js'

/** A free loopback port for each address, unless the environment names another. */
export async function chooseAddresses(environment: NodeJS.ProcessEnv): Promise<Addresses> {
  // All are held at once, so that no port is given twice.
  const servers = addressNames.map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const chosen = addressNames.map((name, index) => {
    const { port } = servers[index]?.address() as AddressInfo
    return [name, environment[name] ?? `127.0.0.1:${port}`] as const
  })
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  const addresses = Object.fromEntries(chosen) as Record<(typeof addressNames)[number], string>
  return { ...addresses, PROMETHEUS_URL: `http://${addresses.PROMETHEUS}` }
}
