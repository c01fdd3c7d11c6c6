const GRACE_MILLISECONDS = 4_500

/**
 * Stops what was started, in the given order, at SIGTERM or SIGINT, and ends the process. After 4.5 seconds it
 * calls `giveUp` and ends at once; at a second signal too.
 */
export function stopOnSignal(steps: readonly (() => PromiseLike<unknown>)[], giveUp: () => void): void {
  let isStopping = false
  const onSignal = (): void => {
    if (isStopping) process.exit(1)
    isStopping = true
    setTimeout(() => {
      giveUp()
      process.exit(1)
    }, GRACE_MILLISECONDS).unref()
    void stop(steps)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

async function stop(steps: readonly (() => PromiseLike<unknown>)[]): Promise<void> {
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      console.error(error)
      process.exitCode = 1
    }
  }
  // Something may still be trying, such as an exporter whose collector is gone.
  process.exit()
}
